# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on the droplet: slot_watch.py SECONDS RATE OUTPUT.

Captures what leaves by eth0 for a slot's subnet, while requests come in at RATE a second. Tells
systemd when it captures; writes what it saw as JSON at the end.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import os
import socket
import sys
import threading
import time
from collections import Counter
from pathlib import Path

SUBNET = ipaddress.ip_network("172.31.10.0/24")
PORT = 3002
ANSWER_SECONDS = 9.0
EVERY_PROTOCOL, OUTGOING, IPV4 = 0x0003, 4, 0x0800


def capture(link: socket.socket, seen: Counter[str]) -> None:
    """Count packets for the subnet, by destination."""
    while True:
        packet, (_interface, protocol, kind, *_address) = link.recvfrom(2048)
        if kind == OUTGOING and protocol == IPV4:
            target = ipaddress.ip_address(packet[30:34])
            if target in SUBNET:
                seen[str(target)] += 1


def ask(answers: Counter[str]) -> None:
    """Send one request; count its status, with the body unless it is the sample API's JSON."""
    link = http.client.HTTPConnection("127.0.0.1", PORT, timeout=ANSWER_SECONDS)
    try:
        link.request("GET", "/v1/version")
        answer = link.getresponse()
        body = answer.read().decode()
    except (OSError, http.client.HTTPException) as exc:
        answers[type(exc).__name__] += 1
        return
    finally:
        link.close()
    said = "" if body.startswith("{") else f" {' '.join(body.split())}"
    answers[f"{answer.status}{said}"] += 1


def say_ready() -> None:
    """Tell systemd that the capture runs."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
            link.connect(address.replace("@", "\0", 1))
            link.send(b"READY=1")


def main() -> None:
    """Capture and ask for that long."""
    seconds, rate, output = float(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
    seen: Counter[str] = Counter()
    answers: Counter[str] = Counter()
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERY_PROTOCOL))
    link.bind(("eth0", EVERY_PROTOCOL))
    threading.Thread(target=capture, args=(link, seen), daemon=True).start()
    say_ready()
    begin, asked = time.monotonic(), []
    while time.monotonic() - begin < seconds:
        asked.append(threading.Thread(target=ask, args=(answers,), daemon=True))
        asked[-1].start()
        time.sleep(max(0.0, begin + len(asked) / rate - time.monotonic()))
    for thread in asked:
        thread.join(ANSWER_SECONDS)
    partial = output.with_suffix(".part")
    partial.write_text(json.dumps({"left": seen, "answers": answers}), encoding="utf-8")
    partial.replace(output)


if __name__ == "__main__":
    main()
