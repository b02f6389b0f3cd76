# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare this host with what the role wants and print what differs, as JSON; change nothing.

One reading of everything takes the place of a task for each setting. The wish is JSON in the first
argument: sysctl (value by key), mounts (options by mount point), units_on and units_off (names),
modes (octal by path or pattern), compilers (names).
"""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

# The kernel shows the same option in words or, before version 5.8, as a number.
SPELLINGS = {"hidepid=2": "hidepid=invisible", "hidepid=1": "hidepid=noaccess"}


def sysctl_path(key: str) -> Path:
    """The file of a kernel setting; the key has dots for slashes."""
    return Path("/proc/sys", key.replace(".", "/"))


def compare_sysctl(wanted: dict[str, str]) -> dict[str, list[str]]:
    """Settings that differ, as key=value, and keys that this kernel does not show."""
    differing, missing = [], []
    for key, value in wanted.items():
        try:
            found = " ".join(sysctl_path(key).read_text(encoding="utf-8").split())
        except OSError:
            missing.append(key)
            continue
        if found != str(value):
            differing.append(f"{key}={value}")
    return {"differing": differing, "missing": missing}


def mounted() -> dict[str, set[str]]:
    """The options of what is mounted, by mount point; the last mount on a point counts."""
    found = {}
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        words = line.split()
        rest = words[words.index("-") + 3]
        options = set(words[5].split(",")) | set(rest.split(","))
        found[words[4]] = {SPELLINGS.get(option, option) for option in options}
    return found


def compare_mounts(wanted: dict[str, list[str]]) -> list[dict[str, object]]:
    """Mount points that lack one of their options, and whether they are mounted at all."""
    found = mounted()
    return [
        {"path": path, "options": ",".join(options), "mounted": path in found}
        for path, options in wanted.items()
        if not {SPELLINGS.get(option, option) for option in options} <= found.get(path, set())
    ]


def sockets(folders: list[str]) -> list[str]:
    """Sockets that a mount over one of the folders would hide from the programs that use them."""
    found = mounted()
    plain = [Path(folder) for folder in folders if folder not in found]
    paths = [path for folder in plain for pattern in ("*", "*/*") for path in folder.glob(pattern)]
    return sorted(str(path) for path in paths if path.is_socket())


def compare_units(on: list[str], off: list[str]) -> dict[str, list[str]]:
    """Units to enable and start, and units to stop and disable; those not installed are neither."""
    names = on + off
    if not names:
        return {"on": [], "off": []}
    properties = "--property=LoadState,UnitFileState,ActiveState,ConditionResult"
    properties += ",ConditionTimestampMonotonic"
    done = subprocess.run(
        ["systemctl", "show", properties, *names], capture_output=True, text=True, check=True
    )
    shown = [
        dict(line.split("=", 1) for line in block.splitlines())
        for block in done.stdout.strip().split("\n\n")
    ]
    # Python 3.10 is the oldest on a host, and there is one block for each name.
    pairs = zip(names, shown, strict=True)
    units = {name: unit for name, unit in pairs if unit["LoadState"] == "loaded"}
    enabled = {name for name, unit in units.items() if unit["UnitFileState"] == "enabled"}
    active = {name for name, unit in units.items() if unit["ActiveState"] == "active"}
    # A unit whose conditions do not hold here, such as auditd in a container, cannot be started.
    barred = {
        name
        for name, unit in units.items()
        if unit["ConditionResult"] == "no" and unit["ConditionTimestampMonotonic"] != "0"
    }
    return {
        "on": [n for n in on if n in units and not (n in enabled and n in active | barred)],
        "off": [n for n in off if n in units and (n in enabled or n in active)],
    }


def compare_modes(wanted: dict[str, str]) -> list[dict[str, str]]:
    """Paths whose mode grants more than it should; links and those not there are left out."""
    found = []
    for pattern, mode in wanted.items():
        for path in sorted(Path("/").glob(pattern.lstrip("/"))):
            # What a link in a home points to is for its owner to say, not to be changed as root.
            if not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & ~int(mode, 8):
                tighter = stat.S_IMODE(path.stat().st_mode) & int(mode, 8)
                found.append({"path": str(path), "mode": f"{tighter:04o}"})
    return found


def compare_compilers(names: list[str]) -> dict[str, list[str]]:
    """Compilers that others may run or an upgrade would open, and those that dpkg keeps closed."""
    text = Path("/var/lib/dpkg/statoverride").read_text(encoding="utf-8")
    kept = {line.split()[3] for line in text.splitlines()}
    programs = [Path("/usr/bin", name) for name in names]
    paths = sorted({path.resolve() for path in programs if path.exists()})
    return {
        "to_close": [str(p) for p in paths if str(p) not in kept or p.stat().st_mode & 0o007],
        "to_leave": [str(p) for p in paths if str(p) in kept],
    }


def in_container() -> bool:
    """Tell whether the kernel belongs to another system."""
    done = subprocess.run(["systemd-detect-virt", "--container", "--quiet"], check=False)
    return done.returncode == 0


def has_swap() -> bool:
    """Tell whether there is any swap space; the provider's own is good enough."""
    return len(Path("/proc/swaps").read_text(encoding="utf-8").splitlines()) > 1


def main() -> None:
    """Print what differs."""
    wish = json.loads(sys.argv[1])
    state = {
        "sysctl": compare_sysctl(wish["sysctl"]),
        "mounts": compare_mounts(wish["mounts"]),
        "sockets": sockets(list(wish["mounts"])),
        "units": compare_units(wish["units_on"], wish["units_off"]),
        "modes": compare_modes(wish["modes"]),
        "compilers": compare_compilers(wish["compilers"]),
        "container": in_container(),
        "swap": has_swap(),
        "apparmor": Path("/sys/kernel/security/apparmor").is_dir(),
    }
    print(json.dumps(state))


if __name__ == "__main__":
    main()
