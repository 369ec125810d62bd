"""Many flows at once, of one process on either side: words go there, and come back in order.

This file runs alone, by its path. `serve` sends back what it gets. `carry ADDRESS KIND=COUNT…`
opens flows, says so, and sends by them until its standard input ends; then it sends one more word
by each, and prints how many words came back, and what broke flows.
"""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass

PORT = 5002
LIMIT = 60.0
"""Seconds after which a word is lost."""

_AT_ONCE = asyncio.Semaphore(200)  # flows that are being opened


@dataclass(frozen=True)
class Kind:
    """A kind of flow: how many bytes a word has, and the seconds between two of them, if any."""

    size: int = 16
    pause: float | None = None
    keep_alive: bool = False
    """Each second, as long as nothing else is sent; nine lost probes, or a reset, end a flow."""


KINDS = {
    "idle": Kind(),
    "kept": Kind(keep_alive=True),
    "chatty": Kind(pause=1),
    "bulk": Kind(size=200_000, pause=0),
}


async def serve() -> None:
    """Send back what comes, until ended."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while received := await reader.read(1 << 16):
                writer.write(received)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, port=PORT, family=socket.AF_INET, backlog=4096)
    print("ready", flush=True)  # noqa: T201 - read by the process that started this
    await server.serve_forever()


async def carry(address: str, *kinds: Kind) -> None:
    """Carry flows of these kinds until standard input ends, and print what came of them."""
    over = asyncio.Event()
    opened = await asyncio.gather(*(_open(address, kind) for kind in kinds))
    print("open", flush=True)  # noqa: T201 - read by the process that started this
    flows = [
        asyncio.create_task(_exchange(*ends, kind, over))
        for ends, kind in zip(opened, kinds, strict=True)
    ]
    await asyncio.to_thread(sys.stdin.read)
    over.set()
    ended = await asyncio.gather(*flows, return_exceptions=True)
    broken = [repr(one) for one in ended if not isinstance(one, int)]
    words = sum(one for one in ended if isinstance(one, int))
    print(json.dumps({"words": words, "broken": broken}))  # noqa: T201 - likewise


async def _open(address: str, kind: Kind) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with _AT_ONCE:
        reader, writer = await asyncio.open_connection(address, PORT)
    if kind.keep_alive:
        end = writer.get_extra_info("socket")
        end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL):
            end.setsockopt(socket.IPPROTO_TCP, option, 1)
    return reader, writer


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kind: Kind, over: asyncio.Event
) -> int:
    """Send a word after the other, the last one when all is over; return how many came back."""
    number, last = 0, False
    while not last:
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), kind.pause)
        last = over.is_set()
        number += 1
        word = number.to_bytes(8, "big") * (kind.size // 8)
        writer.write(word)
        if word != await asyncio.wait_for(reader.readexactly(kind.size), LIMIT):
            message = f"word {number} came back as another one"
            raise ValueError(message)
    writer.close()
    return number


def _main(name: str, *arguments: str) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if name == "serve":
        asyncio.run(serve())
    address, *counts = arguments
    pairs = (count.split("=") for count in counts)
    asyncio.run(carry(address, *(KINDS[kind] for kind, many in pairs for _ in range(int(many)))))


if __name__ == "__main__":
    _main(*sys.argv[1:])
