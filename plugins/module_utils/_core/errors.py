# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error that Greenlight expects and explains. Modules catch the root and nothing else."""

from __future__ import annotations

from .text import printable_lines


class GreenlightError(Exception):
    """Root of all expected errors.

    The text is a sentence for a person: what was wrong, which value, what to do. Whatever Docker,
    HAProxy, a registry or a user has said in it comes out without control characters. `final` says
    that the run which failed is final on this host all the same.
    """

    final = False

    def __str__(self) -> str:
        return printable_lines(super().__str__())


class SpecError(GreenlightError):
    """An option or a descriptor has a value that cannot be used."""


class FinalError(SpecError):
    """A run cannot be taken back any more: it is final."""


class NotSetUpError(GreenlightError):
    """The host lacks what set-up installs: Docker, the proxy, or the application's descriptor."""


class LockedError(GreenlightError):
    """Another release holds the lock or the lease of this application on this host.

    Carries who holds the lease, as far as that is known: its run, the process that leads it, and
    the seconds until the lease ends.
    """

    def __init__(
        self, message: str, run: str = "", controller: str = "", seconds_left: float = 0.0
    ) -> None:
        super().__init__(message)
        self.lease = {"run": run, "controller": controller, "seconds_left": round(seconds_left, 1)}


class TakenBackError(GreenlightError):
    """The host itself has taken the run back that a later phase wants to go on with."""


class FrozenError(GreenlightError):
    """Somebody holds releases of this application back, with a message."""


class TimerError(GreenlightError):
    """systemd refused to plan or to forget the end of a warm standby."""


class RegistryError(GreenlightError):
    """The registry refused, did not answer, or lacks the image."""


class DocumentError(GreenlightError):
    """A document could not be read, or does not list networks."""


class FirewallError(GreenlightError):
    """The packet filter refused a rule, or one of its programs failed."""


class EngineError(GreenlightError):
    """The Docker engine refused a call."""


class ProxyError(GreenlightError):
    """HAProxy refused a command or could not be reached on its runtime socket."""


class FileError(GreenlightError):
    """A state file could not be read or written."""


class CheckError(GreenlightError):
    """A check of a transaction step said no.

    Carries what a tired person wants to know: which check it was and what the last answer was.
    """

    def __init__(self, message: str, check: str, last_answer: str = "") -> None:
        super().__init__(message)
        self.check = check
        self.last_answer = last_answer
