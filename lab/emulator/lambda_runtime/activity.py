"""What a function's process is doing: working, or waiting for answers of the lab.

Every call and every sleep of the process is held here until its time has come. With a virtual
clock, time stands still while the process works. The process says how many calls it has sent and
how many answers it has got when the last of its threads begins to wait; when that agrees with what
arrived and what was answered here, nothing is under way between the two, and it is at rest.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.emulator.time.clock import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.emulator.time.clock import Clock


@dataclass(eq=False, slots=True)
class _Held:
    """A call: `key` orders those that were sent at the same time, whichever arrived first."""

    key: str
    seconds: Callable[[], float]
    perform: Callable[[], None]
    over: threading.Event = field(default_factory=threading.Event)


class Activity:
    """The calls of one process; `run` is the number of the invocation that it works on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._arrived: list[_Held] = []
        self._frozen: list[_Held] = []
        self._counts = (0, 0)
        self._said = (-1, -1)
        self._working = False
        self.run = 0

    def begin(self, run: int) -> None:
        """Take up an invocation."""
        with self._lock:
            self.run = run
            self._arrived, self._frozen = self._frozen, []
            self._work()

    def end(self) -> None:
        """Put the invocation down; as on AWS, what is still under way freezes until the next."""
        with self._lock:
            self._rest()
            self.run = 0

    def close(self) -> None:
        """Let go of what is held, for good."""
        with self._lock:
            self.end()
            frozen, self._frozen = self._frozen, []
        for held in frozen:
            held.over.set()

    def hold(self, key: str, seconds: Callable[[], float], perform: Callable[[], None]) -> None:
        """Wait until so many seconds have passed since the process came to rest, and perform."""
        held = _Held(key, seconds, perform)
        with self._lock:
            sent, got = self._counts
            self._counts = (sent + 1, got)
            if self._freezes():
                self._frozen.append(held)
            else:
                self._arrived.append(held)
                if not self._working:
                    self._schedule()
                self._compare()
        held.over.wait()

    def at_rest(self, sent: int, got: int) -> None:
        """Hear from the process that all of its threads wait."""
        with self._lock:
            self._said = (sent, got)
            self._compare()

    def presume_at_rest(self) -> None:
        """Let time go on although the process has not said that it waits."""
        with self._lock:
            if self._working and self.run:
                self._rest()

    def _compare(self) -> None:
        if self._working and self._said == self._counts:
            self._rest()

    def _work(self) -> None:
        if not self._working and isinstance(self._clock, VirtualClock):
            self._working = True
            self._clock.work()

    def _rest(self) -> None:
        self._schedule()
        if self._working and isinstance(self._clock, VirtualClock):
            self._working = False
            self._clock.rest()

    def _schedule(self) -> None:
        """Put what has arrived on the timeline, before time goes on."""
        arrived, self._arrived = self._arrived, []
        for held in sorted(arrived, key=lambda held: held.key):
            moment = self._clock.now() + held.seconds()
            self._clock.at(moment, lambda held=held: self._answer(held))  # type: ignore[misc]

    def _freezes(self) -> bool:
        return self._clock.virtual and not self.run

    def _answer(self, held: _Held) -> None:
        with self._lock:
            if self._freezes():
                self._frozen.append(held)
                return
        held.perform()
        with self._lock:
            sent, got = self._counts
            self._counts = (sent, got + 1)
            if self.run:
                self._work()
        held.over.set()
