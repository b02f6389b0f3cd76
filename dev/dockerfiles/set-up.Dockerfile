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
COPY first_boot.py /usr/local/sbin/first_boot.py
CMD ["/bin/sh", "-c", "python3 /usr/local/sbin/first_boot.py set-up-droplet; exec /sbin/init"]
