# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""audit.yml on a droplet that is set up: it passes, and each thing broken by hand fails it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hardening.droplets import Droplet, changed

CONTAINER_WAIVERS = Path(__file__).with_name("waivers-container.yml")
LISTEN = "import socket, time; s = socket.create_server(('0.0.0.0', 8099)); time.sleep(300)"
REPORTS = "/var/lib/greenlight/audit"


class Audit:
    """Runs the playbook with the waivers of a container and keeps the reports in a folder."""

    def __init__(self, droplet: Droplet, folder: Path) -> None:
        self.droplet = droplet
        self.folder = folder

    def run(self, *arguments: str, lynis: bool = False, waivers: str = "") -> tuple[int, str]:
        """Return the exit code and the output; without Lynis unless asked, which takes 20 s."""
        files = [str(CONTAINER_WAIVERS)]
        if waivers:
            path = self.folder / "waivers.yml"
            path.write_text(waivers, encoding="utf-8")
            files.append(str(path))
        variables = {
            "audit_lynis": lynis,
            "audit_folder": str(self.folder / "reports"),
            "audit_waivers": files,
        }
        done = self.droplet.play("audit", *arguments, variables=variables)
        return done.returncode, done.stdout

    def report(self) -> dict[str, Any]:
        """Return the report that was kept on the controller."""
        path = self.folder / "reports" / f"{self.droplet.name}.json"
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found


@pytest.fixture
def audit(droplet: Droplet, tmp_path: Path) -> Audit:
    return Audit(droplet, tmp_path)


@pytest.fixture
def mended(droplet: Droplet) -> Iterator[None]:
    """What the tests break, put back."""
    yield
    droplet.inside("chmod 0644 /etc/greenlight/api.json; systemctl stop spy 2>/dev/null || true")
    droplet.inside("ufw --force enable")


def test_a_host_that_is_set_up_passes(audit: Audit) -> None:
    code, output = audit.run(lynis=True)
    report = audit.report()
    assert (code, report["reasons"]) == (0, []), output
    assert report["lynis_index"] >= 90
    assert [f["rule"] for f in report["findings"] if f["status"] == "open"] == []
    kept = audit.droplet.run(f"stat -c '%a %U' {REPORTS} {REPORTS}/*.json").splitlines()
    assert kept[0] == "700 root"
    assert set(kept[1:]) == {"600 root"}


@pytest.mark.parametrize(
    ("rule", "command"),
    [
        ("open-ports", f'systemd-run --collect --unit=spy python3 -c "{LISTEN}"'),
        ("file-owners", "chmod 0666 /etc/greenlight/api.json"),
        ("firewall-active", "ufw disable"),
    ],
    ids=["a listener", "a file that others may write", "no firewall"],
)
@pytest.mark.usefixtures("mended")
def test_what_is_broken_by_hand_fails_it(audit: Audit, rule: str, command: str) -> None:
    audit.droplet.inside(command)
    code, output = audit.run()
    assert code != 0, output
    failed = [f["rule"] for f in audit.report()["findings"] if f["status"] == "failed"]
    assert rule in failed, output
    assert rule in output.split(f"The audit of {audit.droplet.name} failed:")[1]


@pytest.mark.usefixtures("mended")
def test_a_waiver_accepts_it_and_is_printed(audit: Audit) -> None:
    audit.droplet.inside("chmod 0666 /etc/greenlight/api.json")
    reason = "a test has opened it"
    entry = f"- {{rule: file-owners, reason: {reason}, expires: 2099-01-01}}\n"
    _code, output = audit.run(waivers=entry)
    found = {f["rule"]: f for f in audit.report()["findings"]}
    assert found["file-owners"]["status"] == "waived"
    assert f"until 2099-01-01: {reason}" in output


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{rule: clock, reason: x, expires: 2020-01-01}", "(clock) has expired on 2020-01-01"),
        ("{rule: clock, expires: 2099-01-01}", "(clock) has no reason"),
        ("{rule: KRNL-9999, reason: x, expires: 2099-01-01}", "'KRNL-9999', which does not"),
    ],
    ids=["past its date", "without a reason", "of an unknown rule"],
)
def test_a_bad_waiver_is_refused(audit: Audit, entry: str, message: str) -> None:
    audit.droplet.inside("command -v lynis >/dev/null || apt-get install -y -q lynis")
    code, output = audit.run(waivers=f"- {entry}\n")
    assert code != 0
    assert message in output


def test_check_mode_keeps_nothing_and_changes_nothing(audit: Audit) -> None:
    before = audit.droplet.try_run(f"ls {REPORTS}")[1]
    code, output = audit.run("--check", lynis=True)
    assert code == 0, output
    assert changed(output) == 0
    assert audit.droplet.try_run(f"ls {REPORTS}")[1] == before
    assert not (audit.folder / "reports").exists()
