# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container of an application is made of, and what Docker is told about it. Pure.

The engine's own seccomp filter and AppArmor profile hold unless Docker is told otherwise, which it
never is here but for a stricter profile.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import re
import typing as t
from dataclasses import dataclass, field

from .._core.errors import CheckError


@dataclass(frozen=True)
class ContainerOptions:
    """Everything about the container but its image and its slot. Memory as Docker writes it.

    `cpu_shares` is a weight that counts only while processors are scarce; `cpus` is a limit.
    """

    env: t.Mapping[str, str]
    secrets: t.Mapping[str, str] = field(repr=False)
    secret_files: bool
    command: tuple[str, ...]
    user: str
    allow_root: bool
    memory: str
    cpus: float
    cpu_shares: int
    pids_limit: int
    ulimits: t.Mapping[str, int]
    read_only: bool
    tmpfs: tuple[str, ...]
    tmpfs_size: str
    cap_add: tuple[str, ...]
    apparmor_profile: str
    volumes: tuple[str, ...]
    init: bool
    stop_timeout: int
    log_max_size: str
    log_max_files: int

    def config_hash(self, container_port: int, key: bytes) -> ConfigHash:
        """Return what changes whenever the container would be made differently.

        `key` is a secret of the host.
        """
        options = dataclasses.asdict(self)
        if not self.secret_files:
            # An option that came later and is off must not release every host anew.
            del options["secret_files"]
        canonical = json.dumps([options, container_port], sort_keys=True).encode()
        keyed = hmac.new(key, canonical, hashlib.sha256).hexdigest()[:_KEYED_DIGITS]
        return ConfigHash(keyed, hashlib.sha256(canonical).hexdigest()[:_UNKEYED_DIGITS])


_KEYED_DIGITS: t.Final = 32
_UNKEYED_DIGITS: t.Final = 12


@dataclass(frozen=True)
class ConfigHash:
    """The hash of a configuration, keyed for what is made from now on.

    Without a key it stands in the labels of containers from before there was one. It tells short
    secrets to whoever tries all of them, so it is compared, and never shown or written again.
    """

    keyed: str
    unkeyed: str = field(repr=False)

    def fits(self, label: str) -> bool:
        """Tell whether a container with that label has this configuration."""
        return label in (self.keyed, self.unkeyed)


def shown_hash(label: str) -> str:
    """Return the hash of a container's label for texts and files; empty for one without a key."""
    return "" if re.fullmatch(rf"[0-9a-f]{{{_UNKEYED_DIGITS}}}", label) else label


def is_root(user: str) -> bool:
    """Tell whether Docker runs a container with that user, and perhaps a group, as root."""
    name = user.partition(":")[0].strip()
    return name in ("", "root") or (name.isdigit() and int(name) == 0)


def check_user(image: str, image_user: str, options: ContainerOptions) -> None:
    """Raise CheckError when the container would run as root and nobody has allowed that."""
    if options.allow_root or not is_root(options.user or image_user):
        return
    named = f"its user is {image_user!r}" if image_user else "it names no user"
    raise CheckError(
        f"the image {image} runs as root: {named}. Give it a"
        " USER in its Dockerfile, best by number, or set app_user, such as '10001:10001'. If it"
        " has to be root, set app_allow_root: true",
        "user of the image",
        image_user or "no user",
    )


def host_options(network: str, options: ContainerOptions) -> dict[str, t.Any]:
    """Return the arguments for the SDK's `create_host_config`, with no port published.

    The restart policy is 'no' until the cutover, so that a crash during the gate is seen.
    """
    profile = options.apparmor_profile
    return {
        "network_mode": network,
        "restart_policy": {"Name": "no"},
        "mem_limit": options.memory,
        # The same as the memory: no swap is added to it.
        "memswap_limit": options.memory,
        "nano_cpus": int(options.cpus * 1_000_000_000) or None,
        "cpu_shares": options.cpu_shares or None,
        "pids_limit": options.pids_limit,
        "ulimits": [
            {"Name": name, "Soft": value, "Hard": value}
            for name, value in sorted(options.ulimits.items())
        ],
        "read_only": options.read_only,
        "tmpfs": dict.fromkeys(options.tmpfs, f"rw,noexec,nosuid,nodev,size={options.tmpfs_size}"),
        "cap_drop": ["ALL"],
        "cap_add": list(options.cap_add) or None,
        "security_opt": ["no-new-privileges:true", *([f"apparmor={profile}"] if profile else [])],
        "binds": list(options.volumes) or None,
        "init": options.init,
        "log_config": {
            "type": "json-file",
            "config": {"max-size": options.log_max_size, "max-file": str(options.log_max_files)},
        },
    }
