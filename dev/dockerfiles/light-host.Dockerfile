# A light test host: a droplet's system with what set-up would install for releases. It runs sshd and HAProxy alone; the
# engine is that of the machine that all light hosts live on.
ARG PARENT
FROM ${PARENT}
RUN printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d \
 && chmod 755 /usr/sbin/policy-rc.d \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      haproxy python3-docker python3-jmespath \
 && apt-get clean \
 # HAProxy starts when set-up has written the configuration; the package's own is not it.
 && rm -rf /var/lib/apt/lists/* /var/log/*.log /var/log/apt /usr/sbin/policy-rc.d /etc/haproxy/haproxy.cfg
# In place of systemd, which does not run here: it starts the watchdog of a run, and does nothing else.
RUN printf '%s\n' '#!/bin/sh' 'for word in "$@"; do' '  case "$word" in' \
      '    greenlight-watchdog@*.service) unit="${word#greenlight-watchdog@}" ;;' \
      '    restart) start=yes ;;' '  esac' 'done' \
      'if [ -n "$start" ] && [ -n "$unit" ]; then' \
      '  setsid -f /usr/local/sbin/greenlight watchdog "${unit%.service}" </dev/null >/dev/null 2>&1' 'fi' \
      > /usr/local/bin/systemctl \
 && chmod 755 /usr/local/bin/systemctl
