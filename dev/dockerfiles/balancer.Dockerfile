# The load balancer in front of the droplets.
ARG PARENT
FROM ${PARENT}
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends haproxy \
 && apt-get clean \
 && rm -rf /var/lib/apt/lists/* /var/log/*.log /var/log/apt
STOPSIGNAL SIGTERM
CMD ["haproxy", "-W", "-db", "-f", "/etc/haproxy/haproxy.cfg"]
