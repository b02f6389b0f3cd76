# The machine that all light test hosts live on: it boots systemd and runs the one Docker engine that they share.
ARG PARENT
FROM ${PARENT}
RUN printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d \
 && chmod 755 /usr/sbin/policy-rc.d \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends docker.io iptables \
 && apt-get clean \
 && systemctl enable docker.service \
 && systemctl disable haproxy.service ssh.service \
 && rm -rf /var/lib/apt/lists/* /var/log/*.log /var/log/apt /usr/sbin/policy-rc.d
