# A bare droplet: systemd, sshd, Python with its apt binding as cloud images have it (check mode of the apt module
# needs it), and nothing that setup-api.yml is there to install.
ARG PARENT
FROM ${PARENT}
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      systemd systemd-sysv dbus openssh-server sudo python3 python3-apt ca-certificates iproute2 \
 && apt-get clean \
 && rm -rf /var/lib/apt/lists/* /var/log/*.log /var/log/apt /etc/ssh/ssh_host_* \
 # Packages installed later start their services, as on a real host, and keep the distribution's defaults.
 && rm -f /usr/sbin/policy-rc.d /etc/apt/apt.conf.d/80greenlight \
 && printf 'Acquire::Languages "none";\n' > /etc/apt/apt.conf.d/80greenlight \
 # Units that need hardware, a console or the host's kernel.
 && systemctl mask systemd-udevd.service systemd-udevd-kernel.socket systemd-udevd-control.socket \
      systemd-modules-load.service systemd-sysctl.service systemd-remount-fs.service \
      sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
      dev-hugepages.mount dev-mqueue.mount getty.target console-getty.service \
      systemd-firstboot.service systemd-networkd-wait-online.service \
      apt-daily.timer apt-daily-upgrade.timer \
 && systemctl enable ssh.service \
 && systemctl set-default multi-user.target \
 && install -d -m 700 /root/.ssh
ENV container=docker
STOPSIGNAL SIGRTMIN+3
CMD ["/sbin/init"]
