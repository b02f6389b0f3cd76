# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read documents that list networks, and swap the firewall's sets to what they say.

A document that cannot be had, or that says nonsense, changes nothing: the last good copy goes on
being used, and the reason is printed.
"""

from __future__ import annotations

import ipaddress
import json
import os
import typing as t
import urllib.parse

from .._core import files, http
from .._core.console import complain, say
from .._core.errors import DocumentError, GreenlightError, NotSetUpError
from . import commands
from .nftables import TABLE

CONFIGURATION: t.Final = "/etc/greenlight/networks.json"
FOLDER: t.Final = "/var/lib/greenlight/firewall"
TIMEOUT: t.Final = 30.0
"""Seconds that the document's server may be silent."""
LARGEST_DOCUMENT: t.Final = 16 * 1024 * 1024
"""Bytes; GitHub's document has about a million."""
WIDEST: t.Final = {4: 8, 6: 19}
"""Prefix lengths: a wider network than the widest that is ever given to anybody is a mistake."""


def read_document(url: str) -> t.Any:
    """Fetch the document and parse its JSON. Raises DocumentError."""
    parts = urllib.parse.urlsplit(url)
    local = (parts.scheme, parts.hostname) == ("http", "127.0.0.1")
    if not parts.hostname or not (parts.scheme == "https" or local):
        raise DocumentError(f"{url} is not read over https, so nobody vouches for it")
    try:
        answer = http.get(
            parts.hostname,
            parts.port or (80 if local else 443),
            parts.path or "/",
            headers={"User-Agent": "greenlight"},
            timeout=TIMEOUT,
            tls=not local,
            limit=LARGEST_DOCUMENT + 1,
        )
        if answer.status != 200:
            raise DocumentError(f"{url} answers {answer.status}")
        if len(answer.body) > LARGEST_DOCUMENT:
            raise DocumentError(f"{url} has more than {LARGEST_DOCUMENT} bytes")
        return json.loads(answer.body)
    except http.NoAnswer as exc:
        raise DocumentError(f"{url} cannot be read: {exc}") from exc
    except (ValueError, RecursionError) as exc:
        raise DocumentError(f"{url} is not JSON: {exc}") from exc


def networks_of(document: t.Any, key: str) -> dict[int, list[str]]:
    """Return the collapsed networks of a key by IP version. Raises DocumentError."""
    listed = document.get(key) if isinstance(document, dict) else None
    if not isinstance(listed, list) or not listed:
        raise DocumentError(f"the document has no list of networks under {key!r}")
    found: dict[int, list[t.Any]] = {4: [], 6: []}
    for text in listed:
        try:
            network = ipaddress.ip_network(text)
        except ValueError as exc:
            raise DocumentError(f"{text!r} under {key!r} is no network: {exc}") from exc
        if network.prefixlen < WIDEST[network.version]:
            raise DocumentError(f"{text!r} under {key!r} is too wide to be true")
        found[network.version].append(network)
    return {
        version: [str(network) for network in ipaddress.collapse_addresses(networks)]
        for version, networks in found.items()
    }


def render(name: str, networks: dict[int, list[str]]) -> str:
    """Return nft commands that replace the content of both sets in one transaction. Pure."""
    lines = []
    for version, listed in networks.items():
        lines.append(f"flush set {TABLE} {name}_v{version}")
        if listed:
            lines.append(f"add element {TABLE} {name}_v{version} {{ {', '.join(listed)} }}")
    return "\n".join(lines) + "\n"


def refresh(name: str, url: str, key: str) -> str:
    """Read one document and swap its sets; return what was done. Raises GreenlightError."""
    networks = networks_of(read_document(url), key)
    path = f"{FOLDER}/{name}.nft"
    text, before = render(name, networks), files.read_text(path)
    count = f"{sum(len(listed) for listed in networks.values())} networks"
    # Before set-up has made the sets there is nothing to swap; it loads the copy with the table.
    if commands.has_set(f"{name}_v4"):
        commands.load_text(text)
    if text == before:
        return f"{name}: {count}, as before"
    files.make_folder(FOLDER, 0o755)
    files.write_atomic(path, text)
    return f"{name}: {count}"


def refresh_all(wanted: t.Sequence[str]) -> int:
    """Refresh the named documents, or all, and say how it went; return the exit code."""
    text = files.read_text(CONFIGURATION)
    configured = json.loads(text) if text else {}
    if missing := [name for name in wanted if name not in configured]:
        raise NotSetUpError(f"{CONFIGURATION} has no document {missing[0]}; run setup-api.yml.")
    done = [_try_refresh(name, configured[name]) for name in wanted or list(configured)]
    return 0 if all(done) else 1


def _try_refresh(name: str, source: dict[str, str]) -> bool:
    try:
        say(refresh(name, source["url"], source["key"]))
    except GreenlightError as exc:
        kept = os.path.exists(f"{FOLDER}/{name}.nft")
        state = "the last good copy goes on being used" if kept else "there is no older copy"
        complain(f"{name}: {exc}; {state}")
        return False
    return True
