# The machine that all light test hosts live on: it boots systemd and runs the one Docker engine that they share. Its
# systemctl is the real one, not the light hosts' stand-in.
ARG PARENT
FROM ${PARENT}
RUN rm /usr/local/bin/systemctl && printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d \
 && chmod 755 /usr/sbin/policy-rc.d \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends docker.io iptables \
 && apt-get clean \
 && systemctl enable docker.service \
 && systemctl disable haproxy.service ssh.service \
 && rm -rf /var/lib/apt/lists/* /var/log/*.log /var/log/apt /usr/sbin/policy-rc.d
