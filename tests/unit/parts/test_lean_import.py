# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is loaded of a library, in a fresh interpreter with libraries of each kind in its way."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils import lean_import

BOTH = ("chardet", "charset_normalizer")
EITHER = """\
for name in ("chardet", "charset_normalizer"):
    try:
        __import__(name)
    except ImportError:
        pass
"""
"""What requests has done since 2.26."""
OLD = "import requests.codes\nimport chardet\n"
"""What it did before."""


def loaded(folder: Path, requests: str | None, there: tuple[str, ...]) -> list[str]:
    """Return which of the modules are loaded in the end, and that chardet can be loaded later."""
    for name in there:
        (folder / f"{name}.py").write_text("")
    if requests is not None:
        (folder / "requests").mkdir()
        (folder / "requests" / "__init__.py").write_text(requests)
        (folder / "requests" / "codes.py").write_text("")
    program = (
        "import json, sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "source = open(sys.argv[2], encoding='utf-8').read()\n"
        "scope = {'__name__': 'lean_import'}\n"
        "exec(compile(source, sys.argv[2], 'exec'), scope)\n"
        "scope['load_requests']()\n"
        "try:\n"
        "    import requests\n"
        "except ImportError:\n"
        "    pass\n"
        "names = ('chardet', 'charset_normalizer', 'requests')\n"
        "print(json.dumps([name for name in names if name in sys.modules]))\n"
        "if 'chardet' in sys.argv[3:]:\n"
        "    import chardet\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, folder, lean_import.__file__, *there],
        capture_output=True,
        check=True,
        timeout=10.0,
    )
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("requests", "there", "expected"),
    [
        (EITHER, BOTH, ["charset_normalizer", "requests"]),
        (EITHER, ("chardet",), ["chardet", "requests"]),
        (EITHER, ("charset_normalizer",), ["charset_normalizer", "requests"]),
        (OLD, BOTH, ["chardet", "requests"]),
        (OLD, ("chardet",), ["chardet", "requests"]),
        (None, BOTH, []),
    ],
)
def test_requests_is_loaded_with_one_guesser_where_it_can_be(
    tmp_path: Path, requests: str | None, there: tuple[str, ...], expected: list[str]
) -> None:
    assert loaded(tmp_path, requests, there) == expected
