# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of sshd that others have left: sshd itself says what comes of them together with ours.

sshd's answer for our file alone is compared with its answer for all files, for each user who has to
come in, so that blocks of Match count too. Some settings add up (Port, AllowUsers), some are read
before ours, and some we do not speak of (AuthorizedKeysFile): each difference is found.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import typing as t

from .._core import files
from .._core.errors import NotSetUpError, SpecError
from .model import Findings

FOLDER: t.Final = "/etc/ssh"
MAIN: t.Final = "sshd_config"
DROP_INS: t.Final = "sshd_config.d"
OURS: t.Final = "00-greenlight.conf"
ALONE: t.Final = "alone"
PROGRAM: t.Final = ("/usr/sbin/sshd",)
SOCKET_LINK: t.Final = "/etc/systemd/system/sockets.target.wants/ssh.socket"
SOCKET_FOLDER: t.Final = "/etc/systemd/system/ssh.socket.d"
OPTIONS: t.Final = "/etc/default/ssh"

CALL_SECONDS: t.Final = 30

_INCLUDE: t.Final = "let it begin with 'Include /etc/ssh/sshd_config.d/*.conf'."

_PACKAGE: t.Final = {
    "usepam": {"yes"},
    "printmotd": {"no"},
    "acceptenv": {"LANG", "LC_*", "COLORTERM", "NO_COLOR"},
    "subsystem": {"sftp /usr/lib/openssh/sftp-server", "sftp internal-sftp"},
}
"""What the distributions' own sshd_config sets, and we leave to it."""

_WHO_COMES_IN: t.Final = frozenset(
    {
        *("port", "listenaddress", "usepam", "forcecommand", "chrootdirectory"),
        *("allowusers", "denyusers", "allowgroups", "denygroups"),
        *("authorizedkeysfile", "authorizedkeyscommand", "authorizedkeyscommanduser"),
        *("authorizedprincipalsfile", "authorizedprincipalscommand", "trustedusercakeys"),
        "authorizedprincipalscommanduser",
    }
)

Answer: t.TypeAlias = "dict[str, set[str]]"


def find(
    text: str, users: t.Sequence[str], address: str, program: t.Sequence[str] = PROGRAM
) -> Findings:
    """Look at this host. `text` is what our file will be; `users` have to come in from `address`.

    Raises SpecError for what sshd refuses.
    """
    if not os.path.exists(program[0]):
        return Findings()
    found = places(FOLDER)
    if not any(DROP_INS in line for _place, line in found.get("include", [])):
        return Findings((f"{FOLDER}/{MAIN} does not read our settings: {_INCLUDE}",))
    refused, notes = [*socket_leftovers(), *option_leftovers()], list[str]()
    for keyword, who, meant, said in _compare(text, users, address, program):
        line = explain(keyword, who, meant, said, found)
        strict = is_strict(keyword, meant, said) or keyword in keywords(text)
        (refused if strict else notes).append(line)
    notes += [
        f"{place} '{line}' may hold for logins that were not looked at."
        for place, line in found.get("match", [])
    ]
    return Findings(tuple(refused), tuple(notes))


def _compare(
    text: str, users: t.Sequence[str], address: str, program: t.Sequence[str]
) -> list[tuple[str, str, Answer, Answer]]:
    """Return each difference once: keyword, for whom, what was meant, what sshd does."""
    found: dict[tuple[str, str], tuple[list[str], Answer, Answer]] = {}
    with tempfile.TemporaryDirectory(prefix="greenlight-sshd-") as scratch:
        alone, together = f"{scratch}/{ALONE}", mirror(FOLDER, scratch, text)
        files.write_atomic(alone, text, 0o600)
        for user in dict.fromkeys(users):
            meant = ask(program, alone, user, address)
            said = ask(program, together, user, address)
            for keyword in differences(meant, said):
                key = (keyword, _shown(said, keyword))
                found.setdefault(key, ([], meant, said))[0].append(user)
    return [
        (keyword, " and ".join(who), meant, said)
        for (keyword, _value), (who, meant, said) in found.items()
    ]


def is_strict(keyword: str, meant: Answer, said: Answer) -> bool:
    """Tell whether it decides who comes in. To listen on fewer addresses of ours closes nothing."""
    if keyword == "listenaddress" and said.get(keyword, set()) < meant.get(keyword, set()):
        return False
    return keyword in _WHO_COMES_IN


def keywords(text: str) -> set[str]:
    """Return the keywords that a file sets, in small letters as sshd says them."""
    return {words[0].lower() for line in text.splitlines() if (words := line.split())} - {"#"}


def differences(meant: Answer, said: Answer) -> list[str]:
    """Return the keywords whose values are not those of our file, or the distribution's own."""
    return sorted(
        keyword
        for keyword in meant.keys() | said.keys()
        if said.get(keyword, set()) != meant.get(keyword, set())
        and not (said.get(keyword) and said[keyword] <= _PACKAGE.get(keyword, set()))
    ) + (["usepam"] if said.get("usepam") == {"no"} == meant.get("usepam") else [])


def explain(
    keyword: str,
    user: str,
    meant: Answer,
    said: Answer,
    found: t.Mapping[str, list[tuple[str, str]]],
) -> str:
    """Say what a leftover does, where it stands, and what was meant."""
    shown = _shown(said, keyword)
    wanted = _shown(meant, keyword)
    if keyword == "usepam":
        # It may stand nowhere: sshd's own default is no, the distribution's file says yes.
        places = "".join(
            f", and take 'UsePAM no' out of {place}" for place, _line in found.get(keyword, [])
        )
        return (
            f"usepam is {shown} for {user} instead of yes: write 'UsePAM yes' into"
            f" /etc/ssh/sshd_config{places}."
        )
    where = " and ".join(place for place, _line in found.get(keyword, [])) or "a file that is read"
    return f"{keyword} is {shown} for {user} instead of {wanted}: take it out of {where}."


def _shown(answer: Answer, keyword: str) -> str:
    return ", ".join(sorted(answer.get(keyword, set()))) or "nothing"


def ask(program: t.Sequence[str], path: str, user: str, address: str) -> Answer:
    """Let sshd say what it does for a user. Raises SpecError with its words when it refuses."""
    who = f"user={user},host={address},addr={address}"
    try:
        done = subprocess.run(
            [*program, "-T", "-f", path, "-C", who],
            capture_output=True,
            text=True,
            check=False,
            timeout=CALL_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise NotSetUpError(f"'{program[0]} -T' gave no answer: {exc}.") from exc
    if done.returncode != 0:
        said = done.stderr.replace(os.path.dirname(path), FOLDER)
        said = " ".join(said.replace(f"{FOLDER}/{ALONE}", f"{FOLDER}/{DROP_INS}/{OURS}").split())
        raise SpecError(f"sshd refuses its settings: {said[:600]} Nothing was changed.")
    answer: Answer = {}
    for line in done.stdout.splitlines():
        keyword, _space, value = line.partition(" ")
        answer.setdefault(keyword, set()).add(value)
    return answer


def mirror(folder: str, scratch: str, text: str) -> str:
    """Copy sshd's files with ours as it will be; return the path of the copy of sshd_config."""
    drop_ins = f"{scratch}/{DROP_INS}"
    os.mkdir(drop_ins, 0o700)
    source = f"{folder}/{DROP_INS}"
    for name in sorted(os.listdir(source)) if os.path.isdir(source) else []:
        if os.path.isfile(f"{source}/{name}"):
            shutil.copyfile(f"{source}/{name}", f"{drop_ins}/{name}")
    files.write_atomic(f"{drop_ins}/{OURS}", text, 0o600)
    lines = files.read_damaged_text(f"{folder}/{MAIN}").splitlines()
    path = f"{scratch}/{MAIN}"
    files.write_atomic(path, "\n".join(_led_here(line, folder, drop_ins) for line in lines), 0o600)
    return path


def _led_here(line: str, folder: str, drop_ins: str) -> str:
    """Let an Include of the folder of drop-ins read the copies."""
    words = line.split()
    if not words or words[0].lower() != "include":
        return line
    whole = [word if word.startswith("/") else f"{folder}/{word}" for word in words[1:]]
    source = f"{folder}/{DROP_INS}/"
    return " ".join(["Include", *(word.replace(source, f"{drop_ins}/") for word in whole)])


def places(folder: str) -> dict[str, list[tuple[str, str]]]:
    """Return where each keyword stands in files of others: path and line number, and its text."""
    found: dict[str, list[tuple[str, str]]] = {}
    names = [MAIN]
    if os.path.isdir(f"{folder}/{DROP_INS}"):
        listed = sorted(os.listdir(f"{folder}/{DROP_INS}"))
        names += [f"{DROP_INS}/{name}" for name in listed if name != OURS]
    for name in names:
        text = files.read_damaged_text(f"{folder}/{name}")
        for number, line in enumerate(text.splitlines(), 1):
            words = line.replace("=", " ").split()
            if words and not words[0].startswith("#"):
                place = (f"{folder}/{name}:{number}", line.strip())
                found.setdefault(words[0].lower(), []).append(place)
    return found


def socket_leftovers() -> list[str]:
    """Return ports that files of others give to ssh.socket, where it starts sshd, in words."""
    if not os.path.lexists(SOCKET_LINK) or not os.path.isdir(SOCKET_FOLDER):
        return []
    return [
        f"{SOCKET_FOLDER}/{name} has {line.strip()}: a port or an address of ssh.socket that we do"
        " not know of. Take it out; ssh_port is where sshd listens."
        for name in sorted(os.listdir(SOCKET_FOLDER))
        if name != "greenlight.conf"
        for line in files.read_damaged_text(f"{SOCKET_FOLDER}/{name}").splitlines()
        if re.match(r"\s*ListenStream\s*=\s*\S", line)
    ]


def option_leftovers() -> list[str]:
    """Return options of sshd's command line that beat all files, in words."""
    said = re.findall(r"^\s*SSHD_OPTS=(.*)$", files.read_damaged_text(OPTIONS), re.MULTILINE)[-1:]
    return [
        f"{OPTIONS} has SSHD_OPTS={value}, which beats all settings in files. Empty it."
        for value in said
        if re.search(r"(^|\s)-[pofh]", value.strip("\"' "))
    ]
