"""The three kinds of probes: a new TCP connection, a new UDP exchange, an ICMP echo.

Each returns when its own answer is there and raises OSError when there will be none. New means new
to every connection table on the way: each UDP exchange has another source port.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import struct
from contextlib import closing
from typing import TYPE_CHECKING

from lab.packets.probes.talk import ECHO_PORT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_PORTS = range(10_000, 30_000)
"""Below those that the kernel chooses, and so many that none comes back before it is forgotten."""

_APART = 7_919  # a prime: processes that start one after the other are far apart

_RESET = struct.pack("ii", 1, 0)
"""To close with a reset (SO_LINGER): every table on the way forgets the connection at once, and not
after two minutes, so that 100 of them a second fill none."""

_ECHO, _ANSWER = 8, 0
_MOST = 2048


def tcp(server: str) -> Callable[[int], Awaitable[None]]:
    """Return what opens a connection, asks something, and closes it when it has the answer."""

    async def probe(number: int) -> None:
        connection = _socket(socket.SOCK_STREAM)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        await _ask(connection, server, number)

    return probe


def udp(server: str) -> Callable[[int], Awaitable[None]]:
    """Return what sends a datagram from a port of its own and waits for the answer.

    Each process begins at another port: two hosts that send from the same one in the same
    microsecond race for it in the table of a NAT that they share, and Linux drops the loser.
    """
    ports = itertools.islice(itertools.cycle(_PORTS), os.getpid() * _APART % len(_PORTS), None)

    async def probe(number: int) -> None:
        datagrams = _socket(socket.SOCK_DGRAM)
        datagrams.bind(("", next(ports)))
        await _ask(datagrams, server, number)

    return probe


class Icmp:
    """Echoes from one raw socket; the sequence number says whose answer an answer is."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._identifier = os.getpid() & 0xFFFF
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._raw = _socket(socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._raw, self._read)

    async def __call__(self, number: int) -> None:
        """Send an echo and wait for its answer."""
        sequence = number & 0xFFFF
        answered = self._waiting[sequence] = self._loop.create_future()
        try:
            self._raw.sendto(_echo(self._identifier, sequence), (self._server, 0))
            await answered
        finally:
            del self._waiting[sequence]

    def _read(self) -> None:
        packet = self._raw.recv(_MOST)
        start = (packet[0] & 0xF) * 4  # the length of the IP header, in words of 4 bytes
        kind, _, _, identifier, sequence = struct.unpack_from("!BBHHH", packet, start)
        answered = self._waiting.get(sequence)
        if (kind, identifier) == (_ANSWER, self._identifier) and answered and not answered.done():
            answered.set_result(None)


def checksum(data: bytes) -> int:
    """Return the internet checksum of an even number of bytes (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _echo(identifier: int, sequence: int) -> bytes:
    def packet(check: int) -> bytes:
        return struct.pack("!BBHHH", _ECHO, 0, check, identifier, sequence)

    return packet(checksum(packet(0)))


def _socket(kind: int, protocol: int = 0) -> socket.socket:
    made = socket.socket(socket.AF_INET, kind, protocol)
    made.setblocking(False)  # noqa: FBT003 - its signature
    return made


async def _ask(asking: socket.socket, server: str, number: int) -> None:
    """Connect, send the number, wait for it to come back, and close."""
    loop, question = asyncio.get_running_loop(), number.to_bytes(8)
    with closing(asking):
        await loop.sock_connect(asking, (server, ECHO_PORT))
        await loop.sock_sendall(asking, question)
        answer = await loop.sock_recv(asking, _MOST)
    if answer != question:
        message = "something else was answered"
        raise ConnectionError(message)
