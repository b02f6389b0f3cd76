# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The droplet under test: modules run, killed and cut off on it; its power; what is on it.

A power cut is SIGKILL for the first process of the droplet's PID namespace, and so for every one in
it at the same instant: reboot(2) with LINUX_REBOOT_CMD_POWER_OFF does the same there. It is sent
from outside, while the module waits at its point, because then no program of ours can ever ask the
wrong machine to power off. What had not been fsynced survives it, for the page cache is the real
machine's.
"""

from __future__ import annotations

import json
import shlex
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack
from subprocess import SubprocessError
from types import TracebackType
from typing import Any

from dev import bases, docker_cli, droplets, settings
from tests.integration.support import direct
from tests.integration.support.ansible import Ansible, Result
from tests.integration.support.bench import APP, Bench
from tests.integration.support.machine import Machine

FOLDER = "/opt/greenlight-crash"
STATE_FOLDER = f"/var/lib/greenlight/{APP}"
RUNNER = "python3 -B -m tests.crash.remote.runner"
ANSWER_SECONDS = 90.0
DISTRIBUTION = bases.DISTRIBUTIONS[bases.DEFAULT_DISTRIBUTION]


class NotReachedError(AssertionError):
    """The module ended without coming by the point at which it was to be killed."""


class Target:
    """The droplet under test and its application's URL as the client's host reaches it."""

    def __init__(self, name: str, client: Machine, ansible: Ansible) -> None:
        self._droplet = droplets.Droplet(name)
        self._client = client
        self._ansible = ansible
        self._stack = ExitStack()
        self._address = ""
        self.url = ""
        self.bench = self._connect()

    def __enter__(self) -> Target:
        """Open the tunnel."""
        self._open_tunnel()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the tunnel and the folders of the connections."""
        self._stack.close()

    def _connect(self) -> Bench:
        """Connect anew: after a power cut the old connection hangs rather than ends."""
        sockets = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="ssh-"))
        password = settings.REGISTRY_PASSWORD.read_text(encoding="utf-8").strip()
        return Bench(Machine(self._droplet.name, sockets), self._ansible, password)

    def _open_tunnel(self) -> None:
        address = self.bench.machine.address
        if address != self._address:
            port = settings.APPLICATION_PORT
            self.url = self._stack.enter_context(self._client.tunnel(address, port))
            self._address = address

    def install(self) -> None:
        """Put ansible-core's share, the collection and the instrumentation on the droplet."""
        self.bench.install()
        direct.install(self.bench.machine, FOLDER, "tests/crash/remote")

    # -- modules

    def run(self, module: str, parameters: Mapping[str, Any]) -> Result:
        """Run a module to its end."""
        return parse(self._run(module, parameters, "plain"))

    def record(self, module: str, parameters: Mapping[str, Any]) -> list[str]:
        """Run a module to its end and return the keys of its points."""
        folder = self._scratch()
        output = self._run(module, parameters, "record", folder)
        parse(output).ok()
        return list(self.bench.machine.json(f"cat {folder}/points.json"))

    def kill(self, module: str, parameters: Mapping[str, Any], key: str) -> None:
        """Run a module and let it be killed at a point. Raises NotReachedError."""
        command = self._command(module, parameters, "kill", self._scratch(), key)
        output = self.bench.sh(f"( {command}\n)\necho code $?", check=False)
        if not output.endswith("code 137\n"):
            raise NotReachedError(output[-2000:])

    def cut(self, module: str, parameters: Mapping[str, Any], key: str) -> None:
        """Run a module and cut the droplet's power at a point. Raises NotReachedError."""
        folder = self._scratch()
        command = self._command(module, parameters, "pause", folder, key)
        waiting = (
            f"({command}\n) > {folder}/output 2>&1 &\n"
            f"for i in $(seq 2000); do test -e {folder}/reached && exit 0;"
            f" kill -0 $! || break; sleep 0.02; done; cat {folder}/output; exit 1"
        )
        output = self.bench.sh(f"({waiting}) 2>&1 || echo NOT REACHED", check=False)
        if "NOT REACHED" in output:
            raise NotReachedError(output[-2000:])
        container = settings.container(self._droplet.name)
        docker_cli.docker("container", "kill", "--signal", "KILL", container)

    def _scratch(self) -> str:
        return self.bench.sh("mktemp -d").strip()

    def _command(self, module: str, parameters: Mapping[str, Any], *words: str) -> str:
        arguments = " ".join(shlex.quote(word) for word in (module, *words))
        document = f"<<'END_OF_JSON'\n{json.dumps(parameters)}\nEND_OF_JSON"
        return f"cd {FOLDER} && {RUNNER} {arguments} {document}"

    def _run(self, module: str, parameters: Mapping[str, Any], *words: str) -> str:
        # A module that fails says so in its result, not only by its exit code.
        return self.bench.sh(f"( {self._command(module, parameters, *words)}\n)", check=False)

    # -- power

    def boot(self) -> float:
        """Start the droplet again; return the seconds until its application answers."""
        began = time.monotonic()
        droplets.start(self._droplet, DISTRIBUTION)
        self.bench = self._connect()
        self._open_tunnel()
        while not self._answers():
            assert time.monotonic() < began + ANSWER_SECONDS, "nothing answers after the boot"
            time.sleep(0.1)
        return time.monotonic() - began

    def wait_booted(self) -> None:
        """Wait until systemd has started everything."""
        link = self.bench.machine.connection
        droplets.wait_booted(droplets.Connection(**link))

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/v1/version", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def log(self) -> str:
        """What its services said last, less requests that went well; empty when none answers."""
        script = "journalctl -b --no-pager -o short-precise | grep -v ' 200 ' | tail -n 80"
        try:
            return self.bench.sh(script, check=False)
        except SubprocessError:
            return ""

    # -- images

    def images(self) -> list[dict[str, Any]]:
        """Docker's own description of all images on the droplet."""
        listed = "ids=$(docker images -aq | sort -u)"
        script = f'{listed}; docker image inspect $ids 2>/dev/null || echo "[]"'
        return list(self.bench.machine.json(script))

    def forget_images(self, keep: set[str]) -> None:
        """Remove the images of all releases but those of the SHAs in `keep`."""
        gone = [image["Id"] for image in self.images() if revision(image) not in keep]
        if gone:
            self.bench.sh(f"docker rmi -f {' '.join(gone)}")


def parse(output: str) -> Result:
    """The result that a module has printed, at the end of its output."""
    last = output.rstrip().rpartition("\n")[2]
    assert last.startswith("{"), output[-2000:]
    return Result(json.loads(last))


def revision(image: Mapping[str, Any]) -> str:
    """The SHA that an image says it was built from."""
    labels = image["Config"].get("Labels") or {}
    return str(labels.get("org.opencontainers.image.revision", ""))
