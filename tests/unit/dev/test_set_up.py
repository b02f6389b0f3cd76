# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image of a set-up droplet is made anew when what makes it has changed, and old ones go."""

from __future__ import annotations

import fcntl
import hashlib
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._haproxy import runtime_api
from dev import bases, docker_cli, droplets, fleet, set_up, settings
from dev.dockerfiles import first_boot

DEBIAN = bases.DISTRIBUTIONS["debian:12"]


@pytest.fixture(autouse=True)
def _checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A login key and a folder of state of our own."""
    monkeypatch.setattr(settings, "STATE", tmp_path)
    monkeypatch.setattr(settings, "KEY", tmp_path / "id_ed25519")
    (tmp_path / "id_ed25519.pub").write_text("ssh-ed25519 AAAA mine\n", encoding="utf-8")


def test_any_file_that_setting_up_may_read_is_an_input(tmp_path: Path) -> None:
    for name in ("roles/a/tasks/main.yml", "playbooks/p.yml", "plugins/m.py", "ansible.cfg"):
        path = tmp_path / name
        before = set_up.inputs(tmp_path) if (tmp_path / "ansible.cfg").exists() else {}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1", encoding="utf-8")
        (tmp_path / "ansible.cfg").touch()
        first = set_up.inputs(tmp_path)
        path.write_text("2", encoding="utf-8")
        assert before != first != set_up.inputs(tmp_path)
        assert name in first
    known = set_up.inputs(tmp_path)
    for name in ("roles/a/README.md", "plugins/m.pyc", "docs/x.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert set_up.inputs(tmp_path) == known


def test_the_tag_depends_on_the_base_image_and_on_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_up, "docker", lambda *_arguments: "sha256:1")
    first = set_up.tag(DEBIAN)
    assert first.startswith("greenlight-dev/set-up:debian-12-")
    assert first == set_up.tag(DEBIAN)
    monkeypatch.setattr(set_up, "docker", lambda *_arguments: "sha256:2")
    other = set_up.tag(DEBIAN)
    settings.KEY.with_suffix(".pub").write_text("ssh-ed25519 BBBB other\n", encoding="utf-8")
    assert len({first, other, set_up.tag(DEBIAN)}) == 3


def test_two_images_are_kept_and_those_that_droplets_stand_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    removed: list[str] = []

    def docker(*arguments: str) -> str:
        if arguments[:2] == ("image", "rm"):
            removed.extend(arguments[2:])
        return {"container": "s:4 other:1", "image": "s:1\ns:2\ns:3\ns:4\ns:5"}[arguments[0]]

    monkeypatch.setattr(set_up, "docker", docker)
    assert set_up.remove_old("s:1") == removed == ["s:3", "s:5"]
    removed.clear()
    # One that is used again need not be the newest.
    assert set_up.remove_old("s:3") == removed == ["s:2", "s:5"]


def test_the_image_is_made_once_and_its_droplet_always_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there: set[str] = set()
    done: list[str] = []

    def make(wanted: str, *_more: object) -> None:
        done.append("make")
        if len(done) < 4:
            raise droplets.DropletError("did not boot")
        there.add(wanted)

    monkeypatch.setattr(set_up, "tag", lambda _distribution: "s:1")
    monkeypatch.setattr(set_up, "_make", make)
    monkeypatch.setattr(set_up, "remove_old", lambda _wanted: [])
    monkeypatch.setattr(docker_cli, "inspect", lambda _kind, name: {} if name in there else None)
    monkeypatch.setattr(droplets, "remove", lambda name: done.append(f"remove {name}"))
    with pytest.raises(droplets.DropletError):
        set_up.ensure(DEBIAN)
    assert done == ["remove set-up-droplet", "make", "remove set-up-droplet"]
    assert set_up.ensure(DEBIAN) == set_up.ensure(DEBIAN) == "s:1"
    assert done.count("make") == 2
    assert done[-1] == "remove set-up-droplet"


def test_nobody_removes_the_image_before_the_droplet_stands_on_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(set_up, "ensure", lambda _distribution: "s:1")
    with set_up.image(DEBIAN, wanted=True) as image:
        assert image == "s:1"
        with (settings.STATE / "set-up.lock").open("w") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with (settings.STATE / "set-up.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with set_up.image(DEBIAN, wanted=False) as image:
        assert image == ""


def test_the_name_to_be_replaced_is_the_same_in_the_dockerfile() -> None:
    text = (settings.DOCKERFILES / "set-up.Dockerfile").read_text(encoding="utf-8")
    assert f"python3 /usr/local/sbin/first_boot.py {set_up.NAME};" in text


def test_a_new_droplet_has_its_own_name_and_a_configuration_nobody_changed(tmp_path: Path) -> None:
    body = "# ours\nglobal\n    header X-Greenlight-Host set-up-droplet"
    checksum = hashlib.sha256(body.encode()).hexdigest()
    files = {
        "haproxy/haproxy.cfg": f"# managed, checksum {checksum}\n{body}\n",
        "plain": "set-up-droplet and set-up-droplet\n",
        "other": "no name here, checksum none\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o640)
    (tmp_path / "binary").write_bytes(b"\xff\x00")
    (tmp_path / "nowhere").symlink_to(tmp_path / "absent")
    assert not runtime_api.is_edited(files["haproxy/haproxy.cfg"])

    found = first_boot.rename(tmp_path, "set-up-droplet", "mine")
    assert [path.name for path in found] == ["haproxy.cfg", "plain"]
    text = found[0].read_text(encoding="utf-8")
    assert "X-Greenlight-Host mine" in text
    assert not runtime_api.is_edited(text)
    assert found[0].stat().st_mode & 0o777 == 0o640
    assert found[1].read_text(encoding="utf-8") == "mine and mine\n"
    assert first_boot.rename(tmp_path, "set-up-droplet", "mine") == []


@pytest.mark.parametrize(("arguments", "source"), [((), "bare"), (("--from", "set-up"), "set-up")])
def test_a_droplet_is_bare_unless_asked_for(arguments: tuple[str, ...], source: str) -> None:
    options = fleet.parser().parse_args(["droplet", "up", "x", *arguments])
    assert options.source == source
