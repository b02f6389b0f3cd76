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
