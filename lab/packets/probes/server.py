"""The internet's server: TCP and UDP echo, and HTTP with a body without an end in each direction.

`python -m lab.packets.probes.server` serves on every address of its namespace until it is ended.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from lab.packets.probes.talk import (
    DOWNLOAD,
    ECHO_PORT,
    EVERY,
    HTTP_PORT,
    LISTENING,
    PIECE,
    UPLOAD,
    go_first,
)

if TYPE_CHECKING:
    from asyncio import DatagramTransport, StreamReader, StreamWriter, Transport

_ANY = "0.0.0.0"  # noqa: S104 - a namespace is all the world that sees it
_WAITING = 1024  # connections that may wait to be accepted


class TcpEcho(asyncio.Protocol):
    """Says again what it hears on a connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self._transport = cast("Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer at once."""
        self._transport.write(data)


class UdpEcho(asyncio.DatagramProtocol):
    """Says again what it hears, to whom it hears it from."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket."""
        self._transport = cast("DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        """Answer at once."""
        self._transport.sendto(data, addr)


async def http(reader: StreamReader, writer: StreamWriter) -> None:
    """Answer one request; whoever hangs up is let go."""
    with suppress(OSError, asyncio.IncompleteReadError):
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ", 2)[1].decode()
        if path == DOWNLOAD:
            await _send_without_end(writer)
        elif path == UPLOAD:
            await _take_without_end(reader, writer)
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")
            await writer.drain()
    writer.close()


async def _send_without_end(writer: StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        writer.write(PIECE)
        await writer.drain()
        await asyncio.sleep(EVERY)


async def _take_without_end(reader: StreamReader, writer: StreamWriter) -> None:
    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    while await reader.read(len(PIECE)):
        pass


async def main() -> None:
    """Serve until the process is ended."""
    loop = asyncio.get_running_loop()
    await loop.create_server(TcpEcho, _ANY, ECHO_PORT, backlog=_WAITING)
    await loop.create_datagram_endpoint(UdpEcho, (_ANY, ECHO_PORT))
    await asyncio.start_server(http, _ANY, HTTP_PORT)
    print(LISTENING, flush=True)  # noqa: T201 - for the process that started this one
    await asyncio.Event().wait()


if __name__ == "__main__":
    go_first()
    asyncio.run(main())
