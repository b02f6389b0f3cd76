# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read documents that list networks, and swap the firewall's sets to what they say.

Runs on the host, by greenlight-networks.timer and at set-up; needs nothing but Python. A document
that cannot be had, or that says nonsense, changes nothing: the last good copy goes on being used,
the reason is printed, and the exit code is 1.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import os
import subprocess
import sys
import tempfile
import urllib.parse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

CONFIGURATION = Path("/etc/greenlight/networks.json")
FOLDER = Path("/var/lib/greenlight/firewall")
TABLE = "inet greenlight"
TIMEOUT = 30.0
"""Seconds that the document's server may be silent."""
LARGEST_DOCUMENT = 16 * 1024 * 1024
"""Bytes; GitHub's document has about a million."""
WIDEST = {4: 8, 6: 19}
"""Prefix lengths: a wider network than the widest that is ever given to anybody is a mistake."""


class DocumentError(Exception):
    """The document could not be read, or does not list networks."""


def read_document(url: str) -> Any:
    """Fetch the document and parse its JSON. Raises DocumentError."""
    parts = urllib.parse.urlsplit(url)
    local = (parts.scheme, parts.hostname) == ("http", "127.0.0.1")
    if not parts.netloc or not (parts.scheme == "https" or local):
        raise DocumentError(f"{url} is not read over https, so nobody vouches for it")
    kind = http.client.HTTPConnection if local else http.client.HTTPSConnection
    connection = kind(parts.netloc, timeout=TIMEOUT)
    try:
        connection.request("GET", parts.path or "/", headers={"User-Agent": "greenlight"})
        answer = connection.getresponse()
        content = answer.read(LARGEST_DOCUMENT + 1)
    except (OSError, http.client.HTTPException) as exc:
        raise DocumentError(f"{url} cannot be read: {exc}") from exc
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise DocumentError(f"{url} answers {answer.status} {answer.reason}")
    if len(content) > LARGEST_DOCUMENT:
        raise DocumentError(f"{url} has more than {LARGEST_DOCUMENT} bytes")
    try:
        return json.loads(content)
    except ValueError as exc:
        raise DocumentError(f"{url} is not JSON: {exc}") from exc


def networks_of(document: Any, key: str) -> dict[int, list[str]]:
    """Return the collapsed networks of a key by IP version. Raises DocumentError."""
    listed = document.get(key) if isinstance(document, dict) else None
    if not isinstance(listed, list) or not listed:
        raise DocumentError(f"the document has no list of networks under {key!r}")
    found: dict[int, list[Any]] = {4: [], 6: []}
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


def commands(name: str, networks: dict[int, list[str]]) -> str:
    """Return nft commands that replace the content of both sets in one transaction."""
    lines = []
    for version, listed in networks.items():
        lines.append(f"flush set {TABLE} {name}_v{version}")
        if listed:
            lines.append(f"add element {TABLE} {name}_v{version} {{ {', '.join(listed)} }}")
    return "\n".join(lines) + "\n"


def write(path: Path, text: str) -> None:
    """Replace the file so that a reader, also after a power cut, sees the old or the new text."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    Path(temporary).replace(path)


def nft(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run nft."""
    return subprocess.run(
        ["nft", *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def refresh(name: str, url: str, key: str) -> str:
    """Read one document and swap its sets; return what was done. Raises DocumentError."""
    networks = networks_of(read_document(url), key)
    path = FOLDER / f"{name}.nft"
    text, before = commands(name, networks), path.read_text("utf-8") if path.exists() else ""
    count = f"{sum(len(listed) for listed in networks.values())} networks"
    # Before set-up has made the sets there is nothing to swap; it loads the copy with the table.
    if nft("list", "set", *TABLE.split(), f"{name}_v4").returncode == 0:
        with tempfile.NamedTemporaryFile("w", suffix=".nft", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            done = nft("-f", stream.name)
        if done.returncode != 0:
            raise DocumentError(f"nft refuses the networks of {name}: {done.stderr.strip()[:300]}")
    if text == before:
        return f"{name}: {count}, as before"
    write(path, text)
    return f"{name}: {count}"


def try_refresh(name: str, url: str, key: str) -> bool:
    """Refresh one document and say how it went; return whether it went well."""
    try:
        print(refresh(name, url, key))
    except DocumentError as exc:
        kept = (FOLDER / f"{name}.nft").exists()
        state = "the last good copy goes on being used" if kept else "there is no older copy"
        print(f"{name}: {exc}; {state}", file=sys.stderr)
        return False
    return True


def main(wanted: Iterable[str]) -> int:
    """Refresh the named documents, or all; return the exit code."""
    configured = json.loads(CONFIGURATION.read_text("utf-8"))
    names = list(wanted) or list(configured)
    done = [try_refresh(name, configured[name]["url"], configured[name]["key"]) for name in names]
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
