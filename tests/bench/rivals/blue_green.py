# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two containers on two published ports behind a proxy whose configuration is rewritten."""

from __future__ import annotations

from typing import Protocol

from tests.bench.droplet import BenchDroplet
from tests.bench.rivals import base

HEALTHY_SECONDS = 60
# A tenth of what scripts usually wait, so that polling is not what is measured.
POLL_SECONDS = 0.1

SCRIPT = """set -eu
export DOCKER_CONFIG={config}
live=$(cat {live} 2>/dev/null || echo {second})
if [ "$live" = {first} ]; then idle={second}; else idle={first}; fi
{begin}
end=$(( $(date +%s) + {seconds} ))
until curl --fail --silent --output /dev/null "http://127.0.0.1:$idle{health}"; do
    if [ "$(date +%s)" -ge "$end" ]; then
        echo "{app}-$idle did not become healthy" >&2
        docker stop "{app}-$idle" >/dev/null
        exit 1
    fi
    sleep {poll}
done
{switch}
echo "$idle" > {live}
docker stop "{app}-$live" >/dev/null 2>&1 || true
"""
NEW = """docker pull --quiet {image} >/dev/null
docker rm --force "{app}-$idle" >/dev/null 2>&1 || true
docker run --detach --name "{app}-$idle" --restart unless-stopped \\
    --publish "127.0.0.1:$idle:{container_port}" {image} >/dev/null"""
OLD = """docker start "{app}-$idle" >/dev/null"""


class Proxy(Protocol):
    """The proxy in front, in shell commands; `$idle` is the port that shall be live."""

    name: str
    port: int
    app: str

    def install(self) -> str:
        """Return the script that makes it listen on `port`; safe to repeat."""

    def switch(self) -> str:
        """Return the script that points it to `$idle` and reloads it."""

    def remove(self) -> str:
        """Return the script that removes it."""


class BlueGreen(base.OnDroplet):
    """A blue-green release by a shell script that is piped over one SSH connection."""

    def __init__(self, proxy: Proxy) -> None:
        """Stand behind `proxy`."""
        self._proxy = proxy
        self.name = proxy.name
        self.port = proxy.port

    def _config(self) -> str:
        return f"/root/.docker-{self._proxy.app}"

    def script(self, sha: str = "") -> str:
        """Return the script that releases a commit; without one, the one that goes back."""
        values = {
            "app": self._proxy.app,
            "config": self._config(),
            "live": f"/root/{self._proxy.app}-live",
            "first": self.port + 100,
            "second": self.port + 200,
            "seconds": HEALTHY_SECONDS,
            "poll": POLL_SECONDS,
            "health": base.HEALTH,
            "container_port": base.CONTAINER_PORT,
            "image": base.image_of(sha),
        }
        begin = (NEW if sha else OLD).format(**values)
        return SCRIPT.format(**values, begin=begin, switch=self._proxy.switch())

    def prepare(self, droplet: BenchDroplet) -> None:
        """Install the proxy and log in at the registry. Raises RivalError."""
        self._droplet = droplet
        base.install(droplet)
        base.on_droplet(droplet, f"set -eu\n{self._proxy.install()}")
        base.log_in(droplet, self._config())

    def release(self, sha: str) -> None:
        """Start beside the old one, reload the proxy, stop the old one. Raises RivalError."""
        base.on_droplet(self._host(), self.script(sha))

    def rollback(self) -> None:
        """Start the container before again and reload the proxy. Raises RivalError."""
        base.on_droplet(self._host(), self.script())

    def clean(self) -> None:
        """Remove its containers, its proxy and its login. Raises RivalError."""
        app = self._proxy.app
        names = f"{app}-{self.port + 100} {app}-{self.port + 200}"
        containers = f"docker rm --force {names} >/dev/null 2>&1 || true"
        files = f"rm -rf {self._config()} /root/{app}-live"
        base.on_droplet(self._host(), f"{self._proxy.remove()}\n{containers}\n{files}\n")
