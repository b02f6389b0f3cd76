# A droplet that setup-api.yml has set up, see dev/set_up.py. What was the first droplet's own goes here; each one that
# is started from this image gets the same of its own: keys, machine-id and name, as from a provider's image.
ARG PARENT
FROM ${PARENT}
RUN rm -rf /var/lib/docker \
 && mv /var/lib/docker.seed /var/lib/docker \
 && rm -rf /etc/ssh/ssh_host_* /root/.ssh/authorized_keys /etc/docker/key.json /var/lib/docker/engine-id \
      /var/log/journal/* /var/lib/systemd/random-seed \
 # Empty means: make one at the next boot, without setting all units to their presets as at a first one.
 && : > /etc/machine-id \
 && ln -sf /etc/machine-id /var/lib/dbus/machine-id
# Repeated at every boot, and without effect from the second one on.
CMD ["/bin/sh", "-c", "grep -rlZ set-up-droplet /etc | xargs -0 -r sed -i \"s/set-up-droplet/$(hostname)/g\"; \
test -e /etc/ssh/ssh_host_rsa_key || ssh-keygen -q -t rsa -b 3072 -N '' -f /etc/ssh/ssh_host_rsa_key; \
exec /sbin/init"]
