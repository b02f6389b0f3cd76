# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation fragment: the options of a release or rollback.

Written by `make options` from scripts/options.yml: change it there.
"""

from __future__ import annotations


class ModuleDocFragment:
    """The options of a release or rollback."""

    DOCUMENTATION = r"""
options:
  app:
    description: Name of the application, as set-up knows it.
    type: str
    default: api
  image:
    description: Repository of the image without tag, with the registry's host. Not needed
      for what the host has retained.
    type: str
    default: ''
  tag:
    description: Tag of the image for the SHA, such as V(sha-) and the first seven digits.
      Empty means the SHA itself. A SHA prefix inside it is completed from the registry's
      tags.
    type: str
    default: ''
  registry_username:
    description: User of the registry. Used for the one pull and stored nowhere on the
      host.
    type: str
    default: ''
  registry_password:
    description: Password or token of that user.
    type: str
    default: ''
  registry_plain_http:
    description: Ask the registry without TLS. For a registry on a private network that
      Docker lists as insecure.
    type: bool
    default: false
  pull_seconds:
    description: Seconds that a pull may take in all.
    type: float
    default: 300.0
  env:
    description: Environment of the container that may be seen in output. What is a number
      or a boolean to YAML, such as V(0123), V(22:22) and V(NO), belongs in quotes.
    type: dict
    default: {}
  secrets:
    description: Environment of the container that may be seen nowhere. An empty value
      is refused.
    type: dict
    default: {}
  command:
    description: Command in place of the image's own.
    type: list
    elements: str
    default: []
  user:
    description: User of the container in place of the image's own.
    type: str
    default: ''
  allow_root:
    description: Run the container as root when its image, or O(user), says so. Refused
      otherwise.
    type: bool
    default: false
  memory:
    description: Memory limit, a number and one of b, k, m and g, at least V(6m); swap
      is not added to it.
    type: str
    default: 512m
  cpus:
    description: Processors that the container may use, at least V(0.01). V(0) sets no
      limit.
    type: float
    default: 0.0
  cpu_shares:
    description: Weight of the container while processors are scarce, 2 to 262144; the
      host's own services weigh more than the default. V(0) leaves it to Docker.
    type: int
    default: 512
  pids_limit:
    description: Most processes and threads in the container.
    type: int
    default: 512
  ulimits:
    description: Resource limits by name, such as V(nofile), soft and hard in one, where
      the engine's own do not fit.
    type: dict
    default: {}
  read_only:
    description: Mount the root file system read-only.
    type: bool
    default: true
  tmpfs:
    description: Folders of the container that are writable in memory.
    type: list
    elements: str
    default:
      - /tmp
  tmpfs_size:
    description: Size of each of them, a number and one of b, k, m and g. It counts as
      memory of the container.
    type: str
    default: 64m
  cap_add:
    description: Linux capabilities to give back; all of them are dropped.
    type: list
    elements: str
    default: []
  apparmor_profile:
    description: AppArmor profile of the container, which must be loaded on the host.
      Empty means Docker's own.
    type: str
    default: ''
  volumes:
    description: Volumes and bind mounts as Docker writes them, such as V(uploads:/srv/uploads)
      and V(/etc/api:/etc/api:ro).
    type: list
    elements: str
    default: []
  init:
    description: Run a small init process that reaps children and passes signals on.
    type: bool
    default: true
  stop_timeout:
    description: Seconds between SIGTERM and SIGKILL when the old release is stopped.
    type: int
    default: 30
  log_max_size:
    description: Size at which the container's log file is rotated, a number and one of
      b, k, m and g.
    type: str
    default: 10m
  log_max_files:
    description: How many of the container's log files are kept.
    type: int
    default: 3
  health:
    description: How the release proves that it works. Redirects are not followed.
    type: dict
    default: {}
    suboptions:
      path:
        description: Path to ask.
        type: str
        default: /v1/health
      host:
        description: Host header of the request.
        type: str
        default: localhost
      status:
        description: Statuses that are healthy.
        type: list
        elements: int
        default:
          - 200
      expect:
        description: JMESPath expression on the JSON body that must give true. Empty asks
          for none.
        type: str
        default: ''
      interval:
        description: Seconds between two checks; at most 0.05 until the first healthy
          answer.
        type: float
        default: 0.05
      timeout:
        description: Seconds that one answer may take.
        type: float
        default: 2.0
      successes:
        description: Healthy answers in a row that pass the gate.
        type: int
        default: 3
      deadline:
        description: Seconds from the start of the container within which the gate must
          be passed.
        type: float
        default: 60.0
  watch:
    description: How the release is watched after the cutover, while the old container
      still runs.
    type: dict
    default: {}
    suboptions:
      seconds:
        description: How long, in seconds. V(0) does not watch.
        type: float
        default: 10.0
      interval:
        description: Seconds between two looks.
        type: float
        default: 0.5
      failed_checks:
        description: Health checks in a row through the proxy that may fail before the
          release goes back.
        type: int
        default: 2
      min_errors:
        description: Failed requests, counted by HAProxy in the new slot, below which
          the share does not matter.
        type: int
        default: 3
      max_error_percent:
        description: Share of failed requests above which the release goes back.
        type: float
        default: 5.0
      answer_seconds:
        description: Seconds without the head of an answer after which a request counts
          as failed.
        type: float
        default: 5.0
  canary:
    description: A share of the requests for the new release before its cutover, under
      the limits of O(watch). Needs nothing but the runtime socket, and ends with a restart
      of HAProxy.
    type: dict
    default: {}
    suboptions:
      percent:
        description: Share of the requests in percent, 1 to 99. V(0) is no canary.
        type: int
        default: 0
      seconds:
        description: How long, in seconds.
        type: float
        default: 30.0
  drain_seconds:
    description: Seconds to wait for requests in flight on the old slot. What is left
      then is closed.
    type: float
    default: 30.0
  standby:
    description:
      - What becomes of the old container in the end. V(stopped) stops it and keeps it.
      - V(warm) lets it run for O(warm_seconds) more, so that a rollback is the gate and
        the pointer alone. A timer of systemd stops it then, unless it is live again.
    type: str
    choices:
      - stopped
      - warm
    default: stopped
  warm_seconds:
    description: Seconds for which a warm standby goes on running.
    type: float
    default: 900.0
  retain:
    description: How many releases' images are kept on the host, the live and the standby
      one among them. At least 2.
    type: int
    default: 5
  holder:
    description: Who releases, for the journal and for the error that others get meanwhile.
    type: str
    default: ''
  ci_run:
    description: Address of the CI run that releases, for the journal.
    type: str
    default: ''
  lock_wait:
    description: Seconds to wait for another process on this host that holds the lock.
    type: float
    default: 0.0
  lease_seconds:
    description: Seconds for which this host waits for the next phase of the run. When
      they are over it takes the run back. Role P(greenlight.droplet.app#role) reckons
      them from what the other hosts may take.
    type: float
    default: 120.0
  first:
    description: Whether no host of the run has served anything before it. Then a host
      keeps what it has cut over to when the run is cut off, since it serves better than
      nothing does.
    type: bool
    default: true
  controller:
    description: The process that leads the run, as M(greenlight.droplet.release_run)
      names it.
    type: str
    default: ''
  command_version:
    description: The version that the command C(greenlight) on the host should have. When
      it has, its code carries out the call, which spares compiling the same code once
      more. When it has not, RV(outdated_command) says so, and a run that would begin
      with V(settled) does nothing yet. Empty takes whatever is there.
    type: str
    default: ''
  break_lease:
    description: Reason to end another run's reservation at once. It is written to the
      journal.
    type: str
    default: ''
  ignore_freeze:
    description: Reason to release although releases are frozen. It is written to the
      journal.
    type: str
    default: ''
requirements:
  - python3-docker
  - python3-jmespath (for O(health.expect))
"""
