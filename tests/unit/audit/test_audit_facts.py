# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an audit asks programs is answered by this host, whatever root has set."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._audit.facts import output

# As Docker's command does: a context of root's settings counts unless a host is named.
DOCKER = """#!/bin/sh
[ -n "$DOCKER_HOST" ] || { echo "context elsewhere: not found" >&2; exit 1; }
[ ! -e "$DOCKER_CONFIG/config.json" ] || { echo "broken settings" >&2; exit 1; }
echo "$DOCKER_HOST"
"""


def test_docker_is_asked_about_this_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docker").write_text(DOCKER, encoding="utf-8")
    (tmp_path / "docker").chmod(0o755)
    (tmp_path / "config.json").write_text('{"currentContext": "elsewhere"}', encoding="utf-8")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere:2375")
    assert output("docker", "info") == "unix:///var/run/docker.sock\n"
