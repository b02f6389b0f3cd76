# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A daemon.json of others beside our settings: merged, refused by name, and the way back."""

from __future__ import annotations

import json
import stat
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    EngineError,
    SpecError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._docker import daemon
from ansible_collections.greenlight.droplet.plugins.module_utils._docker import (
    daemon_settings as settings,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._state import timers

WANTED: dict[str, t.Any] = {
    "live-restore": True,
    "log-level": "info",
    "log-driver": "json-file",
    "log-opts": {"max-size": "10m", "max-file": "3"},
    "default-address-pools": [{"base": "172.30.0.0/16", "size": 24}],
    "mtu": 1500,
    "insecure-registries": ["registry.example.test:5000"],
    "icc": False,
    "userland-proxy": False,
    "no-new-privileges": True,
    "default-ulimits": {"core": {"Name": "core", "Soft": 0, "Hard": 0}},
}
FOREIGN: dict[str, t.Any] = {
    "data-root": "/srv/docker",
    "dns": ["10.0.0.53"],
    "registry-mirrors": ["https://cache.example.test"],
    "insecure-registries": ["old.example.test:5000"],
    "log-level": "warn",
    "log-opts": {"labels": "team"},
    "default-ulimits": {"memlock": {"Name": "memlock", "Soft": -1, "Hard": -1}},
}


def test_what_we_do_not_speak_of_stays_and_lists_are_joined() -> None:
    merged = settings.merge(FOREIGN, WANTED, {})
    for key in ("data-root", "dns", "registry-mirrors", "log-level"):
        assert merged[key] == FOREIGN[key]
    assert merged["insecure-registries"] == ["registry.example.test:5000", "old.example.test:5000"]
    assert merged["log-opts"] == {"labels": "team", **WANTED["log-opts"]}
    assert set(merged["default-ulimits"]) == {"core", "memlock"}
    assert merged["live-restore"] is True
    assert settings.merge(merged, WANTED, WANTED) == merged


@pytest.mark.parametrize(
    ("present", "said"),
    [
        ({"live-restore": False}, '"live-restore": false instead of true'),
        ({"icc": True}, r'"icc": true instead of false from docker_inter_container'),
        ({"log-driver": "journald"}, '"log-driver": "journald" instead of "json-file"'),
        ({"log-opts": {"max-size": "1g"}}, r'"log-opts": {"max-size": "1g"} .*docker_log_max_size'),
        ({"default-address-pools": []}, "docker_address_pool"),
        ({"default-ulimits": ["core"]}, '"default-ulimits": .* from docker_ulimits'),
        ({"iptables": False}, "containers could reach nothing outside"),
    ],
)
def test_what_contradicts_is_refused_by_name_and_value(present: t.Any, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        settings.merge(present, WANTED, {})


def test_all_that_contradicts_is_named_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        settings.merge({"icc": True, "mtu": 900, "live-restore": False}, WANTED, {})
    assert all(f'"{key}"' in str(caught.value) for key in ("icc", "mtu", "live-restore"))


def test_what_we_wrote_ourselves_is_replaced_and_taken_out() -> None:
    ours = {**WANTED, "metrics-addr": "127.0.0.1:9323"}
    present = settings.merge(FOREIGN, ours, {})
    changed = {**WANTED, "icc": True, "insecure-registries": [], "log-opts": {"max-size": "5m"}}
    merged = settings.merge(present, changed, ours)
    assert "metrics-addr" not in merged
    assert merged["icc"] is True
    assert merged["insecure-registries"] == ["old.example.test:5000"]
    assert merged["log-opts"] == {"labels": "team", "max-size": "5m"}
    assert merged["data-root"] == "/srv/docker"


def test_a_file_of_an_earlier_version_counts_as_ours() -> None:
    assert settings.written_by_us(WANTED, None) == WANTED
    # What somebody has added to such a file stays theirs.
    assert settings.written_by_us({**WANTED, "data-root": "/srv/docker"}, None) == WANTED
    assert settings.written_by_us(FOREIGN, None) == {}
    assert settings.written_by_us(FOREIGN, json.dumps(WANTED)) == WANTED


@pytest.mark.parametrize("text", ["{,}", "[]", '"x"'])
def test_a_file_that_is_no_settings_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match=r"daemon.json .*Nothing was changed"):
        settings.read(text)


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_no_file_and_an_empty_one_say_nothing(text: str | None) -> None:
    assert settings.read(text) == {}


def test_an_option_that_the_file_says_too_is_refused() -> None:
    settings.refuse_flags(["/usr/bin/dockerd", "-H", "fd://", "--data-root=/srv"], WANTED)
    with pytest.raises(SpecError, match="--log-opt"):
        settings.refuse_flags(["dockerd", "--log-opt=max-size=1m"], WANTED)


class Systemd:
    """An engine that starts with some settings and not with others, as systemd would tell."""

    def __init__(self, path: Path, bad: str) -> None:
        self.path, self.bad = path, bad
        self.calls: list[str] = []

    def __call__(self, *command: str, **_limits: float) -> subprocess.CompletedProcess[str]:
        """Answer one call."""
        self.calls.append(" ".join(command[:2]))
        code, out = 0, ""
        if command[:2] == ("systemctl", "cat"):
            out = "[Service]\n"
        if command[:2] == ("systemctl", "show"):
            out = "ExecStart={ path=/usr/sbin/dockerd ; argv[]=/usr/sbin/dockerd -H fd:// ; x }\n"
        if command[:2] == ("systemctl", "restart"):
            there = self.path.exists() and self.bad in self.path.read_text(encoding="utf-8")
            code = 1 if self.bad and there else 0
        return subprocess.CompletedProcess(command, code, out, "it failed" if code else "")


@pytest.fixture(name="host")
def fixture_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of an engine below a folder of the test; returns its daemon.json."""
    path = tmp_path / "docker" / "daemon.json"
    path.parent.mkdir()
    for name, place in {
        "PATH": path,
        "COPY": tmp_path / "docker" / "copy",
        "RECORD": tmp_path / "state" / "record",
        "PENDING": tmp_path / "state" / "pending",
        "DEFAULTS": tmp_path / "default",
        "DATA_ROOT": tmp_path / "data",
        "SNAP": tmp_path / "snap",
    }.items():
        monkeypatch.setattr(daemon, name, str(place))
    return path


def systemd(monkeypatch: pytest.MonkeyPatch, path: Path, bad: str = "") -> Systemd:
    """Stand in for systemd; the engine does not start with `bad` in its file."""
    found = Systemd(path, bad)
    monkeypatch.setattr(timers, "call", found)
    return found


def test_a_foreign_file_is_merged_a_copy_kept_and_a_second_run_changes_nothing(
    host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = systemd(monkeypatch, host).calls
    text = json.dumps(FOREIGN)
    host.write_text(text, encoding="utf-8")
    found = daemon.plan(WANTED)
    assert found.changed
    daemon.apply(found)
    assert json.loads(host.read_text(encoding="utf-8"))["data-root"] == "/srv/docker"
    assert Path(daemon.COPY).read_text(encoding="utf-8") == text
    # The one setting that keeps the containers is read before the restart.
    assert calls.index("systemctl reload") < calls.index("systemctl restart")
    assert not daemon.plan(WANTED).changed
    assert not daemon.plan({**WANTED}).changed


def test_an_engine_that_does_not_start_gets_the_old_file_again(
    host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = systemd(monkeypatch, host, "live-restore").calls
    text = json.dumps(FOREIGN)
    host.write_text(text, encoding="utf-8")
    with pytest.raises(EngineError, match="is as it was before, and the engine runs with the old"):
        daemon.apply(daemon.plan(WANTED))
    assert host.read_text(encoding="utf-8") == text
    assert calls.count("systemctl restart") == 2
    assert daemon.plan(WANTED).changed


def test_a_run_that_is_cut_off_in_the_restart_leaves_others_settings_theirs(
    host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemd(monkeypatch, host)
    host.write_text(json.dumps(FOREIGN), encoding="utf-8")

    def die(_plan: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(daemon, "_restart", die)
        with pytest.raises(KeyboardInterrupt):
            daemon.apply(daemon.plan(WANTED))
    daemon.apply(daemon.plan(WANTED))
    assert json.loads(host.read_text(encoding="utf-8"))["data-root"] == "/srv/docker"
    assert not daemon.plan(WANTED).changed


def test_a_password_in_the_file_is_neither_shown_nor_opened_to_others(
    host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemd(monkeypatch, host)
    proxies = {"http-proxy": "http://user:s3cret@proxy.test:3128"}
    host.write_text(json.dumps({**FOREIGN, "proxies": proxies}), encoding="utf-8")
    host.chmod(0o600)
    found = daemon.plan(WANTED)
    daemon.apply(found)
    assert stat.S_IMODE(host.stat().st_mode) == 0o600
    assert "s3cret" in host.read_text(encoding="utf-8")
    assert "s3cret" not in daemon.shown(found.before) + daemon.shown(found.after)


def test_an_interrupted_run_is_taken_up(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    systemd(monkeypatch, host)
    daemon.apply(daemon.plan(WANTED))
    Path(daemon.PENDING).touch()
    assert daemon.plan(WANTED).changed
    daemon.apply(daemon.plan(WANTED))
    assert not daemon.plan(WANTED).changed


def test_a_node_of_a_swarm_is_refused(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    systemd(monkeypatch, host)
    root = host.parent / "elsewhere"
    (root / "swarm").mkdir(parents=True)
    (root / "swarm" / "docker-state.json").write_text("{}", encoding="utf-8")
    host.write_text(json.dumps({"data-root": str(root)}), encoding="utf-8")
    with pytest.raises(SpecError, match=r"node of a Docker Swarm .*live-restore.*swarm leave"):
        daemon.plan(WANTED)


def test_the_engine_that_is_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: Path
) -> None:
    status = tmp_path / "status"
    status.write_text(
        "Package: docker-ce\nStatus: install ok installed\nVersion: 5:28.0.1\n\n"
        "Package: docker-ce-cli\nStatus: install ok installed\n\n"
        "Package: docker.io\nStatus: deinstall ok config-files\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(daemon, "PACKAGES", str(status))
    assert daemon.installed_engines() == ["docker-ce"]
    assert host.parent.is_dir()


def test_an_engine_by_snap_is_refused(host: Path) -> None:
    Path(daemon.SNAP).mkdir()
    with pytest.raises(SpecError, match="installed by snap"):
        daemon.installed_engines()
    assert host.parent.is_dir()
