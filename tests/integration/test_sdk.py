# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules work with the distribution's Docker SDK and with the one from PyPI."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from importlib import metadata, util
from pathlib import Path

import pytest

from tests.integration.support.ansible import Call
from tests.integration.support.bench import Bench, sha

FOLDER = "/opt/greenlight-test-sdk"
PYTHON = f"{FOLDER}/python"
WRAPPER = f'#!/bin/sh\nPYTHONPATH={FOLDER}/lib exec /usr/bin/python3 "$@"\n'
PACKAGES = ("docker", "requests", "urllib3", "idna", "certifi", "charset_normalizer")


def package_archive() -> bytes:
    """A tar file of the test environment's own Docker SDK and of what it imports."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name in PACKAGES:
            spec = util.find_spec(name)
            assert spec is not None
            assert spec.origin is not None
            archive.add(Path(spec.origin).parent, arcname=name)
    return stream.getvalue()


@pytest.fixture
def newer(bench: Bench) -> Iterator[Bench]:
    """The droplet with the newer SDK beside the distribution's."""
    bench.sh(f"mkdir -p {FOLDER}/lib")
    bench.machine.unpack(package_archive(), f"{FOLDER}/lib")
    bench.machine.write(PYTHON, WRAPPER)
    bench.sh(f"chmod 755 {PYTHON}")
    yield bench
    bench.sh(f"rm -rf {FOLDER}")


def version(bench: Bench, python: str) -> str:
    """The version of the Docker SDK that a Python on the droplet imports."""
    return bench.sh(f"{python} -c 'import docker; print(docker.__version__)'").strip()


def test_release_refusal_and_rollback_with_the_newer_sdk(newer: Bench) -> None:
    bench = newer
    assert version(bench, PYTHON) == metadata.version("docker")
    assert int(version(bench, PYTHON).split(".")[0]) >= 7
    health = {"expect": "status == 'impossible'", "deadline": 1}
    bench.sh("docker rmi -f $(docker images -q greenlight/api) >/dev/null 2>&1", check=False)
    calls = [
        bench.release("A"),
        bench.release("B"),
        bench.release("B"),
        bench.release("C", health=health),
        bench.rollback(),
        Call("release_info", {}),
    ]
    calls = [Call(call.module, call.args, python=PYTHON) for call in calls]
    first, second, same, refused, back, info = bench.play(*calls)
    assert "pull" in first.ok().steps
    assert second.ok()["standby"]["sha"] == sha("A")
    assert not same.ok().changed
    assert "failed at step 'gate'" in refused.msg
    assert back.ok()["live"]["sha"] == info.ok()["live"]["sha"] == sha("A")
    # Both SDKs mean the same by a container: nothing is to be done for the other one.
    assert version(bench, "/usr/bin/python3") != version(bench, PYTHON)
    assert not bench.one(bench.release("A")).ok().changed


def test_the_distributions_sdk_is_what_the_other_tests_use(bench: Bench) -> None:
    installed = bench.sh("dpkg-query -W -f '${Version}' python3-docker")
    assert installed.startswith(version(bench, "/usr/bin/python3"))


def test_an_application_is_prepared_with_the_newer_sdk(newer: Bench) -> None:
    remove = "docker network rm greenlight-sdk; rm -rf /etc/greenlight/sdk.json"
    call = Call("application", {"app": "sdk", "port": 3103, "subnet": "172.31.30.0/24"})
    call = Call(call.module, call.args, python=PYTHON)
    try:
        first, again = newer.play(call, call)
        assert first.ok()["changes"][0] == "network"
        assert not again.ok().changed
    finally:
        newer.sh(f"{remove} /var/lib/greenlight/sdk", check=False)
