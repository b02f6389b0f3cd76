# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A crowded host: hundreds of images and containers of somebody else, put there and taken away."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dev.shell import CommandError
from tests.bench.droplet import BenchDroplet

NAME = "greenlight-bench-crowd"
"""Repository of the images, prefix of the containers' names, and the label of both."""

LAYER = "layer.tar"
AT_ONCE = 4


def _layer() -> bytes:
    """Return the one layer of all images: a tar of a single file."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        _put(tar, "crowd", b"one of many\n")
    return stream.getvalue()


def _put(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def image_config(number: int, architecture: str, layer: bytes) -> dict[str, Any]:
    """Return the configuration of image `number`; its checksum is the image's identifier."""
    return {
        "architecture": architecture,
        "os": "linux",
        "config": {"Cmd": ["/crowd"], "Labels": {NAME: str(number)}},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [{"created_by": f"image {number} of a crowd"}],
    }


def archive(count: int, architecture: str) -> bytes:
    """Return what `docker load` makes `count` images of, all different, with one layer."""
    layer, stream = _layer(), io.BytesIO()
    manifest: list[dict[str, Any]] = []
    with tarfile.open(fileobj=stream, mode="w") as tar:
        _put(tar, LAYER, layer)
        for number in range(1, count + 1):
            content = json.dumps(image_config(number, architecture, layer)).encode()
            name = f"{hashlib.sha256(content).hexdigest()}.json"
            _put(tar, name, content)
            tags = [f"{NAME}:{number}"]
            manifest.append({"Config": name, "RepoTags": tags, "Layers": [LAYER]})
        _put(tar, "manifest.json", json.dumps(manifest).encode())
    return stream.getvalue()


def count_of(droplet: BenchDroplet) -> tuple[int, int]:
    """Return how many images and containers the droplet has, whosever they are."""
    text = droplet.run("docker images -q | sort -u | wc -l; docker ps -aq | wc -l")
    images, containers = (int(line) for line in text.split())
    return images, containers


def _fill(droplet: BenchDroplet, images: int, containers: int) -> None:
    architecture = droplet.run("docker version --format '{{.Server.Arch}}'")
    packed = base64.b64encode(archive(images, architecture)).decode()
    droplet.run("base64 -d | docker load -q > /dev/null", script=packed)
    create = f"docker create --label {NAME} --name {NAME}-{{}} --network none {NAME}:{{}}"
    droplet.run(f"seq {containers} | xargs -P {AT_ONCE} -I{{}} {create} > /dev/null")


def empty(droplet: BenchDroplet) -> None:
    """Remove every image and container of the crowd. Raises CommandError when one stays."""
    one_of = f"--filter label={NAME}"
    droplet.run(f"docker ps -aq {one_of} | xargs -r docker rm --force > /dev/null")
    droplet.run(f"docker images -q {one_of} | xargs -r docker rmi --force > /dev/null")
    if left := droplet.run(f"docker ps -aq {one_of}; docker images -q {one_of}"):
        raise CommandError(["docker", "rmi"], "some of the crowd stayed", left)


@contextmanager
def crowd(droplet: BenchDroplet, images: int, containers: int) -> Iterator[None]:
    """Have that many images and created containers more on the droplet for the block.

    Raises CommandError when they cannot be made or removed, ValueError when they are fewer.
    """
    before = count_of(droplet)
    try:
        _fill(droplet, images, containers)
        there = count_of(droplet)
        wanted = (before[0] + images, before[1] + containers)
        if there != wanted:
            raise ValueError(f"the droplet has {there} images and containers, wanted {wanted}")
        yield
    finally:
        empty(droplet)
