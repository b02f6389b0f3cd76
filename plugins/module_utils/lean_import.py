# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loading a library without what it loads for nothing.

A process of ours starts on every host for every release, and libraries take most of its start.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
import typing as t
import warnings


def load_requests() -> None:
    """Load requests, on which Docker's SDK is built, with one guesser of encodings in place of two.

    It takes chardet or charset_normalizer and loads both where both are there, as on Debian; the
    tables of chardet are a sixth of what the SDK takes to load. Docker says everything in UTF-8, so
    neither is ever asked. A requests that needs chardet (before 2.26) gets it.
    """
    # Version 2.28, Debian 12's, warns of Debian's own charset_normalizer when it is the only one.
    warnings.filterwarnings("ignore", message=r"urllib3 .* doesn't match a supported version")
    with contextlib.suppress(ImportError), _without("chardet", "charset_normalizer"):
        importlib.import_module("requests")


@contextlib.contextmanager
def _without(name: str, other: str) -> t.Iterator[None]:
    """Let an import of `name` fail as if it were not there, where `other` can take its place."""
    if name in sys.modules or importlib.util.find_spec(other) is None:
        yield
        return
    # What stands for None in there cannot be imported (The Python Language Reference, 5.3.1).
    sys.modules[name] = t.cast("t.Any", None)
    try:
        yield
    finally:
        del sys.modules[name]
