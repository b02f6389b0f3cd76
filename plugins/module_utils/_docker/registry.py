# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a registry says of an image, without pulling it.

Follows the OCI Distribution Specification 1.1 (pull, content discovery) and, for tokens, the
Docker Registry v2 authentication scheme. Credentials are used for the request and kept nowhere.
"""

from __future__ import annotations

import base64
import re
import typing as t
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from .._core import http
from .._core.boundary import boundary, parse_json
from .._core.errors import RegistryError
from .._model.engine_model import REVISION_LABEL
from .._model.spec import Source

_TIMEOUT: t.Final = 15.0
"""Seconds that one request may take, from the connection to the last byte of its answer."""

_ACCEPT: t.Final = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_REDIRECTS: t.Final = 3


@dataclass(frozen=True)
class RemoteImage:
    """An image in a registry: the tag it was found by, its digest, and its revision label."""

    tag: str
    digest: str
    revision: str


def split_image(image: str) -> tuple[str, str]:
    """Return (registry host with port, repository path), as Docker reads a repository name."""
    first, _slash, rest = image.partition("/")
    if rest and ("." in first or ":" in first or first == "localhost"):
        return first, rest
    return "registry-1.docker.io", image if "/" in image else f"library/{image}"


def match_tags(tags: t.Iterable[str], tag: str, sha: str) -> list[str]:
    """Return the tags that `tag` means when the SHA in it may be a prefix of the real one."""
    pattern = re.escape(tag).replace(re.escape(sha), f"{re.escape(sha)}[0-9a-f]*")
    return sorted(name for name in tags if re.fullmatch(pattern, name))


class Registry:
    """One repository of a registry, asked with the credentials of its source."""

    def __init__(self, source: Source) -> None:
        self._source = source
        host, self._repository = split_image(source.image)
        name, _colon, port = host.partition(":")
        self._host = name
        self._port = int(port) if port else (80 if source.plain_http else 443)
        self._authorization = ""

    def find(
        self, sha: str, architecture: t.Callable[[], str], known: t.Callable[[str], str]
    ) -> RemoteImage:
        """Return the image of a SHA or of a prefix of one. Raises RegistryError.

        `architecture` returns Docker's word for the host's (amd64, arm64), used to choose from an
        index. `known` returns the revision of an image with that digest that is here already, and
        nothing of any other: its label need not be fetched.
        """
        with boundary(f"The registry {self._host} gives an answer of no known form", RegistryError):
            return self._find(sha, architecture, known)

    def _find(
        self, sha: str, architecture: t.Callable[[], str], known: t.Callable[[str], str]
    ) -> RemoteImage:
        tag = self._source.tag
        answer = self._manifest(tag)
        if answer.status == 404 and sha:
            tag = self._resolve_prefix(tag, sha)
            answer = self._manifest(tag)
        if answer.status == 404:
            raise RegistryError(self._absent(tag))
        self._refuse_unless_ok(answer)
        digest = answer.headers.get("docker-content-digest", "")
        if not digest:
            raise RegistryError(f"The registry names no digest for {self._source.image}:{tag}.")
        return RemoteImage(tag, digest, known(digest) or self._revision(answer, architecture))

    def _absent(self, tag: str) -> str:
        return (
            f"The image {self._source.image}:{tag} is not in the registry. Has the build of that"
            " commit ended and pushed it? Nothing was changed."
        )

    def _resolve_prefix(self, tag: str, sha: str) -> str:
        found = match_tags(self._tags(), tag, sha)
        if len(found) > 1:
            raise RegistryError(
                f"The SHA {sha} is ambiguous: the registry has {', '.join(found[:5])}."
                " Give more digits; nothing was changed."
            )
        if not found:
            raise RegistryError(self._absent(tag))
        return found[0]

    def _tags(self) -> list[str]:
        tags: list[str] = []
        path = f"/v2/{self._repository}/tags/list?n=1000"
        for _page in range(100):
            answer = self._get(path)
            if answer.status == 404:
                return tags
            self._refuse_unless_ok(answer)
            tags += self._json(answer).get("tags") or []
            following = re.search(r"<([^>]+)>;\s*rel=\"?next", answer.headers.get("link", ""))
            if not following:
                return tags
            parts = urlsplit(following.group(1))
            path = f"{parts.path}?{parts.query}"
        return tags

    def _manifest(self, reference: str) -> http.Answer:
        return self._get(f"/v2/{self._repository}/manifests/{reference}", accept=_ACCEPT)

    def _revision(self, manifest: http.Answer, architecture: t.Callable[[], str]) -> str:
        """Read the revision label from the image's configuration; empty when it has none."""
        document = self._json(manifest)
        if "manifests" in document:
            wanted = architecture()
            chosen = [
                entry
                for entry in document["manifests"]
                if entry.get("platform", {}).get("architecture") == wanted
            ]
            if not chosen:
                raise RegistryError(
                    f"{self._source.image} has no image for this host's architecture {wanted}."
                )
            answer = self._manifest(chosen[0]["digest"])
            self._refuse_unless_ok(answer)
            document = self._json(answer)
        blob = self._get(f"/v2/{self._repository}/blobs/{document['config']['digest']}")
        self._refuse_unless_ok(blob)
        labels = self._json(blob).get("config", {}).get("Labels") or {}
        return str(labels.get(REVISION_LABEL, ""))

    def _json(self, answer: http.Answer) -> dict[str, t.Any]:
        try:
            document = parse_json(answer.body)
        except ValueError as exc:
            size = f", longer than {answer.cut_at} bytes" if answer.cut_at else ""
            raise RegistryError(
                f"{self._host} does not answer like a registry (no JSON{size}, HTTP"
                f" {answer.status})."
                " Check the image name; for a registry without TLS set registry_plain_http."
            ) from exc
        return document if isinstance(document, dict) else {}

    def _refuse_unless_ok(self, answer: http.Answer) -> None:
        if answer.status in (401, 403):
            who = f"user {self._source.username!r}" if self._source.username else "no user"
            raise RegistryError(
                f"The registry {self._host}:{self._port} refused {who} (HTTP {answer.status})."
                " Check registry_username and registry_password, and the right to read"
                f" {self._repository}; nothing was changed."
            )
        if answer.status != 200:
            raise RegistryError(
                f"The registry {self._host}:{self._port} answered HTTP {answer.status} for"
                f" {self._repository}; nothing was changed. Try again when it works."
            )

    def _get(self, path: str, accept: str = "application/json") -> http.Answer:
        answer = self._request(self._host, self._port, path, accept, self._authorization)
        if answer.status == 401 and not self._authorization:
            self._authorization = self._authorize(answer.headers.get("www-authenticate", ""))
            answer = self._request(self._host, self._port, path, accept, self._authorization)
        for _hop in range(_REDIRECTS):
            if answer.status not in (301, 302, 303, 307, 308):
                break
            answer = self._follow(answer, accept)
        return answer

    def _follow(self, answer: http.Answer, accept: str) -> http.Answer:
        # Blobs are often served by a storage host, which must not be shown the credentials.
        parts = urlsplit(answer.headers.get("location", ""))
        tls = parts.scheme == "https"
        host = parts.hostname or self._host
        port = parts.port or (443 if tls else 80)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return self._request(host, port, target, accept, "", tls=tls)

    def _authorize(self, challenge: str) -> str:
        """Return the Authorization header that a challenge asks for; empty when we have none."""
        basic = base64.b64encode(f"{self._source.username}:{self._source.password}".encode())
        if not challenge.lower().startswith("bearer"):
            return f"Basic {basic.decode()}" if self._source.username else ""
        fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        realm = urlsplit(fields.pop("realm", ""))
        fields.setdefault("scope", f"repository:{self._repository}:pull")
        answer = self._request(
            realm.hostname or self._host,
            realm.port or (443 if realm.scheme == "https" else 80),
            f"{realm.path}?{urlencode(fields)}",
            "application/json",
            f"Basic {basic.decode()}" if self._source.username else "",
            tls=realm.scheme == "https",
        )
        self._refuse_unless_ok(answer)
        document = self._json(answer)
        return f"Bearer {document.get('token') or document.get('access_token') or ''}"

    def _request(
        self,
        host: str,
        port: int,
        path: str,
        accept: str,
        authorization: str,
        tls: bool | None = None,
    ) -> http.Answer:
        headers = {"Accept": accept, "User-Agent": "greenlight"}
        if authorization:
            headers["Authorization"] = authorization
        secure = not self._source.plain_http if tls is None else tls
        try:
            return http.get(host, port, path, headers=headers, timeout=_TIMEOUT, tls=secure)
        except http.NoAnswer as exc:
            raise RegistryError(
                f"The registry {host}:{port} cannot be reached from this host: {exc}. Nothing was"
                " changed. Check the name, the network and its certificate."
            ) from exc
