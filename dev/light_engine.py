# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for the engines of light test hosts: Docker's socket API without containers behind it.

Each host has an engine of its own. A container that runs is an HTTP server at the address of its
slot that begins to answer when an application would. Calls take the time that they take on a
droplet, and next to no processor: 32 engines on one machine would otherwise share what 32 hosts
have each. There are no processes, namespaces, limits, logs or layers of images; a call that is not
known is answered with 501 and named in the log. dev/light_engine_server.py serves it.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
import urllib.parse
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

API_VERSION = "1.41"
SECONDS = {"create": 0.01, "start": 0.22, "stop": 0.12, "update": 0.01}
"""How long a call takes on a droplet of the fleet, where an engine does the work."""
APPLICATION_SECONDS = 1.05
"""From the start of a container to the first answer of the sample application that waits 1 s."""
PORT = 3002

Json = dict[str, Any]
Answer = tuple[int, Any]


HEALTHY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 21\r\n"
HEALTHY += b'Connection: close\r\n\r\n{"status": "healthy"}'


class Health(asyncio.Protocol):
    """Answers whatever is asked of an application with the word that all is well.

    Every HAProxy asks several times a second, so this is the cheapest way there is to answer.
    """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a question."""
        self._transport = cast("asyncio.Transport", transport)
        self._asked = b""

    def data_received(self, data: bytes) -> None:
        """Answer when the question is whole, and hang up."""
        self._asked += data
        if b"\r\n\r\n" in self._asked:
            self._transport.write(HEALTHY)
            self._transport.close()


def add_address(address: str) -> None:
    """Give this machine an address more, at which an application can answer."""
    command = ["ip", "address", "replace", f"{address}/32", "dev", "lo"]
    subprocess.run(command, check=True, timeout=10)


class Engine:
    """The state of one host's engine.

    `catalogue` is a file with what can be pulled: a list of Docker's own descriptions of images.
    """

    def __init__(self, catalogue: Path, add: Callable[[str], None] = add_address) -> None:
        self._catalogue = catalogue
        self._add = add
        self._containers: dict[str, Json] = {}
        self._applications: dict[str, asyncio.Server] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._images: dict[str, Json] = {}
        self._networks: list[Json] = []

    # -- containers ------------------------------------------------------------------------------

    async def list_containers(self, query: Json, _body: Json) -> Answer:
        """Answer with the containers that have all labels of the filter."""
        wanted = [label.split("=", 1) for label in filters(query).get("label", [])]
        found = [
            {"Id": one["Id"], "Names": [one["Name"]]}
            for one in self._containers.values()
            if all(one["Config"]["Labels"].get(key) == value for key, value in wanted)
        ]
        return 200, found

    async def inspect_container(self, _query: Json, _body: Json, name: str) -> Answer:
        """Answer with one container."""
        return 200, self._container(name)

    async def create_container(self, query: Json, body: Json) -> Answer:
        """Keep a container as it was asked for."""
        await asyncio.sleep(SECONDS["create"])
        identifier = uuid.uuid4().hex * 2
        self._image(body["Image"])
        endpoints = body["NetworkingConfig"]["EndpointsConfig"].values()
        self._containers[identifier] = {
            "Id": identifier,
            "Name": f"/{query['name']}",
            "Created": stamp(),
            "RestartCount": 0,
            "State": {"Status": "created", "ExitCode": 0, "Pid": 0, "StartedAt": ""},
            "HostConfig": body["HostConfig"],
            "Config": {"Labels": body["Labels"], "Tty": False},
            "Address": next(iter(endpoints))["IPAMConfig"]["IPv4Address"],
        }
        return 201, {"Id": identifier, "Warnings": []}

    async def start_container(self, _query: Json, _body: Json, name: str) -> Answer:
        """Let the application answer when it would."""
        one = self._container(name)
        if one["State"]["Status"] == "running":
            return 304, None
        await asyncio.sleep(SECONDS["start"])
        one["State"] = {"Status": "running", "ExitCode": 0, "Pid": 1, "StartedAt": stamp()}
        task = asyncio.get_running_loop().create_task(self._answer(one))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return 204, None

    async def stop_container(self, _query: Json, _body: Json, name: str) -> Answer:
        """Let the application answer no more."""
        one = self._container(name)
        if one["State"]["Status"] != "running":
            return 304, None
        await asyncio.sleep(SECONDS["stop"])
        one["State"] = {**one["State"], "Status": "exited", "Pid": 0}
        self._silence(one)
        return 204, None

    async def update_container(self, _query: Json, body: Json, name: str) -> Answer:
        """Keep another restart policy."""
        await asyncio.sleep(SECONDS["update"])
        self._container(name)["HostConfig"].update(body)
        return 200, {"Warnings": []}

    async def remove_container(self, _query: Json, _body: Json, name: str) -> Answer:
        """Forget a container."""
        one = self._container(name)
        one["State"]["Status"] = "removing"
        self._silence(one)
        del self._containers[one["Id"]]
        return 204, None

    def _container(self, name: str) -> Json:
        if name not in self._containers:
            raise KeyError(f"No such container: {name}")
        return self._containers[name]

    async def _answer(self, one: Json) -> None:
        started = one["State"]["StartedAt"]
        await asyncio.sleep(APPLICATION_SECONDS)
        if one["State"]["Status"] == "running" and one["State"]["StartedAt"] == started:
            loop = asyncio.get_running_loop()
            server = await loop.create_server(Health, one["Address"], PORT, backlog=64)
            self._applications[one["Id"]] = server

    def _silence(self, one: Json) -> None:
        if server := self._applications.pop(one["Id"], None):
            server.close()

    # -- images ----------------------------------------------------------------------------------

    async def list_images(self, query: Json, _body: Json) -> Answer:
        """Answer with the images that have all labels of the filter."""
        wanted = filters(query).get("label", [])
        images = self._images.values()
        found = [one for one in images if all(key in one["Config"]["Labels"] for key in wanted)]
        return 200, [
            {**image, "Labels": image["Config"]["Labels"], "Config": None} for image in found
        ]

    async def inspect_image(self, _query: Json, _body: Json, name: str) -> Answer:
        """Answer with one image."""
        return 200, self._image(name)

    async def pull_image(self, query: Json, _body: Json) -> Answer:
        """Take an image over from what can be pulled."""
        wanted = f"{query['fromImage']}@{query['tag']}"
        for image in json.loads(self._catalogue.read_text(encoding="utf-8")):
            if wanted in image["RepoDigests"]:
                self._images.setdefault(image["Id"], {**image, "RepoTags": []})
                return 200, {"status": "Image is there"}
        raise KeyError(f"manifest for {wanted} not found")

    async def tag_image(self, query: Json, _body: Json, name: str) -> Answer:
        """Give an image a name, and take it from another one."""
        image, tag = self._image(name), f"{query['repo']}:{query['tag']}"
        for other in self._images.values():
            other["RepoTags"] = [one for one in other["RepoTags"] if one != tag]
        image["RepoTags"].append(tag)
        return 201, None

    async def remove_image(self, _query: Json, _body: Json, name: str) -> Answer:
        """Take a name from an image; it goes with the last one."""
        image = self._image(name)
        for kind in ("RepoTags", "RepoDigests"):
            image[kind] = [one for one in image[kind] if one != name]
        if not image["RepoTags"] and not image["RepoDigests"]:
            del self._images[image["Id"]]
        return 200, []

    def _image(self, name: str) -> Json:
        for image in self._images.values():
            if name in (image["Id"], *image["RepoTags"], *image["RepoDigests"]):
                return image
        raise KeyError(f"No such image: {name}")

    # -- network ---------------------------------------------------------------------------------

    async def list_networks(self, query: Json, _body: Json) -> Answer:
        """Answer with all networks, or with those of a name."""
        names = filters(query).get("name", [])
        return 200, [one for one in self._networks if not names or one["Name"] in names]

    async def inspect_network(self, _query: Json, _body: Json, name: str) -> Answer:
        """Answer with one network and the containers that run on it."""
        for one in self._networks:
            if one["Name"] == name:
                running = [
                    c for c in self._containers.values() if c["State"]["Status"] == "running"
                ]
                return 200, one | {
                    "Containers": {
                        c["Id"]: {
                            "Name": c["Name"].lstrip("/"),
                            "IPv4Address": f"{c['Address']}/24",
                        }
                        for c in running
                    }
                }
        raise KeyError(f"No such network: {name}")

    async def create_network(self, _query: Json, body: Json) -> Answer:
        """Keep a network, and give its first addresses to this machine."""
        subnet = body["IPAM"]["Config"][0]["Subnet"]
        stem = subnet.partition("/")[0].rpartition(".")[0]
        for last in (2, 3):
            self._add(f"{stem}.{last}")
        self._networks.append({**body, "Id": uuid.uuid4().hex * 2})
        return 201, {"Id": self._networks[-1]["Id"]}

    async def version(self, _query: Json, _body: Json) -> Answer:
        """Answer as a Docker engine does; it has no proxies."""
        return 200, {"ApiVersion": API_VERSION, "MinAPIVersion": "1.12", "Arch": "amd64"}


def filters(query: Json) -> dict[str, list[str]]:
    """Return the filters of a list, which stand in the query as JSON."""
    found: dict[str, list[str]] = json.loads(query.get("filters", "{}"))
    return found


def stamp() -> str:
    """Return the time as Docker writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{time.time_ns() % 10**9:09d}Z"


Call = Callable[..., Awaitable[Answer]]
ROUTES: list[tuple[str, str, Call]] = [
    ("GET", "/(?:version|info)", Engine.version),
    ("GET", "/containers/json", Engine.list_containers),
    ("GET", "/containers/([^/]+)/json", Engine.inspect_container),
    ("POST", "/containers/create", Engine.create_container),
    ("POST", "/containers/([^/]+)/start", Engine.start_container),
    ("POST", "/containers/([^/]+)/stop", Engine.stop_container),
    ("POST", "/containers/([^/]+)/update", Engine.update_container),
    ("DELETE", "/containers/([^/]+)", Engine.remove_container),
    ("GET", "/images/json", Engine.list_images),
    ("GET", "/images/(.+)/json", Engine.inspect_image),
    ("POST", "/images/create", Engine.pull_image),
    ("POST", "/images/(.+)/tag", Engine.tag_image),
    ("DELETE", "/images/(.+)", Engine.remove_image),
    ("GET", "/networks", Engine.list_networks),
    ("GET", "/networks/([^/]+)", Engine.inspect_network),
    ("POST", "/networks/create", Engine.create_network),
]


async def answer(engine: Engine, method: str, target: str, body: Json) -> Answer:
    """Answer one request to an engine."""
    parts = urllib.parse.urlsplit(target)
    path = urllib.parse.unquote(re.sub(r"^/v\d+\.\d+", "", parts.path))
    query = dict(urllib.parse.parse_qsl(parts.query))
    for wanted, pattern, call in ROUTES:
        found = re.fullmatch(pattern, path)
        if wanted == method and found:
            try:
                return await call(engine, query, body, *found.groups())
            except KeyError as exc:
                return 404, {"message": str(exc.args[0])}
    sys.stderr.write(f"not known: {method} {target}\n")
    return 501, {"message": f"the stand-in does not know {method} {path}"}
