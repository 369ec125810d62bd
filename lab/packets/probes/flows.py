"""Standing flows: connections that are open when a NAT dies, as applications have them.

None has a time limit of its own beyond what the kernel does for it: what is recorded is when the
client learned that its connection is broken, from what, and when it had a new one that works. After
an error each one connects again at once, and again and again until it does.
"""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from lab.packets.probes.talk import DOWNLOAD, ECHO_PORT, EVERY, HTTP_PORT, PIECE, UPLOAD

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Dialogue = Callable[["Flow", socket.socket], Awaitable[None]]

_CONNECT = 1.0
_AGAIN = 0.1
"""Seconds for an attempt to connect, and from one that failed to the next."""

_POLL = 10.0
"""Seconds between two requests on the idle connection."""

_KEEP_ALIVE = {socket.TCP_KEEPIDLE: 2, socket.TCP_KEEPINTVL: 2, socket.TCP_KEEPCNT: 3}
"""Seconds of silence, seconds between two probes, probes without an answer: the kernel's."""

_BUFFER = 16_384
"""Bytes: small, so that an upload that is not acknowledged stands still at once."""


class Flow:
    """One standing flow, and what it went through; times are of the monotonic clock."""

    def __init__(self, name: str, port: int, dialogue: Dialogue) -> None:
        self.name = name
        self.begun = asyncio.Event()
        self._port = port
        self._dialogue = dialogue
        self._works = False
        self._waits_since: float | None = None
        self._breaks: list[list[Any]] = []

    async def run(self, server: str) -> None:
        """Connect and do what the flow does, again after each error, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                with closing(socket.socket()) as connection:
                    connection.setblocking(False)  # noqa: FBT003 - its signature
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    async with asyncio.timeout(_CONNECT):
                        await loop.sock_connect(connection, (server, self._port))
                    await self._dialogue(self, connection)
            except OSError as error:
                worked = self._works
                self._ends_by(error)
                if not worked:
                    await asyncio.sleep(_AGAIN)

    def waits(self) -> None:
        """Note that the far side is to say something, or to take something."""
        if self._waits_since is None:
            self._waits_since = time.monotonic()

    def goes_on(self) -> None:
        """Note that it did."""
        self._waits_since = None
        if not self._works and self._breaks:
            self._breaks[-1][2] = time.monotonic()
        self._works = True
        self.begun.set()

    def told(self) -> dict[str, Any]:
        """Return each break (learned, error, connected again), and since when it waits."""
        return {"name": self.name, "breaks": self._breaks, "waits_since": self._waits_since}

    def _ends_by(self, error: OSError) -> None:
        """Note the error of a connection that had worked; an attempt that fails breaks nothing."""
        if self._works:
            self._breaks.append([time.monotonic(), error.strerror or str(error), None])
        self._works, self._waits_since = False, None


def standing() -> tuple[Flow, ...]:
    """Return a flow of each kind."""
    return (
        Flow("chatty", ECHO_PORT, _asking_every(EVERY)),
        Flow("idle", ECHO_PORT, _asking_every(_POLL)),
        Flow("download", HTTP_PORT, _download),
        Flow("upload", HTTP_PORT, _upload),
        Flow("keep-alive", ECHO_PORT, _keep_alive),
    )


def _asking_every(pause: float) -> Dialogue:
    async def dialogue(flow: Flow, connection: socket.socket) -> None:
        while True:
            await _exchange(flow, connection, b"?")
            await asyncio.sleep(pause)

    return dialogue


async def _download(flow: Flow, connection: socket.socket) -> None:
    await _send(connection, f"GET {DOWNLOAD} HTTP/1.1\r\nHost: lab\r\n\r\n".encode())
    while True:
        await _receive(flow, connection)


async def _upload(flow: Flow, connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
    head = f"POST {UPLOAD} HTTP/1.1\r\nHost: lab\r\nExpect: 100-continue\r\n\r\n"
    await _exchange(flow, connection, head.encode())
    while True:
        flow.waits()
        await _send(connection, PIECE)
        flow.goes_on()
        await asyncio.sleep(EVERY)


async def _keep_alive(flow: Flow, connection: socket.socket) -> None:
    """Ask once, then leave it to the kernel to find out whether the connection is alive."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEP_ALIVE.items():
        connection.setsockopt(socket.IPPROTO_TCP, option, value)
    await _exchange(flow, connection, b"?")
    await asyncio.get_running_loop().sock_recv(connection, 1)
    _hung_up()


async def _exchange(flow: Flow, connection: socket.socket, question: bytes) -> None:
    await _send(connection, question)
    await _receive(flow, connection)


async def _send(connection: socket.socket, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(connection, data)


async def _receive(flow: Flow, connection: socket.socket) -> None:
    flow.waits()
    if not await asyncio.get_running_loop().sock_recv(connection, len(PIECE)):
        _hung_up()
    flow.goes_on()


def _hung_up() -> None:
    message = "Closed by the server"
    raise ConnectionError(message)
