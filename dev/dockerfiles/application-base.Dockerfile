# What the sample API stands on: Python and a user that is not root.
ARG PARENT
FROM ${PARENT}
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3 \
 && apt-get clean \
 && rm -rf /var/lib/apt/lists/* /var/log/*.log /var/log/apt \
 && useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin app
