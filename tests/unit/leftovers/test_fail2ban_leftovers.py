# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jails of others that keep fail2ban from starting are switched off, those that work stay.

The folders are what Debian 12's package has, cut down; each result was seen with fail2ban 1.0.2
itself: 'fail2ban-client --test' fails before the correction and succeeds with it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._leftovers import fail2ban

JAILS = {name: {"backend": "systemd"} for name in ("sshd", "recidive", "haproxy-probe")}
FILES = {
    "jail.conf": """
[INCLUDES]
before = paths-debian.conf
[DEFAULT]
backend = auto
enabled = false
filter = %(__name__)s[mode=%(mode)s]
mode = normal
[sshd]
backend = %(sshd_backend)s
[nginx-http-auth]
logpath = %(nginx_error_log)s
[apache-auth]
logpath = %(nginx_error_log)s
          HERE/access.log tail
[dovecot]
backend = %(syslog_backend)s
logpath = /nowhere
""",
    "paths-debian.conf": "[INCLUDES]\nbefore = paths-common.conf\nafter = gone.local\n",
    "paths-common.conf": """
[DEFAULT]
default_backend = %(default/backend)s
sshd_backend = %(default_backend)s
syslog_backend = systemd
nginx_error_log = /var/log/nowhere/*error.log
""",
    "jail.d/defaults-debian.conf": "[sshd]\nenabled = true\n",
    "access.log": "",
}


@pytest.fixture(name="folder")
def fixture_folder(tmp_path: Path) -> Path:
    """fail2ban's folder, with filters."""
    filters = ("sshd", "nginx-http-auth", "apache-auth", "dovecot")
    names = {f"filter.d/{name}.conf": "[Definition]\n" for name in filters}
    for name, text in {**FILES, **names}.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace("HERE", str(tmp_path)), encoding="utf-8")
    return tmp_path


def corrections(folder: Path, **files: str) -> str:
    """What is corrected with these files in jail.d."""
    for name, text in files.items():
        (folder / "jail.d" / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return fail2ban.find(JAILS, str(folder)).corrections


def test_a_fresh_package_needs_no_correction(folder: Path) -> None:
    found = fail2ban.find(JAILS, str(folder))
    assert (found.corrections, found.notes, found.foreign) == ("", (), False)


def test_a_backend_that_our_jail_cannot_work_with_is_put_right(folder: Path) -> None:
    # What is read before our file is overruled there; what is read after it is not.
    assert corrections(folder, old_conf="[sshd]\nbackend = auto\n") == ""
    text = corrections(folder, old_local="[sshd]\nbackend = auto\nmaxretry = 9\n")
    assert text.endswith("\n\n[sshd]\nbackend = systemd\n")
    assert "keeps backend" in fail2ban.find(JAILS, str(folder)).notes[0]


def test_a_jail_without_its_log_or_filter_is_switched_off_and_one_that_works_stays(
    folder: Path,
) -> None:
    text = corrections(
        folder,
        a_local="[nginx-http-auth]\nenabled = true\n[apache-auth]\nenabled = yes\n",
        b_conf="[mine]\nenabled = 1\n[dovecot]\nenabled = on\n",
    )
    assert "[nginx-http-auth]\nenabled = false" in text
    assert "[mine]\nenabled = false" in text
    assert "apache-auth" not in text
    assert "dovecot" not in text
    (note,) = fail2ban.find(JAILS, str(folder)).notes
    assert "mine (its filter mine is not there)" in note
    assert "nginx-http-auth (its log file /var/log/nowhere/*error.log is not there)" in note


def test_all_jails_switched_on_at_once(folder: Path) -> None:
    text = corrections(folder, all_local="[DEFAULT]\nenabled = true\n")
    assert text.count("enabled = false") == 1
    assert "[DEFAULT]" not in text


def test_what_we_corrected_is_no_leftover_and_goes_when_it_is_not_needed(folder: Path) -> None:
    text = corrections(folder, old_local="[nginx-http-auth]\nenabled = true\n")
    (folder / "jail.d" / "zz-greenlight.local").write_text(text, encoding="utf-8")
    assert fail2ban.find(JAILS, str(folder)).corrections == text
    (folder / "jail.d" / "old.local").unlink()
    assert fail2ban.find(JAILS, str(folder)).corrections == ""


def test_jails_of_somebody_else_in_our_place_are_told(folder: Path) -> None:
    local = folder / "jail.local"
    local.write_text("[sshd]\nenabled = true\n", encoding="utf-8")
    found = fail2ban.find(JAILS, str(folder))
    assert found.foreign
    assert "is kept as" in found.notes[0]
    local.write_text("[sshd]\n[haproxy-probe]\n", encoding="utf-8")
    assert not fail2ban.find(JAILS, str(folder)).foreign


def test_a_circle_of_references_ends(folder: Path) -> None:
    text = "[DEFAULT]\na = %(b)s\nb = %(a)s\n[x]\nenabled = true\nbackend = %(a)s\n"
    assert "[x]\nenabled = false" in corrections(folder, circle_local=text)
