# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words that must not stand in any file.

Names of one machine or of one package mirror work for one person only. In Ansible content, what
hides an error is not allowed either. Each pattern is written so that it does not match itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from scripts.project import files

ANYWHERE = {
    "path of one machine": re.compile(r"(?<![\w.}])/(?:[w]ork|tmp/(?:[b]rief|[p]|[t]ree))/"),
    "host of a package registry or mirror": re.compile(
        r"(?:[p]ypi\.(?:org|python\.org)|[p]ythonhosted\.org|[n]pmjs\.(?:org|com)|[c]rates\.io"
        r"|[r]ubygems\.org|proxy\.[g]olang\.org|download\.[d]ocker\.com"
        r"|(?:deb|security|ftp|snapshot)(?:\.[a-z]+)?\.[d]ebian\.org"
        r"|(?:archive|security|ports)\.[u]buntu\.com|\b[m]irrors?\.[a-z0-9-]+\.[a-z]"
        r"|[a]rtifactory|\b[n]exus[.-]|\.[j]frog\.)"
    ),
}
IN_YAML = {
    "hides an error": re.compile(r"^\s*(?:-\s+)?(?:[i]gnore_errors:|[f]ailed_when:\s*false\b)"),
    "switches a check off": re.compile(
        r"#\s*(?:[n]oqa|[y]amllint\s+disable)|^\s*(?:[s]kip_list|[w]arn_list):"
    ),
}


def problems(root: Path) -> list[str]:
    """Lines of the project's files that hold a forbidden word."""
    found = []
    for path in files(root):
        name = path.relative_to(root)
        # The licence is quoted, not written.
        if name.as_posix() != "LICENSE":
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [f"{name}: {problem}" for problem in check(name.suffix, text)]
    return found


def check(suffix: str, text: str) -> Iterator[str]:
    """Forbidden words in `text`, the content of a file whose name ends in `suffix`."""
    patterns = ANYWHERE | IN_YAML if suffix in {".yml", ".yaml"} else ANYWHERE
    for number, line in enumerate(text.splitlines(), 1):
        for reason, pattern in patterns.items():
            if pattern.search(line):
                yield f"line {number}: {reason}: {line.strip()[:80]}"
