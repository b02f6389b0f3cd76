# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The usual SSH script: stop the old container, run the new one, hope."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from tests.bench.droplet import BenchDroplet
from tests.bench.rivals import base

ATTEMPTS = 12
PAUSE_SECONDS = 5

SCRIPT = """set -eu
export DOCKER_CONFIG={config}
start() {{
    docker run --detach --name {app} --restart unless-stopped \\
        --publish 127.0.0.1:{port}:{container_port} {environment} "$1" >/dev/null
}}
old=$(docker container inspect --format '{{{{.Config.Image}}}}' {app} 2>/dev/null || true)
docker pull --quiet {image} >/dev/null
if [ -n "$old" ]; then
    docker stop {app} >/dev/null
    docker rm {app} >/dev/null
fi
start {image}
for attempt in $(seq {attempts}); do
    if curl --fail --silent --output /dev/null http://127.0.0.1:{port}{health}; then
        exit 0
    fi
    sleep {pause}
done
echo "{app} did not become healthy; starting the old image again" >&2
docker rm --force {app} >/dev/null
if [ -n "$old" ]; then
    start "$old"
fi
exit 1
"""


class StopFirstScript(base.OnDroplet):
    """A shell script that is piped over one SSH connection, as found in many repositories."""

    name = "stop-first script"
    port = 8081
    _app = "bench-script"
    _config = "/root/.docker-bench-script"

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """Give the container these variables; know of no release yet."""
        self._environment = dict(environment or {})
        self._released: list[str] = []

    def script(self, sha: str) -> str:
        """Return the script that releases a commit."""
        return SCRIPT.format(
            app=self._app,
            config=self._config,
            image=base.image_of(sha),
            port=self.port,
            container_port=base.CONTAINER_PORT,
            health=base.HEALTH,
            attempts=ATTEMPTS,
            pause=PAUSE_SECONDS,
            environment=" ".join(
                f"--env {shlex.quote(f'{name}={value}')}"
                for name, value in self._environment.items()
            ),
        )

    def prepare(self, droplet: BenchDroplet) -> None:
        """Install curl and log in at the registry. Raises RivalError."""
        self._droplet = droplet
        base.install(droplet)
        base.log_in(droplet, self._config)

    def release(self, sha: str) -> None:
        """Stop the old container, then run the new one. Raises RivalError when it failed."""
        base.on_droplet(self._host(), self.script(sha))
        self._released = [*self._released[-1:], sha]

    def rollback(self) -> None:
        """Release the commit before; a script knows no other way. Raises RivalError."""
        if len(self._released) < 2:
            raise base.RivalError(f"{self.name} has no release to go back to")
        self.release(self._released[0])

    def clean(self) -> None:
        """Remove its container and its login. Raises RivalError."""
        remove = f"docker rm --force {self._app} >/dev/null 2>&1 || true"
        base.on_droplet(self._host(), f"{remove}\nrm -rf {self._config}\n")
        self._released = []
