# A minimal system with this machine's own apt settings, so that packages come from where it takes its own.
ARG PARENT
FROM ${PARENT}
COPY machine.list machine.conf /tmp/machine/
RUN if [ -s /tmp/machine/machine.list ]; then \
      rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*; \
      cp /tmp/machine/machine.list /etc/apt/sources.list; \
    fi \
 && cp /tmp/machine/machine.conf /etc/apt/apt.conf.d/90machine \
 && rm -rf /tmp/machine \
 && printf 'path-exclude=/usr/share/%s/*\n' doc man locale info lintian > /etc/dpkg/dpkg.cfg.d/greenlight \
 && printf 'path-include=/usr/share/doc/*/copyright\n' >> /etc/dpkg/dpkg.cfg.d/greenlight \
 && printf 'APT::Install-Recommends "false";\nAcquire::Languages "none";\n' > /etc/apt/apt.conf.d/80greenlight \
 && printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d \
 && chmod 755 /usr/sbin/policy-rc.d \
 && rm -f /etc/apt/apt.conf.d/docker-clean \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get upgrade -y \
 && apt-get clean \
 && rm -rf /var/lib/apt/lists/* /var/log/*.log /var/log/apt
