# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What role system leaves behind: kernel settings, mounts, services, logs, upgrades."""

from __future__ import annotations

import typing as t

import pytest

HARMLESS = {"nosuid", "nodev", "noexec"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kernel.dmesg_restrict", "1"),
        ("kernel.kptr_restrict", "2"),
        ("kernel.core_pattern", "|/bin/false"),
        ("fs.suid_dumpable", "0"),
        ("fs.protected_regular", "2"),
        ("net.ipv4.conf.all.accept_redirects", "0"),
        ("net.ipv4.conf.default.accept_source_route", "0"),
        ("net.ipv4.conf.all.send_redirects", "0"),
        ("net.ipv4.conf.all.rp_filter", "1"),
        ("net.ipv4.conf.all.log_martians", "1"),
        ("net.ipv6.conf.all.accept_redirects", "0"),
        # Containers need it; Docker switches it on.
        ("net.ipv4.ip_forward", "1"),
    ],
)
def test_kernel_has_the_setting(host: t.Any, key: str, value: str) -> None:
    path = "/proc/sys/" + key.replace(".", "/")
    assert host.file(path).content_string.strip() == value


@pytest.mark.parametrize("key", ["kernel.yama.ptrace_scope", "kernel.kexec_load_disabled"])
def test_setting_that_a_container_lacks_is_written_for_the_next_kernel(
    host: t.Any, key: str
) -> None:
    assert f"\n{key} = " in host.file("/etc/sysctl.d/99-greenlight.conf").content_string


def test_devices_start_no_program(host: t.Any) -> None:
    assert {"nosuid", "noexec"} <= set(host.mount_point("/dev").options)
    assert host.file("/etc/fstab").contains("^devtmpfs /dev devtmpfs nosuid,noexec 0 0$")


@pytest.mark.parametrize("path", ["/tmp", "/dev/shm", "/proc"])
def test_mount_allows_no_programs(host: t.Any, path: str) -> None:
    mount = host.mount_point(path)
    assert mount.exists
    assert set(mount.options) >= HARMLESS


def test_program_in_tmp_does_not_start(host: t.Any) -> None:
    made = host.run("d=$(mktemp -d) && cp /bin/true $d/p && $d/p; code=$?; rm -r $d; exit $code")
    assert made.rc == 126
    assert "Permission denied" in made.stderr


def test_user_sees_only_own_processes(host: t.Any) -> None:
    seen = host.check_output("su - ops -c 'stat -c %U /proc/[0-9]*'").split()
    assert set(seen) == {"ops"}


def test_group_of_proc_sees_all(host: t.Any) -> None:
    group = host.group("proc")
    assert group.exists
    command = "setpriv --reuid=65534 --groups={} test -e /proc/1/cmdline"
    assert host.run(command.format(group.gid)).rc == 0
    assert host.run(command.format(65534)).rc == 1


@pytest.mark.parametrize("name", ["systemd-logind", "docker", "haproxy", "fail2ban"])
def test_service_lives_with_hidden_processes(host: t.Any, name: str) -> None:
    assert host.service(name).is_running


def test_no_unit_has_failed(host: t.Any) -> None:
    assert host.check_output("systemctl list-units --failed --plain --no-legend") == ""


@pytest.mark.parametrize(
    "name",
    [
        "auditd.service",
        "chrony.service",
        "acct.service",
        "sysstat.service",
        "sysstat-collect.timer",
        "unattended-upgrades.service",
        "greenlight-debsums.timer",
        "greenlight-aide.timer",
        "greenlight-aide-first.timer",
        "greenlight-audit-rules.service",
    ],
)
def test_unit_starts_at_boot(host: t.Any, name: str) -> None:
    assert host.check_output(f"systemctl is-enabled {name}") == "enabled"


@pytest.mark.parametrize("name", ["auditd", "chrony", "greenlight-audit-rules"])
def test_service_of_the_kernel_leaves_a_container_alone(host: t.Any, name: str) -> None:
    shown = host.check_output(f"systemctl show -p Conditions,ActiveState {name}")
    assert "ActiveState=inactive" in shown


def test_module_is_blocked(host: t.Any) -> None:
    text = host.file("/etc/modprobe.d/greenlight.conf").content_string
    for module in ("dccp", "sctp", "usb-storage", "firewire-core"):
        assert f"blacklist {module}\ninstall {module} /bin/true\n" in text
        rule = host.check_output(
            f"modprobe --showconfig | grep '^install {module.replace('-', '_')} '"
        )
        assert rule.endswith(" /bin/true")


def test_security_updates_alone_come_by_themselves(host: t.Any) -> None:
    settings = host.check_output("apt-config dump").splitlines()
    assert 'APT::Periodic::Unattended-Upgrade "1";' in settings
    assert 'Unattended-Upgrade::Automatic-Reboot "false";' in settings
    assert 'Unattended-Upgrade::Package-Blacklist:: "^haproxy$";' in settings
    origins = [line for line in settings if "Unattended-Upgrade::Origins-Pattern:: " in line]
    assert len(origins) == 4
    assert all("ecurity" in origin for origin in origins)


def test_upgrade_runs_with_the_settings(host: t.Any) -> None:
    done = host.run("unattended-upgrade --dry-run --debug 2>&1")
    assert done.rc == 0, done.stdout
    assert "Initial blacklist: ^haproxy$" in done.stdout


def test_restarts_after_an_upgrade_ask_nothing_and_spare_what_serves(host: t.Any) -> None:
    script = "do q(/etc/needrestart/conf.d/greenlight.conf); print $nrconf{restart};"
    assert host.check_output(f"perl -e 'our %nrconf; {script}'") == "a"
    text = host.file("/etc/needrestart/conf.d/greenlight.conf").content_string
    assert "{qr(^haproxy)} = 0;" in text


def test_journal_is_kept_over_reboots(host: t.Any) -> None:
    assert host.file("/var/log/journal").is_directory
    settings = host.check_output("systemd-analyze cat-config systemd/journald.conf")
    assert "SystemMaxUse=500M" in settings


def test_profile_of_applications_is_valid(host: t.Any) -> None:
    host.check_output("apparmor_parser -QT /etc/apparmor.d/greenlight-app")


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        ("/etc/audit/rules.d/50-greenlight.rules", 0o640),
        ("/etc/audit", 0o750),
        ("/etc/cron.d", 0o700),
        ("/etc/cron.daily", 0o700),
        ("/etc/cron.allow", 0o600),
        ("/etc/at.allow", 0o600),
        ("/etc/ssh/sshd_config", 0o600),
    ],
)
def test_path_is_closed_to_others(host: t.Any, path: str, mode: int) -> None:
    found = host.file(path)
    assert found.mode == mode
    assert found.user == "root"


def test_banner_names_no_version(host: t.Any) -> None:
    for path in ("/etc/issue", "/etc/issue.net"):
        text = host.file(path).content_string
        assert "recorded" in text
        assert "Debian" not in text
        assert "\\" not in text


def test_no_core_dumps(host: t.Any) -> None:
    assert host.check_output("su - ops -c 'ulimit -Hc'") == "0"
    assert host.check_output("systemctl show -p DefaultLimitCORE") == "DefaultLimitCORE=0"
    # A shell that PAM has set no limit for.
    assert host.check_output("ulimit -c unlimited; bash -lc 'ulimit -Hc'") == "0"


def test_homes_are_closed(host: t.Any) -> None:
    modes = [int(mode, 8) for mode in host.check_output("stat -c %a /home/*").split()]
    assert modes
    assert [oct(mode) for mode in modes if mode & 0o027] == []


def test_root_alone_runs_the_assembler(host: t.Any) -> None:
    host.check_output("as --version")
    assert host.run("su - ops -c 'as --version'").rc == 126
    assert host.check_output("dpkg-statoverride --list '*-as'").startswith("root root 750 ")


@pytest.mark.parametrize(("login", "user"), [("", "ops"), ("sudo -n ", "root")])
def test_login_has_a_temporary_folder_of_its_own(host: t.Any, login: str, user: str) -> None:
    number = host.user(user).uid
    made = host.check_output(f"su - ops -c '{login}mktemp --dry-run'")
    assert made.startswith(f"/tmp/user/{number}/")
    folder = host.file(f"/tmp/user/{number}")
    assert (folder.user, folder.mode) == (user, 0o700)


def test_comparison_of_files_yields_to_requests(host: t.Any) -> None:
    """Its settings are valid, leave out what containers and logs change, and use strong sums."""
    host.check_output("aide --config=/etc/aide/aide.conf --config-check")
    shown = host.check_output("systemctl show greenlight-aide -p Nice,IOSchedulingClass")
    assert sorted(shown.splitlines()) == ["IOSchedulingClass=3", "Nice=19"]
    limit = "f:/{}"
    for path, code in (("etc/passwd", 0), ("usr/bin/sudo", 0), ("var/lib/docker/x", 1)):
        words = f"aide --config=/etc/aide/aide.conf --path-check={limit.format(path)}"
        assert host.run(words).rc == code, path
    sums = host.file("/etc/aide/aide.conf").content_string
    assert not {"md5", "sha1", "rmd160"} & set(sums.replace("+", " ").split())


def test_no_mail_server_came_along(host: t.Any) -> None:
    assert not host.package("exim4-daemon-light").is_installed
