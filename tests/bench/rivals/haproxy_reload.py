# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blue-green behind an HAProxy of its own: its configuration is rewritten, then reloaded."""

from __future__ import annotations

FOLDER = "/etc/bench-haproxy"
UNIT = "bench-haproxy.service"


class Haproxy:
    """A second instance of the distribution's HAProxy beside ours, as its own unit."""

    name = "HAProxy reload"
    port = 8084
    app = "bench-haproxy"

    def install(self) -> str:
        """Return the script that makes it listen on `port`; safe to repeat."""
        return f"""mkdir -p {FOLDER}
cat > /etc/systemd/system/{UNIT} <<'END'
[Unit]
Description=HAProxy of a rival
[Service]
Type=notify
ExecStart=/usr/sbin/haproxy -Ws -f {FOLDER}/haproxy.cfg -p /run/bench-haproxy.pid
ExecReload=/usr/sbin/haproxy -c -q -f {FOLDER}/haproxy.cfg
ExecReload=/bin/kill -USR2 $MAINPID
KillMode=mixed
SuccessExitStatus=143
END
systemctl daemon-reload
idle=$(cat /root/{self.app}-live 2>/dev/null || echo {self.port + 100})
{self._write()}
systemctl restart {UNIT}
"""

    def _write(self) -> str:
        return f"""cat > {FOLDER}/haproxy.cfg <<END
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend application
    bind 127.0.0.1:{self.port}
    default_backend application
backend application
    server live 127.0.0.1:$idle
END"""

    def switch(self) -> str:
        """Return the script that points it to `$idle` and reloads it."""
        return f"{self._write()}\nsystemctl reload {UNIT}"

    def remove(self) -> str:
        """Return the script that removes it."""
        unit = f"/etc/systemd/system/{UNIT}"
        stop = f"systemctl stop {UNIT} || true"
        return f"{stop}\nrm -rf {unit} {FOLDER}\nsystemctl daemon-reload"
