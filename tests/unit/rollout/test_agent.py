# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host side: sent as one archive, installed whole or not at all, started without Ansible."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils import agent_install
from ansible_collections.greenlight.droplet.plugins.plugin_utils import agent

PACKAGE = "ansible_collections/greenlight/droplet/plugins/module_utils"


@pytest.fixture(autouse=True)
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder of the versions, for this test alone."""
    folder = tmp_path / "lib" / "versions"
    monkeypatch.setattr(agent, "PARENT", str(folder))
    forget()
    yield folder
    forget()


def forget() -> None:
    """Let the controller look at its files again."""
    agent.root.cache_clear()
    agent._files.cache_clear()


def run(command: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["/bin/sh", "-c", command], input=data, capture_output=True, check=False, timeout=10.0
    )


def install(data: bytes) -> subprocess.CompletedProcess[bytes]:
    return run(agent.install_command(sys.executable), data)


def test_it_is_missing_then_installed_then_answers(parent: Path) -> None:
    question = b'{"action": "inspect", "params": {"app": "no-such-app", "events": 0}}'
    assert run(agent.open_command(sys.executable), question).returncode == agent.MISSING
    done = install(agent.archive())
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert [str(path) for path in parent.iterdir()] == [agent.root()]
    answer = run(agent.open_command(sys.executable), question)
    assert answer.returncode == 0, answer.stderr
    assert b'"failed": true' in answer.stdout
    nobody = run(agent.ask_command(str(parent / "no.socket")), b"{}")
    assert nobody.returncode == 87


def test_it_needs_nothing_of_ansible_and_is_not_hidden_by_one(tmp_path: Path) -> None:
    install(agent.archive())
    (tmp_path / "ansible_collections").mkdir()
    (tmp_path / "ansible_collections" / "__init__.py").touch()
    program = (
        "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'ansible': raise ImportError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "sys.path[:0] = sys.argv[1:]\n"
        f"from {PACKAGE.replace('/', '.')} import session\n"
        "print(session.__file__)\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'ansible'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, agent.root(), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=10.0,
    )
    assert done.stdout.splitlines() == [f"{agent.root()}/{PACKAGE}/session.py", "[]"]


def test_it_starts_without_modules_that_take_long_to_load() -> None:
    """A process starts per host and release; a fifth of that went into module dataclasses.

    Docker's SDK is left out: what it loads is not ours to choose. JMESPath comes when it is needed.
    """
    install(agent.archive())
    program = (
        "import sys\n"
        "sys.modules['docker'] = None\n"
        "sys.path.insert(0, sys.argv[1])\n"
        f"from {PACKAGE.replace('/', '.')} import session\n"
        "print(sorted({'dataclasses', 'inspect', 'jmespath'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, agent.root()],
        capture_output=True,
        text=True,
        check=True,
        timeout=10.0,
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("cut", [0, 100, -1000, -1])
def test_a_truncated_archive_leaves_nothing(parent: Path, cut: int) -> None:
    assert install(agent.archive()[:cut]).returncode != 0
    assert list(parent.iterdir()) == []


def test_an_installation_that_fails_in_the_middle_leaves_nothing(
    parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    def full(path: str, _content: bytes) -> None:
        written.append(path)
        if len(written) == 5:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(agent_install, "write_durably", full)
    with pytest.raises(OSError, match="No space"):
        agent_install.install(agent.archive(), agent.root())
    assert list(parent.iterdir()) == []


def test_nothing_has_the_versions_name_before_all_of_it_is_there(
    parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(source: str, target: str) -> None:
        assert target == agent.root()
        assert (Path(source) / PACKAGE / "session.py").exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        agent_install.install(agent.archive(), agent.root())
    assert list(parent.iterdir()) == []


def test_a_second_installation_changes_nothing(parent: Path) -> None:
    assert install(agent.archive()).returncode == 0
    before = sorted((path, path.stat().st_mtime_ns) for path in parent.rglob("*"))
    assert install(agent.archive()).returncode == 0
    assert sorted((path, path.stat().st_mtime_ns) for path in parent.rglob("*")) == before


def age(path: Path, seconds: float) -> None:
    moment = time.time() - seconds
    os.utime(path, (moment, moment))


def test_the_three_versions_used_last_stay(parent: Path) -> None:
    for number in range(4):
        (parent / f"old-{number}").mkdir(parents=True)
        (parent / f"old-{number}" / "file").touch()
        age(parent / f"old-{number}", 4000 - 100 * number)
    (parent / ".new-killed").mkdir()
    (parent / ".new-at-work").mkdir()
    age(parent / ".new-killed", 4000)
    install(agent.archive())
    names = {path.name for path in parent.iterdir()}
    assert names == {"old-2", "old-3", Path(agent.root()).name, ".new-at-work"}


def test_a_version_that_is_used_is_not_the_first_to_go(parent: Path) -> None:
    install(agent.archive())
    age(Path(agent.root()), 9000)
    run(agent.open_command(sys.executable), b'{"action": "inspect", "params": {}}')
    for number in range(3):
        (parent / f"old-{number}").mkdir()
        age(parent / f"old-{number}", 4000 - number)
    agent_install.remove_old(str(parent))
    assert Path(agent.root()).is_dir()
    assert not (parent / "old-0").exists()


def test_the_folder_is_named_by_the_content_of_every_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    for name, text in [("one.py", "a"), ("two.py", "b"), ("agent_install.py", "c")]:
        (sources / name).write_text(text)
    monkeypatch.setattr(agent, "_SOURCES", sources)
    names = []
    changes = [("one.py", "a"), ("two.py", "x"), ("three.py", ""), ("one.py", "x")]
    for name, text in changes:
        (sources / name).write_text(text)
        forget()
        names.append(agent.root())
    assert len(set(names)) == len(changes)
    assert all(len(Path(name).name) == 16 for name in names)


def test_commands_survive_a_shell_and_odd_paths() -> None:
    python = "/opt/my python/bin/python3"
    for command, start in (
        (agent.open_command(python), [python, "-I"]),
        (agent.install_command(python), [python, "-I"]),
        (agent.ask_command("/run/a b.socket"), ["LC_ALL=C", "PERL5OPT=", "/usr/bin/perl"]),
    ):
        words = shlex.split(command)
        assert words[: len(start)] == start
        assert subprocess.run(
            ["/bin/sh", "-c", f"printf '%s\\n' {command}"], capture_output=True, check=True
        ).stdout.decode() == "\n".join([*words, ""])
