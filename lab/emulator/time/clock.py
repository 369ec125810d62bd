"""The lab's time, in seconds of AWS's clock since the lab started.

Everything that AWS would do later goes through `Clock.after`, so that one timeline decides the
order. There are two clocks: one goes by itself, the other stands still until somebody waits for
something, and then jumps from what is due to what is due next. Work that takes time without being
on the timeline (a stack operation, a run of a function) is an actor: the virtual clock stands still
until it waits or ends.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lab.emulator.time.chance import Chance

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.emulator.time.delays import Delay

_log = logging.getLogger(__name__)

MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
"""What a calendar shows when the virtual clock is at 0: any moment, but always the same."""


@dataclass(order=True, slots=True)
class _Due:
    at: float
    number: int
    action: Callable[[], None] = field(compare=False)


class Clock(ABC):
    """What both clocks can do; the timeline is theirs, and so is chance, which delays draw from."""

    virtual: bool

    def __init__(self) -> None:
        self.chance = Chance()
        self._due: list[_Due] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._stopped = False

    @abstractmethod
    def now(self) -> float:
        """Return the seconds since the lab started."""

    @abstractmethod
    def wait_until(self, condition: Callable[[], bool], limit: float) -> bool:
        """Wait until `condition` holds; False when `limit` seconds pass first."""

    @abstractmethod
    def each_step(self, listener: Callable[[], None]) -> None:
        """Call `listener` after everything that happens, or as often."""

    @abstractmethod
    def act(self, work: Callable[[], None], *, drives: bool = False) -> None:
        """Run work in a thread; with `drives` its waiting makes a virtual clock go."""

    def after(self, delay: Delay, action: Callable[[], None], *, times: float = 1) -> None:
        """Run `action` once a delay, drawn between its bounds, has passed (`times` over)."""
        self.at(self.now() + self.draw(delay) * times, action)

    def draw(self, delay: Delay) -> float:
        """Return how long a delay is this time."""
        return self.chance.between(delay.low, delay.high, delay.name)

    def at(self, moment: float, action: Callable[[], None]) -> None:
        """Run `action` at a moment; it must be short, and it must not wait."""
        with self._changed:
            heapq.heappush(self._due, _Due(moment, next(self._numbers), action))
            self._changed.notify_all()

    def wait(self, delay: Delay) -> None:
        """Let a delay pass."""
        self.pass_time(self.draw(delay))

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.wait_until(lambda: False, seconds)

    def calendar(self) -> float:
        """Return what a calendar shows, in seconds since 1970."""
        return MIDNIGHT + self.now()

    def timestamp(self) -> str:
        """Return what a calendar shows, as AWS's messages write it."""
        moment = datetime.fromtimestamp(self.calendar(), UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    def stop(self) -> None:
        """Drop what has not happened yet; nothing happens any more."""
        with self._changed:
            self._stopped = True
            self._due.clear()
            self._changed.notify_all()

    def _run(self, action: Callable[[], None]) -> None:
        """Do what is due; what fails once time has stopped has lost the region that it needs."""
        try:
            action()
        except Exception:  # noqa: BLE001 - one failure must not stop the time
            if not self._stopped:
                _log.exception("the lab's timeline: %r failed", action)


class RealClock(Clock):
    """A clock that goes by itself; with a pace of 2, twice as fast as the clock on the wall."""

    virtual = False
    _LOOK = 0.01  # seconds on the wall between two looks at a condition

    def __init__(self, pace: float = 1.0) -> None:
        super().__init__()
        self._pace = pace
        self._passed = 0.0
        self._start = time.monotonic()
        self._thread = threading.Thread(target=self._go, name="lab clock", daemon=True)
        self._thread.start()

    def now(self) -> float:
        """Return the seconds since the lab started."""
        return self._passed + (time.monotonic() - self._start) * self._pace

    def set_pace(self, pace: float) -> None:
        """Go faster or more slowly from now on."""
        with self._changed:
            self._passed, self._start = self.now(), time.monotonic()
            self._pace = pace
            self._changed.notify_all()

    def calendar(self) -> float:
        """Return the time of day."""
        return time.time()

    def wait_until(self, condition: Callable[[], bool], limit: float) -> bool:
        """Wait until `condition` holds, looking often; False when `limit` seconds pass first."""
        end = self.now() + limit
        while not condition():
            if self.now() >= end or self._stopped:
                return condition()
            time.sleep(self._LOOK)
        return True

    def each_step(self, listener: Callable[[], None]) -> None:
        """Call `listener` again and again: what happens does not say so."""

        def look() -> None:
            while not self._stopped:
                self._run(listener)
                time.sleep(self._LOOK)

        self.act(look)

    def act(self, work: Callable[[], None], *, drives: bool = False) -> None:
        """Run work in a thread."""
        del drives  # this clock goes by itself
        threading.Thread(target=self._run, args=(work,), name="lab actor", daemon=True).start()

    def stop(self) -> None:
        """Stop, and wait for what is happening."""
        super().stop()
        self._thread.join(timeout=5)

    def _go(self) -> None:
        while action := self._next():
            self._run(action)

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._stopped:
                wait = (self._due[0].at - self.now()) / self._pace if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due).action
                self._changed.wait(wait)
            return None


@dataclass(eq=False, slots=True)
class _Waiting:
    condition: Callable[[], bool]
    end: float
    actor: bool
    over: bool = False


class VirtualClock(Clock):
    """A clock that goes only while somebody waits, and no longer than until nothing is left to do.

    One of those who wait drives: while no actor works, it ends the waits whose conditions hold, one
    by one and in their order, and otherwise does what is due next.
    """

    virtual = True

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._working = 0
        self._waits: list[_Waiting] = []
        self._driven = False
        self._actor = threading.local()
        self._listeners: list[Callable[[], None]] = []
        self._stalled: list[Callable[[], None]] = []

    def now(self) -> float:
        """Return the seconds since the lab started."""
        return self._now

    def each_step(self, listener: Callable[[], None]) -> None:
        """Call `listener` after everything that happens."""
        self._listeners.append(listener)

    def on_stall(self, listener: Callable[[], None]) -> None:
        """Call `listener` when an actor has worked for long, in case it waits without saying so."""
        self._stalled.append(listener)

    def wait_until(self, condition: Callable[[], bool], limit: float) -> bool:
        """Wait until `condition` holds; False when `limit` seconds pass first."""
        actor = getattr(self._actor, "works", False)
        waiting = _Waiting(condition, self._now + limit, actor)
        with self._changed:
            self._waits.append(waiting)
            self._working -= actor
            self._changed.notify_all()
        while not waiting.over and not self._stopped:
            if getattr(self._actor, "drives", True) and self._become_driver():
                try:
                    self._drive(waiting)
                finally:
                    self._stop_driving()
            else:
                with self._changed:
                    self._changed.wait_for(lambda: waiting.over or self._free(), timeout=1)
        return condition()

    def act(self, work: Callable[[], None], *, drives: bool = False) -> None:
        """Run work as an actor: time stands still until it waits or ends.

        Actors that start at the same time do so one after the other, in the order of the calls.
        """

        def run() -> None:
            self._actor.works, self._actor.drives = True, drives
            try:
                self._run(work)
            finally:
                self.rest()

        def start() -> None:
            self.work()
            threading.Thread(target=run, name="lab actor", daemon=True).start()

        if drives:
            start()
        else:
            self.at(self._now, start)

    def work(self) -> None:
        """Let time stand still, until `rest`."""
        with self._changed:
            self._working += 1

    def rest(self) -> None:
        """Let time go on as far as it is up to this actor."""
        with self._changed:
            self._working -= 1
            self._changed.notify_all()

    def _free(self) -> bool:
        return not self._driven and getattr(self._actor, "drives", True)

    def _become_driver(self) -> bool:
        with self._changed:
            becomes, self._driven = not self._driven, True
            return becomes

    def _stop_driving(self) -> None:
        with self._changed:
            self._driven = False
            self._changed.notify_all()

    def _drive(self, mine: _Waiting) -> None:
        while not self._stopped:
            self._until_nobody_works()
            if ready := self._first_ready():
                self._end(ready)
                if ready is mine:
                    return
            elif action := self._advance():
                self._run(action)
                for listener in self._listeners:
                    listener()

    def _until_nobody_works(self) -> None:
        def rested() -> bool:
            return self._working <= 0 or self._stopped

        while True:
            with self._changed:
                if self._changed.wait_for(rested, timeout=_LONG):
                    return
            for listener in self._stalled:
                listener()

    def _first_ready(self) -> _Waiting | None:
        with self._changed:
            waits = tuple(self._waits)
        return next((wait for wait in waits if self._now >= wait.end or wait.condition()), None)

    def _end(self, waiting: _Waiting) -> None:
        with self._changed:
            self._waits.remove(waiting)
            self._working += waiting.actor
            waiting.over = True
            self._changed.notify_all()

    def _advance(self) -> Callable[[], None] | None:
        """Go to what is due next, and return it; None if the end of somebody's patience is next."""
        with self._changed:
            patience = min((wait.end for wait in self._waits), default=self._now)
            if self._due and self._due[0].at <= patience:
                due = heapq.heappop(self._due)
                self._now = max(self._now, due.at)
                return due.action
            self._now = max(self._now, patience)
            return None


_LONG = 10.0
"""Seconds on the wall: more than a busy machine takes for what an actor does between two waits, or
else a drill would end otherwise for being played beside others."""
