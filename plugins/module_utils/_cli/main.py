# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command `greenlight` on a droplet: arguments in, calls into the packages, text for people.

Exit codes: 0 done, 1 failed with the reason on stderr, 2 a mistake on the command line. Each
subcommand imports what it needs when it is called, so that a small one starts fast.
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import typing as t

from .._core.console import complain, say
from .._core.errors import GreenlightError
from .._state.installation import installed_version

Options = argparse.Namespace


def main(arguments: t.Sequence[str]) -> int:
    """Carry out one call; return its exit code."""
    options = _parser().parse_args(arguments)
    if os.geteuid() != 0:
        return _fail("only root may do this; say 'sudo greenlight ...'")
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except GreenlightError as exc:
        return _fail(str(exc))
    except KeyboardInterrupt:
        return _fail("interrupted; 'greenlight status' shows what serves now")
    except BrokenPipeError:
        # Whoever read the output has gone. Python's own flush at the end must not say so again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _fail(reason: str) -> int:
    complain(f"greenlight: {reason}")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="greenlight",
        description="Show what serves on this host, and go back to the release before.",
        epilog="Exit codes: 0 done, 1 failed (the reason is on stderr), 2 wrong usage.",
    )
    version = installed_version() or "not installed"
    parser.add_argument("--version", action="version", version=f"greenlight {version}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_people_commands(commands)
    _add_timer_commands(commands)
    return parser


class _Commands(t.Protocol):
    def add_parser(self, name: str, **named: t.Any) -> argparse.ArgumentParser: ...


def _add(
    commands: _Commands, name: str, run: t.Callable[[Options], int], text: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    return parser


def _add_people_commands(commands: _Commands) -> None:
    status = _add(commands, "status", _status, "Show what serves, and what can be gone back to.")
    status.add_argument("app", metavar="APP", nargs="?", help="one application; default: all")
    status.add_argument("--json", action="store_true", help="print all facts as JSON")
    rollback = _add(commands, "rollback", _rollback, "Release the previous, or a named, SHA again.")
    rollback.add_argument("app", metavar="APP")
    rollback.add_argument("--sha", default="", help="7 to 40 digits of a SHA kept on this host")
    rollback.add_argument("--release", default="", help="a release, as 'greenlight status' has it")
    rollback.add_argument(
        "--break-lease", metavar="REASON", default="", help="go on beside another run's lease"
    )
    rollback.add_argument(
        "--with-defaults",
        action="store_true",
        help="start an image of which no container is left without environment and secrets",
    )
    revert = _add(commands, "revert", _revert, "Take back what an unfinished run has done here.")
    revert.add_argument("app", metavar="APP")
    revert.add_argument("--run", dest="run_id", default="", help="default: the unfinished one")


def _add_timer_commands(commands: _Commands) -> None:
    watchdog = _add(commands, "watchdog", _watchdog, "Take a run back that nobody renews.")
    watchdog.add_argument("app", metavar="APP")
    retire = _add(commands, "retire", _retire, "Stop a warm standby, unless it is led to.")
    retire.add_argument("app", metavar="APP")
    retire.add_argument("container", metavar="CONTAINER", help="full identifier")
    retire.add_argument("grace", metavar="GRACE_SECONDS", type=int, help="SIGTERM to SIGKILL")
    networks = _add(commands, "networks", _networks, "Read the networks the firewall allows anew.")
    networks.add_argument("names", metavar="DOCUMENT", nargs="*", help="default: all")
    _add(commands, "restore-secrets", _restore_secrets, "Lay out secrets that are given as files.")
    restore = _add(commands, "restore-access", _restore_access, "Put the old way in back.")
    restore.add_argument("--check", action="store_true", help="only see that it could be done")


def _load(name: str) -> t.Any:
    """Import a module of the packages now, because only this subcommand needs it."""
    return importlib.import_module(name, __package__)


def _status(options: Options) -> int:
    return int(_load(".status").show(options.app, as_json=options.json))


def _rollback(options: Options) -> int:
    _outlive_the_terminal()
    named = {"release": options.release, "with_defaults": options.with_defaults}
    say(_load(".actions").rollback(options.app, options.sha, options.break_lease, **named))
    return 0


def _revert(options: Options) -> int:
    _outlive_the_terminal()
    say(_load(".actions").revert(options.app, options.run_id))
    return 0


def _outlive_the_terminal() -> None:
    """Go on when the connection to the person is lost: half a rollback helps nobody."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _watchdog(options: Options) -> int:
    say(_load(".._release.watchdog").watch_over(options.app))
    return 0


def _retire(options: Options) -> int:
    retire = _load(".._release.retire").retire
    say(f"{options.container[:12]}: {retire(options.app, options.container, options.grace)}")
    return 0


def _networks(options: Options) -> int:
    return int(_load(".._firewall.refresh").refresh_all(options.names))


def _restore_secrets(_options: Options) -> int:
    return int(_load(".secret_files").restore())


def _restore_access(options: Options) -> int:
    restore = _load(".._access.restore")
    return 0 if options.check else int(restore.main())
