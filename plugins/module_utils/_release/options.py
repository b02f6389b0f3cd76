# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of modules release and rollback: types, defaults, limits.

Written by `make options` from scripts/options.yml: change it there.
"""

from __future__ import annotations

import typing as t

OPTIONS: t.Final[dict[str, dict[str, t.Any]]] = {
    "app": {"type": "str", "default": "api"},
    "image": {"type": "str", "default": ""},
    "tag": {"type": "str", "default": ""},
    "digest": {"type": "str", "default": ""},
    "registry_username": {"type": "str", "default": ""},
    "registry_password": {"type": "str", "default": "", "no_log": True},
    "registry_plain_http": {"type": "bool", "default": False},
    "pull_seconds": {"type": "float", "default": 300.0},
    "env": {"type": "dict", "default": {}},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "command": {"type": "list", "elements": "str", "default": []},
    "user": {"type": "str", "default": ""},
    "allow_root": {"type": "bool", "default": False},
    "memory": {"type": "str", "default": "512m"},
    "cpus": {"type": "float", "default": 0.0},
    "cpu_shares": {"type": "int", "default": 512},
    "pids_limit": {"type": "int", "default": 512},
    "ulimits": {"type": "dict", "default": {}},
    "read_only": {"type": "bool", "default": True},
    "tmpfs": {"type": "list", "elements": "str", "default": ["/tmp"]},
    "tmpfs_size": {"type": "str", "default": "64m"},
    "cap_add": {"type": "list", "elements": "str", "default": []},
    "apparmor_profile": {"type": "str", "default": ""},
    "volumes": {"type": "list", "elements": "str", "default": []},
    "init": {"type": "bool", "default": True},
    "stop_timeout": {"type": "int", "default": 30},
    "log_max_size": {"type": "str", "default": "10m"},
    "log_max_files": {"type": "int", "default": 3},
    "health": {
        "type": "dict",
        "default": {},
        "options": {
            "path": {"type": "str", "default": "/v1/health"},
            "host": {"type": "str", "default": "localhost"},
            "status": {"type": "list", "elements": "int", "default": [200]},
            "expect": {"type": "str", "default": ""},
            "interval": {"type": "float", "default": 0.05},
            "timeout": {"type": "float", "default": 2.0},
            "successes": {"type": "int", "default": 3},
            "deadline": {"type": "float", "default": 60.0},
        },
        "apply_defaults": True,
    },
    "watch": {
        "type": "dict",
        "default": {},
        "options": {
            "seconds": {"type": "float", "default": 10.0},
            "interval": {"type": "float", "default": 0.5},
            "failed_checks": {"type": "int", "default": 2},
            "min_errors": {"type": "int", "default": 3},
            "max_error_percent": {"type": "float", "default": 5.0},
            "answer_seconds": {"type": "float", "default": 5.0},
        },
        "apply_defaults": True,
    },
    "canary": {
        "type": "dict",
        "default": {},
        "options": {
            "percent": {"type": "int", "default": 0},
            "seconds": {"type": "float", "default": 30.0},
        },
        "apply_defaults": True,
    },
    "drain_seconds": {"type": "float", "default": 30.0},
    "standby": {"type": "str", "choices": ["stopped", "warm"], "default": "stopped"},
    "warm_seconds": {"type": "float", "default": 900.0},
    "retain": {"type": "int", "default": 5},
    "state": {
        "type": "str",
        "choices": ["planned", "staged", "live", "proved", "committed", "settled", "reverted"],
        "default": "settled",
    },
    "run": {"type": "str", "default": ""},
    "reserve": {"type": "bool", "default": False},
    "holder": {"type": "str", "default": ""},
    "ci_run": {"type": "str", "default": ""},
    "lock_wait": {"type": "float", "default": 0.0},
    "lease_seconds": {"type": "float", "default": 120.0},
    "controller": {"type": "str", "default": ""},
    "command_version": {"type": "str", "default": ""},
    "break_lease": {"type": "str", "default": ""},
    "ignore_freeze": {"type": "str", "default": ""},
}

LIMITS: t.Final[dict[str, tuple[t.Any, t.Any, bool]]] = {
    "pull_seconds": (1, 86400, False),
    "memory": ("6m", "1048576g", False),
    "cpus": (0.01, 8192, True),
    "cpu_shares": (2, 262144, True),
    "pids_limit": (16, 4194304, False),
    "tmpfs_size": ("4k", "1048576g", False),
    "stop_timeout": (1, 86400, False),
    "log_max_size": ("1k", "1048576g", False),
    "log_max_files": (1, 1000, False),
    "health.status": (200, 599, False),
    "health.interval": (0.05, 3600, False),
    "health.timeout": (0.1, 3600, False),
    "health.successes": (1, 1000, False),
    "health.deadline": (1, 86400, False),
    "watch.seconds": (0, 86400, False),
    "watch.interval": (0.1, 3600, False),
    "watch.failed_checks": (1, 1000, False),
    "watch.min_errors": (1, 1000000000, False),
    "watch.max_error_percent": (0, 100, False),
    "watch.answer_seconds": (0.5, 3600, False),
    "canary.percent": (1, 99, True),
    "canary.seconds": (0, 86400, False),
    "drain_seconds": (0, 86400, False),
    "warm_seconds": (10, 2592000, False),
    "retain": (2, 1000, False),
    "lock_wait": (0, 86400, False),
    "lease_seconds": (1, 604800, False),
}
"""By option: the least, the most (sizes where they are text), and whether 0 is allowed besides."""
