# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The named versions of the sample API."""

from __future__ import annotations

import re

import pytest

from dev import sample_api
from dev.sample_versions import MISBEHAVIOURS, VERSIONS, Version, sha_of
from tests.sample_api.settings import BEHAVIOURS, Settings


def test_shas_are_full_fixed_and_distinct() -> None:
    """Tests and demo may write one down."""
    shas = [version.sha for version in VERSIONS.values()]
    assert all(re.fullmatch(r"[0-9a-f]{40}", sha) for sha in shas)
    assert len(set(shas)) == len(shas)
    assert VERSIONS["A"].sha == "de8af1368bffdc752dc0d96d50e6210b464be02c"


def test_twins_share_a_prefix() -> None:
    """They are there for the ambiguous SHA."""
    first, second = VERSIONS["twin-1"].sha, VERSIONS["twin-2"].sha
    assert first[:12] == second[:12]
    assert first != second


def test_every_misbehaviour_has_a_version() -> None:
    """The server knows no switch without a version, and the other way round."""
    assert set(MISBEHAVIOURS) == BEHAVIOURS
    assert all(VERSIONS[name].behaviour == name for name in MISBEHAVIOURS)


def test_revision_labels() -> None:
    """Right, wrong and missing."""
    assert VERSIONS["A"].revision == VERSIONS["A"].sha
    assert VERSIONS["missing-label"].revision is None
    assert VERSIONS["wrong-label"].revision not in {None, VERSIONS["wrong-label"].sha}
    assert "LABEL" not in sample_api.version_dockerfile("base", VERSIONS["missing-label"])


def test_version_dockerfile() -> None:
    """A version adds its environment and its label."""
    text = sample_api.version_dockerfile("sha256:1", Version("x", "errors", start_seconds=1.0))
    assert text.splitlines() == [
        "FROM sha256:1",
        f'ENV SAMPLE_SHA="{sha_of("x")}" SAMPLE_BEHAVIOUR="errors" SAMPLE_START_SECONDS="1"',
        f'LABEL org.opencontainers.image.revision="{sha_of("x")}"',
    ]


def test_command_line() -> None:
    """By name, all of them, or one by SHA; anything else is refused."""
    parse = sample_api.parser().parse_args
    sha = "a" * 40
    assert [v.name for v in sample_api.chosen(parse(["build", "A", "B"]))] == ["A", "B"]
    assert len(sample_api.chosen(parse(["build", "all"]))) == len(VERSIONS)
    (given,) = sample_api.chosen(parse(["build", "--sha", sha, "--behaviour", "errors"]))
    assert (given.sha, given.revision, given.behaviour) == (sha, sha, "errors")
    with pytest.raises(ValueError, match="unknown: Z"):
        sample_api.chosen(parse(["build", "Z"]))
    with pytest.raises(ValueError, match="name a version"):
        sample_api.chosen(parse(["build"]))
    with pytest.raises(SystemExit):
        parse(["build", "--sha", "abc"])


def test_settings_refuse_what_they_do_not_know() -> None:
    """A misspelt behaviour must not look like a good version."""
    with pytest.raises(ValueError, match="never-helthy"):
        Settings.read({"SAMPLE_BEHAVIOUR": "errors,never-helthy"})
    settings = Settings.read({"SAMPLE_BEHAVIOUR": "wrong-port, errors", "PORT": "8000"})
    assert settings.port == 9000
    assert settings.behaviours == {"wrong-port", "errors"}
    assert Settings.read({"SAMPLE_BEHAVIOUR": "slow-start"}).start_seconds == 20
