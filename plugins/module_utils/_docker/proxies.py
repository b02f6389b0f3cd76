# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxies through which the engine reaches registries, so that we go the same way.

The engine says them itself, without passwords; those stand where dockerd has them from. What
NO_PROXY means is Go's reading of it, since the engine is a Go program.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from .._core import files
from .._core.boundary import parse_json
from .._core.errors import EngineError

SETTINGS: t.Final = "/etc/docker/daemon.json"
PROCESS: t.Final = "/var/run/docker.pid"
_MASK: t.Final = "xxxxx:xxxxx"
"""What the engine shows in place of a user and a password."""


@dataclass(frozen=True)
class Proxies:
    """URLs of the proxies for http and https, empty for none, and what is reached without them."""

    http: str = ""
    https: str = ""
    direct: str = ""

    def proxy_for(self, url: str) -> str:
        """Return the URL of the proxy that leads to a URL; empty when it is reached directly."""
        parts = urlsplit(url)
        proxy = self.https if parts.scheme == "https" else self.http
        if not proxy or self._is_direct(parts):
            return ""
        return proxy if "://" in proxy else f"http://{proxy}"

    def _is_direct(self, parts: SplitResult) -> bool:
        host = (parts.hostname or "").rstrip(".")
        port = str(parts.port or (443 if parts.scheme == "https" else 80))
        address = _address(host)
        if host == "localhost" or (address and address.is_loopback):
            return True
        names = (name.strip().lower() for name in self.direct.split(","))
        return any(_means(name, host, port, address) for name in names if name)


Address: t.TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _means(name: str, host: str, port: str, address: Address | None) -> bool:
    """Tell whether an entry of NO_PROXY, such as .example.com:443 or 10.0.0.0/8, means the host."""
    if name == "*":
        return True
    if "/" in name:
        return address is not None and _holds(name, address)
    match = re.fullmatch(r"\[?([^\[\]]*?)\]?:(\d+)", name)
    # A bare IPv6 address has colons too, and no port.
    if match and _address(name) is None:
        if match[2] != port:
            return False
        name = match[1]
    name = name.strip("[]")
    if address is not None or _address(name) is not None:
        return address is not None and _address(name) == address
    # With a dot or a star in front it means the hosts below alone.
    below = name.removeprefix("*").removeprefix(".")
    return host.endswith(f".{below}") or (name == below and host == below)


def _holds(network: str, address: Address) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def daemon_proxies(info: t.Mapping[str, t.Any]) -> Proxies:
    """Return the engine's proxies from its answer to `info`, with the passwords that it masks.

    Raises EngineError, and FileError, when the file with a password cannot be read.
    """
    http, https = str(info.get("HttpProxy") or ""), str(info.get("HttpsProxy") or "")
    hidden = f"//{_MASK}@" in f"{http} {https}"
    known = {_masked(url): url for url in _configured()} if hidden else {}
    return Proxies(known.get(http, http), known.get(https, https), str(info.get("NoProxy") or ""))


def _masked(url: str) -> str:
    return re.sub(r"//[^/@]*@", f"//{_MASK}@", url)


def _configured() -> t.Iterator[str]:
    """Yield the proxies that dockerd was given, the last one in force last."""
    process = (files.read_text(PROCESS) or "").strip()
    if process.isdigit():
        for line in files.read_damaged_text(f"/proc/{process}/environ").split("\0"):
            name, _equals, value = line.partition("=")
            if name.lower() in ("http_proxy", "https_proxy"):
                yield value
        command = files.read_damaged_text(f"/proc/{process}/cmdline")
        yield from re.findall(r"--https?-proxy[=\0]([^\0]+)", command)
    try:
        settings = parse_json(files.read_text(SETTINGS) or "{}")
    except ValueError as exc:
        raise EngineError(
            f"{SETTINGS} is no JSON ({exc}), and the password of Docker's proxy may stand in it."
            " Put it right, or run setup-api.yml again. Nothing was changed."
        ) from exc
    named = settings.get("proxies") if isinstance(settings, dict) else None
    for name in ("http-proxy", "https-proxy"):
        if isinstance(named, dict) and isinstance(named.get(name), str):
            yield named[name]
