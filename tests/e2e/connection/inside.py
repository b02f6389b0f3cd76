# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connection inside: a droplet reached by the engine that runs it, with no SSH at all."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: inside
short_description: Run commands in a droplet's container
description:
  - For tests of playbooks on a connection that is not SSH.
author:
  - Greenlight contributors (@greenlight)
options:
  remote_addr:
    description: Name of the host, of which the container has its own.
    vars:
      - name: inventory_hostname
"""

COMMAND = "GREENLIGHT_TEST_INSIDE"
"""Environment variable with the command up to the container's name, as a JSON list."""


class Connection(ConnectionBase):
    """Each command is one process in the container."""

    transport = "inside"
    has_pipelining = True

    def _connect(self) -> Connection:
        self._connected = True
        return self

    def _run(self, command: str, given: bytes | None) -> tuple[int, bytes, bytes]:
        words = json.loads(os.environ[COMMAND])
        container = f"greenlight-fleet-{self.get_option('remote_addr')}"
        done = subprocess.run(
            [*words, container, "/bin/sh", "-c", command],
            input=given,
            capture_output=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def exec_command(
        self, cmd: str, in_data: bytes | None = None, sudoable: bool = True
    ) -> tuple[int, bytes, bytes]:
        """Run a command; its exit code, output and errors."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        return self._run(cmd, in_data)

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy a file into the container."""
        super().put_file(in_path, out_path)
        code, _out, said = self._run(f"cat > '{out_path}'", Path(in_path).read_bytes())
        if code:
            raise AnsibleConnectionFailure(f"{out_path}: {said!r}")

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy a file out of the container."""
        super().fetch_file(in_path, out_path)
        code, content, said = self._run(f"cat '{in_path}'", None)
        if code:
            raise AnsibleConnectionFailure(f"{in_path}: {said!r}")
        Path(out_path).write_bytes(content)

    def close(self) -> None:
        """Nothing stays open."""
        self._connected = False
