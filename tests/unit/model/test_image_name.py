# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of images mean what they mean to Docker."""

from __future__ import annotations

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import SpecError
from ansible_collections.greenlight.droplet.plugins.module_utils._model.image_name import (
    familiar_name,
    split_image,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.argument_spec import (
    build_order,
)
from tests.unit import asked

HUB = "registry-1.docker.io"


@pytest.mark.parametrize(
    ("image", "parts", "familiar"),
    [
        ("api", (HUB, "library/api"), "api"),
        ("library/api", (HUB, "library/api"), "api"),
        ("docker.io/api", (HUB, "library/api"), "api"),
        ("docker.io/library/api", (HUB, "library/api"), "api"),
        ("index.docker.io/api", (HUB, "library/api"), "api"),
        ("team/api", (HUB, "team/api"), "team/api"),
        ("docker.io/team/api", (HUB, "team/api"), "team/api"),
        ("index.docker.io/team/api", (HUB, "team/api"), "team/api"),
        ("registry-1.docker.io/team/api", (HUB, "team/api"), "team/api"),
        ("team/library/api", (HUB, "team/library/api"), "team/library/api"),
        ("localhost/api", ("localhost", "api"), "localhost/api"),
        ("registry.test:5000/a/b", ("registry.test:5000", "a/b"), "registry.test:5000/a/b"),
        ("registry.test/library/b", ("registry.test", "library/b"), "registry.test/library/b"),
        ("registry:5000/b", ("registry:5000", "b"), "registry:5000/b"),
        ("[fd00::1]:5000/b", ("[fd00::1]:5000", "b"), "[fd00::1]:5000/b"),
    ],
)
def test_a_name_is_read_as_docker_reads_it(
    image: str, parts: tuple[str, str], familiar: str
) -> None:
    assert split_image(image) == parts
    assert familiar_name(image) == familiar
    # A release looks for what Docker lists, and Docker lists it by that name.
    order = build_order("release", asked.parameters(image=image))
    assert order.source.image == familiar


@pytest.mark.parametrize("image", ["Team/api", "api:tag", "a//b", "https://r.test/api", "[x]/a"])
def test_what_names_no_repository_is_refused(image: str) -> None:
    with pytest.raises(SpecError, match="is not a repository"):
        build_order("release", asked.parameters(image=image))
