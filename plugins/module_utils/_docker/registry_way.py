# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Docker reaches a registry: whose certificates it trusts, and through which proxy it goes.

What Docker can pull from must be what we can ask, so its own settings are read and no others.
"""

from __future__ import annotations

import functools
import os
import ssl
import typing as t
from urllib.parse import urlsplit

from .._core.errors import RegistryError
from .proxies import Proxies

CERTIFICATES: t.Final = "/etc/docker/certs.d"
SYSTEM_STORE: t.Final = "/etc/ssl/certs/ca-certificates.crt"
"""Where Debian and Ubuntu keep the authorities; a Python of another make may look elsewhere."""


class Way:
    """The way to one registry, named by host and port as in the image's name.

    `find_proxies` asks the engine for its proxies, once and only when there is a request.
    """

    def __init__(self, host: str, find_proxies: t.Callable[[], Proxies]) -> None:
        self._folder = f"{CERTIFICATES}/{host}"
        self._proxies = functools.cache(find_proxies)
        self._trust: ssl.SSLContext | None = None

    @property
    def advice(self) -> str:
        """Where the certificate of an authority of one's own belongs."""
        return (
            f"The certificate of an authority of your own belongs in {self._folder}/ca.crt, or in"
            " the system's store, where Docker looks for it too."
        )

    def proxy(self, url: str) -> str:
        """Return the URL of the proxy to a URL, empty for none. Raises RegistryError for a kind.

        Raises EngineError when the engine does not say its proxies.
        """
        proxy = self._proxies().proxy_for(url)
        if proxy and urlsplit(proxy).scheme != "http":
            raise RegistryError(
                f"Docker's proxy {urlsplit(proxy).scheme}://{urlsplit(proxy).hostname} is of a kind"
                " through which the registry cannot be asked: it must be an http:// one. Name"
                " another one in Docker's settings, or the registry in its NO_PROXY. Nothing was"
                " changed."
            )
        return proxy

    def trust(self) -> ssl.SSLContext:
        """Return whose certificates are good for the registry. Raises RegistryError.

        The storage hosts that it redirects to are held to the same, as Docker does.
        """
        if self._trust is None:
            self._trust = self._load()
        return self._trust

    def _load(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        # Docker takes any certificate that is given for an authority's, without more conditions.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        paths = ssl.get_default_verify_paths()
        if not (paths.cafile or paths.capath) and os.path.exists(SYSTEM_STORE):
            context.load_verify_locations(SYSTEM_STORE)
        for name in self._names():
            path = f"{self._folder}/{name}"
            try:
                if name.endswith(".crt"):
                    context.load_verify_locations(path)
                elif name.endswith(".cert"):
                    context.load_cert_chain(path, f"{path.removesuffix('.cert')}.key")
            except OSError as exc:
                raise RegistryError(
                    f"{path} cannot be used to reach the registry: {exc}. It must be a certificate"
                    " in PEM; beside one of a client, NAME.cert, belongs its key, NAME.key. Nothing"
                    " was changed."
                ) from exc
        return context

    def _names(self) -> list[str]:
        try:
            return sorted(os.listdir(self._folder))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as exc:
            raise RegistryError(f"{self._folder} cannot be read: {exc}.") from exc
