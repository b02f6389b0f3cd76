# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is measured besides us."""

from __future__ import annotations

from tests.bench.rivals.base import Rival
from tests.bench.rivals.blue_green import BlueGreen
from tests.bench.rivals.docker_container import DockerContainer
from tests.bench.rivals.haproxy_reload import Haproxy
from tests.bench.rivals.nginx_reload import Nginx
from tests.bench.rivals.script import StopFirstScript


def rivals() -> list[Rival]:
    """Return the rivals that can always run; Kamal's skip is in kamal.py."""
    return [StopFirstScript(), DockerContainer(), BlueGreen(Nginx()), BlueGreen(Haproxy())]
