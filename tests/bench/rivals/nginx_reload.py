# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blue-green behind nginx: its upstream is rewritten, then `nginx -s reload`."""

from __future__ import annotations

UPSTREAM = "/etc/nginx/conf.d/bench-nginx-upstream.conf"
SITE = "/etc/nginx/conf.d/bench-nginx-site.conf"


class Nginx:
    """The distribution's nginx with one site and an upstream that keeps connections."""

    name = "nginx reload"
    port = 8083
    app = "bench-nginx"

    def install(self) -> str:
        """Return the script that makes it listen on `port`; safe to repeat."""
        return f"""cat > {SITE} <<'END'
server {{
    listen 127.0.0.1:{self.port} backlog=4096;
    location / {{
        proxy_pass http://bench_nginx;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
}}
END
idle=$(cat /root/{self.app}-live 2>/dev/null || echo {self.port + 100})
{self.switch()}
"""

    def switch(self) -> str:
        """Return the script that points it to `$idle` and reloads it."""
        return f"""cat > {UPSTREAM} <<END
upstream bench_nginx {{
    server 127.0.0.1:$idle;
    keepalive 64;
}}
END
nginx -t -q
nginx -s reload"""

    def remove(self) -> str:
        """Return the script that removes it."""
        return f"rm -f {SITE} {UPSTREAM}\nnginx -s reload"
