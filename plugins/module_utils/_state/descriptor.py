# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What set-up has written down about an application on this host."""

from __future__ import annotations

from .._core import files
from .._core.errors import NotSetUpError, SpecError
from .._model.spec import Application, check_application_name, parse_application
from .installation import DESCRIPTOR_FOLDER


def known_applications() -> list[str]:
    """Return the names of the applications that set-up described on this host, sorted."""
    stems = files.list_stems(DESCRIPTOR_FOLDER, ".json")
    # Other files of ours lie in that folder too.
    return [stem for stem in stems if stem != "networks"]


def read_application(app: str) -> Application:
    """Return the application that set-up described on this host.

    Raises NotSetUpError when the host knows no application at all, SpecError when it knows others.
    """
    check_application_name(app)
    path = f"{DESCRIPTOR_FOLDER}/{app}.json"
    text = files.read_text(path)
    if text is not None:
        return parse_application(text, path)
    known = known_applications()
    if known:
        raise SpecError(
            f"This host has no application {app!r}; it has {', '.join(known)}. Check app_name, or"
            " run setup-api.yml for the new application. Nothing was changed."
        )
    raise NotSetUpError(
        f"This host is not set up for releases: {path} is missing. Run setup-api.yml on it first."
        " Nothing was changed."
    )
