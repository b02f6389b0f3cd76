# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS_PROXY and NO_PROXY as Docker, a Go program, understands them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import EngineError
from ansible_collections.greenlight.droplet.plugins.module_utils._docker import proxies as module
from ansible_collections.greenlight.droplet.plugins.module_utils._docker.proxies import (
    Proxies,
    daemon_proxies,
)

PROXY = "http://proxy.test:3128"


@pytest.mark.parametrize(
    ("direct", "host", "through"),
    [
        ("", "registry.test", True),
        ("*", "registry.test", False),
        ("registry.test", "registry.test", False),
        ("test", "registry.test", False),
        ("istry.test", "registry.test", True),
        (".test", "registry.test", False),
        (".registry.test", "registry.test", True),
        ("*.registry.test", "registry.test", True),
        ("*.registry.test", "eu.registry.test", False),
        ("other.test, REGISTRY.test", "registry.test", False),
        (",, ,", "registry.test", True),
        ("registry.test:443", "registry.test", False),
        ("registry.test:5000", "registry.test", True),
        ("registry.test:5000", "registry.test:5000", False),
        (":443", "registry.test", True),
        ("10.0.0.0/8", "10.1.2.3", False),
        ("10.0.0.0/8", "11.1.2.3", True),
        ("10.0.0.1/8", "10.1.2.3", False),
        ("nonsense/8", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.3:5000", False),
        ("10.1.2.3:443", "10.1.2.3:5000", True),
        ("0.1.2.3", "10.0.1.2.3.test", True),
        ("fd00::/8", "[fd00::1]:5000", False),
        ("fd00::1", "[fd00::1]", False),
        ("[fd00::1]:5000", "[fd00::1]:5000", False),
        ("[fd00::1]:5000", "[fd00::1]", True),
        ("", "localhost:5000", False),
        ("", "127.0.0.5:5000", False),
        ("", "[::1]:5000", False),
    ],
)
def test_no_proxy_means_what_it_means_to_docker(direct: str, host: str, through: bool) -> None:
    found = Proxies("", PROXY, direct).proxy_for(f"https://{host}/v2/")
    assert found == (PROXY if through else "")


def test_each_scheme_has_its_proxy() -> None:
    proxies = Proxies("one.test:80", "http://two.test", "")
    assert proxies.proxy_for("http://registry.test/v2/") == "http://one.test:80"
    assert proxies.proxy_for("https://registry.test/v2/") == "http://two.test"
    assert Proxies(https=PROXY).proxy_for("http://registry.test/v2/") == ""


MASKED = "http://xxxxx:xxxxx@proxy.test:3128"
REAL = "http://ci:s%40cret@proxy.test:3128"


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder with Docker's settings and the number of its process; neither is there yet."""
    monkeypatch.setattr(module, "SETTINGS", str(tmp_path / "daemon.json"))
    monkeypatch.setattr(module, "PROCESS", str(tmp_path / "docker.pid"))
    return tmp_path


def test_a_password_is_found_in_dockers_settings(places: Path) -> None:
    settings = {"proxies": {"https-proxy": REAL, "no-proxy": "a"}}
    (places / "daemon.json").write_text(json.dumps(settings), encoding="utf-8")
    info = {"HttpProxy": "", "HttpsProxy": MASKED, "NoProxy": "a"}
    assert daemon_proxies(info) == Proxies("", REAL, "a")


@pytest.mark.parametrize("way", ["environment", "command", "command="])
def test_a_password_is_found_with_dockers_process(places: Path, way: str) -> None:
    flag = {"command": ["--https-proxy", REAL], "command=": [f"--https-proxy={REAL}"]}.get(way, [])
    variables = {"https_proxy": REAL} if way == "environment" else {}
    script = "import sys; print(); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, *flag],
        env={**os.environ, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        process.stdout.readline()
        (places / "docker.pid").write_text(str(process.pid), encoding="utf-8")
        assert daemon_proxies({"HttpsProxy": MASKED}).https == REAL
        process.communicate()


def test_what_is_not_masked_is_taken_as_it_is(places: Path) -> None:
    (places / "daemon.json").write_text("broken", encoding="utf-8")
    assert daemon_proxies({"HttpsProxy": PROXY, "HttpProxy": None}) == Proxies("", PROXY, "")
    with pytest.raises(EngineError, match=r"daemon\.json is no JSON"):
        daemon_proxies({"HttpsProxy": MASKED})
