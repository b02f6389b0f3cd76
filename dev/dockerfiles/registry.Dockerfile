# The image registry, the real one, with the tool that makes its password file.
ARG PARENT
FROM ${PARENT}
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      docker-registry apache2-utils ca-certificates \
 && apt-get clean \
 && rm -rf /var/lib/apt/lists/* /var/log/*.log /var/log/apt
CMD ["docker-registry", "serve", "/etc/docker/registry/config.yml"]
