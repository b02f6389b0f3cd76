# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a registry says of an image, without pulling it.

Follows the OCI Distribution Specification 1.1 (pull, content discovery) and, for tokens, the
Docker Registry v2 authentication scheme. Credentials are used for the request and kept nowhere.
"""

from __future__ import annotations

import hashlib
import re
import typing as t
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from .._core import http
from .._core.boundary import boundary
from .._core.clock import Clock
from .._core.errors import RegistryError
from .._model.engine_model import REVISION_LABEL
from .._model.image_name import split_image
from .._model.spec import Source
from .platforms import candidates, describe, rank
from .proxies import Proxies
from .registry_session import Request, Session
from .registry_way import Way

_ACCEPT: t.Final = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_MANIFEST_BYTES: t.Final = 8 * 1024 * 1024
"""More than any registry takes: the specification asks them for 4 MiB at least."""

_CONFIGURATION_BYTES: t.Final = 32 * 1024 * 1024
"""A configuration holds the image's whole history, so that it may well have some MiB."""

_DIGEST: t.Final = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9A-Fa-f]{32,}")
_PAGES: t.Final = 1000
_MANIFESTS: t.Final = 20
"""At most this many manifests of an index are looked at."""


@dataclass(frozen=True)
class RemoteImage:
    """An image in a registry: the tag it was found by, its digest, and its revision label."""

    tag: str
    digest: str
    revision: str


def match_tags(tags: t.Iterable[str], tag: str, sha: str) -> list[str]:
    """Return the tags that `tag` means when the SHA in it may be a prefix of the real one."""
    pattern = re.escape(tag).replace(re.escape(sha), f"{re.escape(sha)}[0-9a-f]*")
    return sorted({name for name in tags if re.fullmatch(pattern, name)})


class Registry:
    """One repository of a registry, asked with the credentials of its source.

    `find_proxies` returns the engine's proxies.
    """

    def __init__(
        self,
        source: Source,
        find_proxies: t.Callable[[], Proxies] = Proxies,
        clock: Clock | None = None,
    ) -> None:
        self._source = source
        self._host, repository = split_image(source.image)
        way = Way(self._host, find_proxies)
        self._session = Session(source, self._host, repository, way, clock or Clock())
        self._base = f"{self._session.base}/v2/{repository}"
        self._manifests_left = _MANIFESTS

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
        self._session.refuse_unless_ok(answer)
        digest = self._digest(answer)
        return RemoteImage(tag, digest, known(digest) or self._revision(answer, architecture))

    def _digest(self, manifest: http.Answer) -> str:
        """Return the digest that the registry names, or that of what it sent when it names none."""
        named = manifest.headers.get("docker-content-digest", "").strip()
        if _DIGEST.fullmatch(named):
            return named
        # It is that of the very bytes; of an answer that is no manifest there is none.
        self._session.json(manifest)
        return f"sha256:{hashlib.sha256(manifest.raw).hexdigest()}"

    def _absent(self, tag: str) -> str:
        return (
            f"The image {self._source.image}:{tag} is not in the registry. Has the build of that"
            " commit ended and pushed it? Nothing was changed."
        )

    # -- tags ------------------------------------------------------------------------------------

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

    def _tags(self) -> t.Iterator[str]:
        url = f"{self._base}/tags/list"
        answer = self._session.get(Request(f"{url}?n=1000", limit=_MANIFEST_BYTES))
        if answer.status == 400:
            # A registry may refuse pages that are larger than it likes.
            answer = self._session.get(Request(url, limit=_MANIFEST_BYTES))
        seen = {url}
        for _page in range(_PAGES):
            if answer.status == 404:
                return
            self._session.refuse_unless_ok(answer)
            yield from self._session.json(answer).get("tags") or []
            following = _next_page(answer.headers.get("link", ""))
            if not following:
                return
            url = self._page(url, following)
            if url in seen:
                break
            seen.add(url)
            answer = self._session.get(Request(url, limit=_MANIFEST_BYTES))
        raise RegistryError(
            f"The registry {self._host} has no end to its list of tags of {self._source.image}"
            f" (after {len(seen)} pages). Give the full SHA: then the list is not needed."
        )

    def _page(self, url: str, following: str) -> str:
        """Return the next page's URL; a registry behind a proxy may name a host that is not it."""
        parts = urlsplit(urljoin(url, following))
        base = urlsplit(self._session.base)
        return parts._replace(scheme=base.scheme, netloc=base.netloc).geturl()

    # -- the revision ----------------------------------------------------------------------------

    def _manifest(self, reference: str) -> http.Answer:
        url = f"{self._base}/manifests/{reference}"
        return self._session.get(Request(url, accept=_ACCEPT, limit=_MANIFEST_BYTES))

    def _revision(self, manifest: http.Answer, architecture: t.Callable[[], str]) -> str:
        """Read the revision label from the image's configuration; empty when it has none."""
        document = self._session.json(manifest)
        if "manifests" not in document:
            configuration = self._configuration(document)
        else:
            wanted = architecture()
            found = self._chosen(document, wanted)
            if found is None:
                there = sorted({describe(each.get("platform")) for each in document["manifests"]})
                raise RegistryError(
                    f"{self._source.image} has no image for this host's architecture {wanted}, but"
                    f" for: {', '.join(there) or 'none at all'}. Build it for {wanted} too; nothing"
                    " was changed."
                )
            configuration = found
        labels = (configuration.get("config") or {}).get("Labels") or {}
        return str(labels.get(REVISION_LABEL, ""))

    def _chosen(self, index: dict[str, t.Any], wanted: str) -> dict[str, t.Any] | None:
        """Return the configuration of the image in an index that the host's engine takes."""
        for entry in candidates(index["manifests"], wanted):
            if self._manifests_left == 0:
                return None
            self._manifests_left -= 1
            answer = self._manifest(entry["digest"])
            if answer.status == 404:
                # Some registries keep an index whose other platforms they have not copied.
                continue
            self._session.refuse_unless_ok(answer)
            document = self._session.json(answer)
            if "manifests" in document:
                found = self._chosen(document, wanted)
                if found is not None:
                    return found
                continue
            configuration = self._configuration(document)
            named = (entry.get("platform") or {}).get("architecture")
            if named or rank(configuration, wanted) is not None:
                return configuration
        return None

    def _configuration(self, manifest: dict[str, t.Any]) -> dict[str, t.Any]:
        digest = manifest["config"]["digest"]
        url = f"{self._base}/blobs/{digest}"
        blob = self._session.get(Request(url, limit=_CONFIGURATION_BYTES))
        self._session.refuse_unless_ok(blob)
        return self._session.json(blob)


def _next_page(header: str) -> str:
    """Return the target of the link to the next page (RFC 8288); empty when there is none."""
    for match in re.finditer(r"<([^>]*)>((?:\s*;[^,;<]*)*)", header):
        if re.search(r";\s*rel\s*=\s*\"?(?:[^\";]*\s)?next(?=[\s\";]|$)", match[2], re.IGNORECASE):
            return match[1]
    return ""
