# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The light test hosts as an inventory: names, ports, networks. Touches nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dev import settings

LIMIT = 32
FIRST_PORT = 3400
"""SSH of the first light host on 127.0.0.1; the others follow. No droplet has one of these."""
FIRST_APPLICATION_PORT = 3200
"""HAProxy of the first light host, within the network that all of them share."""
CONTAINER_PORT = 3002
REPOSITORY = "light-api"
"""The sample application for light hosts; see light_hosts.prepare_images."""

PATH = settings.STATE / "light-hosts.json"
KNOWN_HOSTS = settings.STATE / "known_hosts.d" / "light"


class CountError(ValueError):
    """More light hosts were asked for than there is room for, or none."""


def name_of(number: int) -> str:
    """Name of light host `number` (1-based), which is also the name of its application."""
    return f"light-{number:02}"


def port_of(number: int) -> int:
    """Port on 127.0.0.1 where light host `number` answers SSH."""
    return FIRST_PORT + number - 1


def application_port(number: int) -> int:
    """Port of light host `number`'s HAProxy; the hosts share one network, so each has its own."""
    return FIRST_APPLICATION_PORT + number - 1


def subnet_of(number: int) -> str:
    """Network of the slots of light host `number`."""
    return f"172.31.{100 + number}.0/24"


def group_of(count: int) -> str:
    """Name of the inventory group with the first `count` light hosts."""
    return f"first_{count}"


def check_count(count: int) -> int:
    """Return the number of hosts. Raises CountError outside 1 to 32."""
    if not 1 <= count <= LIMIT:
        raise CountError(f"{count} light hosts: there may be 1 to {LIMIT}")
    return count


def host_variables(number: int) -> dict[str, Any]:
    """What one light host has of its own. One engine for all: so each has its own application."""
    port, subnet = application_port(number), subnet_of(number)
    return {
        "ansible_port": port_of(number),
        "app_name": name_of(number),
        "light_applications": [
            {
                "name": name_of(number),
                "port": port,
                "container_port": CONTAINER_PORT,
                "subnet": subnet,
            }
        ],
    }


def shared_variables(password: Path) -> dict[str, Any]:
    """What all light hosts have in common: the way in, and the sample application.

    `password` is the file with the registry's. The application starts in one second, and the
    watch after the cutover is as short as it can be.
    """
    secret = f"{{{{ lookup('ansible.builtin.file', '{password}') }}}}"
    return {
        "ansible_host": "127.0.0.1",
        "ansible_user": "root",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_private_key_file": str(settings.KEY),
        "ansible_ssh_common_args": (
            f"-o UserKnownHostsFile={KNOWN_HOSTS} -o StrictHostKeyChecking=yes"
            " -o IdentitiesOnly=yes"
        ),
        "app_image": f"{settings.REGISTRY_HOST}:5000/{REPOSITORY}",
        "app_registry_username": settings.REGISTRY_USER,
        "app_registry_password": secret,
        "app_registry_plain_http": True,
        "app_env": {"SAMPLE_START_SECONDS": "1"},
        "app_health": {"path": "/v1/health", "expect": "status == 'healthy'", "deadline": 60},
        "app_watch": {"seconds": 0},
    }


def inventory(count: int, groups: Sequence[int], password: Path) -> dict[str, Any]:
    """Return the inventory of `count` light hosts with a group for each size in `groups`."""
    names = [name_of(number) for number in range(1, check_count(count) + 1)]
    children = {group_of(size): {"hosts": dict.fromkeys(names[:size])} for size in groups}
    return {
        "light": {
            "vars": shared_variables(password),
            "hosts": {name_of(number): host_variables(number) for number in range(1, count + 1)},
        },
        "all": {"children": children},
    }


def render(count: int, groups: Sequence[int], password: Path) -> str:
    """Return the inventory's text: JSON, which is YAML as well."""
    return json.dumps(inventory(count, groups, password), indent=2) + "\n"
