"""A series of probes: one every 10 ms by a fixed schedule, each with a number of its own.

A tick that comes late is not left out: what is due is sent at once, so that no outage hides behind
a busy machine. How long an answer takes counts from when its probe was sent.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

EVERY = 0.01
"""Seconds between two probes of a series."""

PATIENCE = 1.0
"""Seconds after which a probe without an answer is lost."""


class Series:
    """Probes of one kind: when each was sent, and after how many seconds it was answered."""

    def __init__(self, kind: str, probe: Callable[[int], Awaitable[None]]) -> None:
        self.kind = kind
        self.begun = asyncio.Event()
        self._probe = probe
        self._under_way: set[asyncio.Task[None]] = set()
        self._taken: list[tuple[float, float | None]] = []

    async def run(self, start: float) -> None:
        """Send a probe at each tick from a moment on, until cancelled."""
        for number in itertools.count():
            await asyncio.sleep(max(0.0, start + number * EVERY - time.monotonic()))
            task = asyncio.create_task(self._take(number))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def finished(self) -> list[tuple[float, float | None]]:
        """Return all probes in the order in which they were sent, after the last one is over."""
        await asyncio.gather(*self._under_way)
        return sorted(self._taken, key=lambda probe: probe[0])

    async def _take(self, number: int) -> None:
        sent = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._probe(number)
        except OSError:  # whatever the network or the far side says, there was no answer in time
            self._taken.append((sent, None))
        else:
            self._taken.append((sent, time.monotonic() - sent))
            self.begun.set()
