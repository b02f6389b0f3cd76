# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A repository as a registry keeps it: documents by their digests, and tags that lead to them.

And a question to a registry of this machine.
"""

from __future__ import annotations

import hashlib
import json
import typing as t

from ansible_collections.greenlight.droplet.plugins.module_utils._docker.registry import (
    Registry,
    RemoteImage,
)
from tests.unit import asked
from tests.unit.release.orders import sha_of
from tests.unit.servers import Reply

SHA = sha_of("a")
OTHER = sha_of("b")
NAME = "team/api"


class Repository:
    """The documents of repository team/api."""

    def __init__(self) -> None:
        self.documents: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.names_digest = True

    def add(self, document: dict[str, t.Any]) -> str:
        """Keep a document and return its digest."""
        text = json.dumps(document)
        digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
        self.documents[digest] = text
        return digest

    def image(self, sha: str, platform: dict[str, str] | None = None, history: int = 0) -> str:
        """Keep an image and its configuration, with `history` bytes; return its digest."""
        labels = {"org.opencontainers.image.revision": sha}
        configuration: dict[str, t.Any] = {"config": {"Labels": labels}, "history": "h" * history}
        given = {"os": "linux", "architecture": "amd64"} if platform is None else platform
        return self.add({"config": {"digest": self.add(configuration | given)}})

    def index(self, *entries: dict[str, t.Any]) -> str:
        """Keep an index and return its digest."""
        return self.add({"schemaVersion": 2, "manifests": list(entries)})

    def reply(self, path: str, _headers: dict[str, str]) -> Reply:
        """Answer as a registry that wants no password."""
        name = path.rsplit("/", 1)[1]
        if path.startswith(f"/v2/{NAME}/tags/list"):
            return 200, {}, json.dumps({"tags": list(self.tags)})
        digest = self.tags.get(name, name)
        if not path.startswith(f"/v2/{NAME}/") or digest not in self.documents:
            return 404, {}, "{}"
        headers = {"Docker-Content-Digest": digest} if self.names_digest else {}
        return 200, headers, self.documents[digest]


def find(port: int, tag: str = SHA, sha: str = SHA, **user: str) -> RemoteImage:
    """Ask the registry at a port of this machine."""
    source = asked.source(f"127.0.0.1:{port}/{NAME}", tag=tag, plain_http=True, **user)
    return Registry(source).find(sha, lambda: "amd64", lambda _digest: "")


def filled() -> Repository:
    """A repository with one image, whose tag is its SHA."""
    repository = Repository()
    repository.tags[SHA] = repository.image(SHA)
    return repository
