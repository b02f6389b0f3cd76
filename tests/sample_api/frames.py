# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WebSocket frames as bytes (RFC 6455), for the sample API's side and the load generator's."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
OPCODES = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})
# Status codes of section 7.4.1.
NORMAL, GOING_AWAY, PROTOCOL_ERROR, UNSUPPORTED, NO_STATUS = 1000, 1001, 1002, 1003, 1005
NOT_UTF8, TOO_BIG = 1007, 1009
MAX_CONTROL = 125
MAX_PAYLOAD = 1 << 16
HANDSHAKE_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Exactly = Callable[[int], Awaitable[bytes]]


class ProtocolError(Exception):
    """The other side broke the protocol; carries the status code of the close frame."""

    def __init__(self, code: int, message: str) -> None:
        """Keep the close code to answer with."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Frame:
    """One frame, its payload unmasked; `final` ends a message (section 5.2)."""

    opcode: int
    payload: bytes = b""
    final: bool = True


def accept_key(key: str) -> str:
    """What Sec-WebSocket-Accept must be for a Sec-WebSocket-Key (section 4.2.2)."""
    digest = hashlib.sha1((key + HANDSHAKE_GUID).encode(), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def is_key(key: str) -> bool:
    """True for the base64 of 16 bytes (section 4.1)."""
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except ValueError:
        return False


def encode(frame: Frame, mask: bytes = b"") -> bytes:
    """A frame as bytes; a client gives the 4 bytes of its mask, a server none (section 5.1)."""
    length = len(frame.payload)
    if length <= MAX_CONTROL:
        short, extended = length, b""
    elif length < 1 << 16:
        short, extended = 126, length.to_bytes(2, "big")
    else:
        short, extended = 127, length.to_bytes(8, "big")
    first = frame.opcode | (0x80 if frame.final else 0)
    head = bytes([first, short | (0x80 if mask else 0)]) + extended + mask
    return head + (_masked(frame.payload, mask) if mask else frame.payload)


async def read_frame(exactly: Exactly, *, masked: bool) -> Frame:
    """The next frame; `exactly(n)` gives n bytes, `masked` says what the other side must do."""
    first, second = await exactly(2)
    opcode, length, final = first & 0x0F, second & 0x7F, bool(first & 0x80)
    # Reserved bits belong to extensions, and none was agreed on.
    if first & 0x70 or opcode not in OPCODES:
        raise ProtocolError(PROTOCOL_ERROR, "reserved bit or unknown opcode")
    if bool(second & 0x80) != masked:
        raise ProtocolError(PROTOCOL_ERROR, f"frame must{'' if masked else ' not'} be masked")
    if opcode >= CLOSE and (length > MAX_CONTROL or not final):
        raise ProtocolError(PROTOCOL_ERROR, "control frame too long or in parts")
    if length > MAX_CONTROL:
        length = int.from_bytes(await exactly(2 if length == 126 else 8), "big")
    if length > MAX_PAYLOAD:
        raise ProtocolError(TOO_BIG, f"payload over {MAX_PAYLOAD} bytes")
    mask = await exactly(4) if masked else b""
    payload = await exactly(length)
    return Frame(opcode, _masked(payload, mask) if masked else payload, final)


def closing(code: int, reason: str = "") -> Frame:
    """A close frame with a status code and a reason of at most 123 bytes (section 5.5.1)."""
    return Frame(CLOSE, code.to_bytes(2, "big") + reason.encode())


def close_code(frame: Frame) -> int:
    """The status code of a close frame; 1005 when it has none (section 7.1.5)."""
    if not frame.payload:
        return NO_STATUS
    if len(frame.payload) == 1:
        raise ProtocolError(PROTOCOL_ERROR, "half a status code")
    return int.from_bytes(frame.payload[:2], "big")


def _masked(payload: bytes, mask: bytes) -> bytes:
    """Mask or unmask (section 5.3): one XOR of two long numbers is quicker than one per byte."""
    stretched = (mask * (len(payload) // 4 + 1))[: len(payload)]
    number = int.from_bytes(payload, "big") ^ int.from_bytes(stretched, "big")
    return number.to_bytes(len(payload), "big")
