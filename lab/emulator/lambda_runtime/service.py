"""Lambda's side of an invocation: environments cold and warm, and how many of them at once."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lab.emulator.journal import Journal, Who
from lab.emulator.lambda_runtime.asynchronous import Queue
from lab.emulator.lambda_runtime.environment import Deployed, ExecutionEnvironment
from lab.emulator.lambda_runtime.link import Link
from lab.emulator.time import delays

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.emulator.lambda_runtime.runtime_api import Answer
    from lab.emulator.time.clock import Clock

_CLOSED = "the lab is closed"
CONCURRENCY = 1000
"""The default of an account and Region (Lambda developer guide, "Lambda quotas"); new accounts have
less, often 10."""


@dataclass(frozen=True, slots=True)
class _Warm:
    function: Deployed
    environment: ExecutionEnvironment | None
    until: float


class Functions:
    """Runs functions, one event per environment at a time, as many environments as needed.

    `slowness` stretches the modelled time of starts, cold and warm. `concurrency` is how many
    events the account may handle at the same time.
    """

    def __init__(self, clock: Clock, journal: Journal) -> None:
        self.endpoint = ""
        self.slowness = 1.0
        self.concurrency = CONCURRENCY
        self.queue = Queue(self, clock, journal)
        self.closed = False
        self._clock = clock
        self._journal = journal
        self._link: Link | None = None
        self._lock = threading.Lock()
        self._runs = itertools.count(1)
        self._warm: dict[str, list[_Warm]] = {}
        self._busy: set[ExecutionEnvironment] = set()
        self._keys: dict[str, ExecutionEnvironment] = {}
        self._under_way = 0

    def invoke(self, function: Deployed, payload: bytes, log: Callable[[str], None]) -> Answer:
        """Run the function on one event and wait for its answer."""
        started, run = self._clock.now(), next(self._runs)
        what = f"{function.handler} gets an event"
        self._journal.note(Who.LAMBDA, "function began", what, run=str(run))
        self._under_way += 1
        try:
            environment = self._take(function, log)
            try:
                answer = environment.invoke(payload, run)
            finally:
                self._give_back(function, environment)
        finally:
            self._under_way -= 1
        self._note(function, answer, self._clock.now() - started, run)
        return answer

    @property
    def saturated(self) -> bool:
        """Return whether the account's concurrency is used up."""
        return self._under_way >= self.concurrency

    def caller(self, key: str) -> ExecutionEnvironment | None:
        """Return the environment that has an access key id."""
        with self._lock:
            return self._keys.get(key)

    def processes(self) -> tuple[int, ...]:
        """Return the ids of the processes that run now."""
        with self._lock:
            warm = [row.environment for rows in self._warm.values() for row in rows]
            return tuple(e.process_id for e in (*warm, *self._busy) if e and e.usable)

    def busy(self) -> bool:
        """Return whether an event is being handled."""
        return self._under_way > 0

    def rest(self) -> None:
        """End the idle processes; the next event finds their environments as warm as they were.

        What they are forked from stays, for forks of this process too.
        """
        with self._lock:
            for name, rows in self._warm.items():
                for row in rows:
                    _close(row)
                self._warm[name] = [replace(row, environment=None) for row in rows]
        if self._link:
            self._link.close()
            self._link = None

    def presume_at_rest(self) -> None:
        """Let time go on although processes that work have not said that they wait."""
        with self._lock:
            busy = tuple(self._busy)
        for environment in busy:
            environment.presume_at_rest()

    def forget(self, name: str) -> None:
        """End the idle environments of a function that was deleted."""
        with self._lock:
            rows = self._warm.pop(name, [])
        for row in rows:
            _close(row)

    def close(self) -> None:
        """End every environment."""
        with self._lock:
            self.closed = True
            names, busy = tuple(self._warm), tuple(self._busy)
        for environment in busy:
            environment.close()
        for name in names:
            self.forget(name)
        if self._link:
            self._link.close()

    def _take(self, function: Deployed, log: Callable[[str], None]) -> ExecutionEnvironment:
        warm = self._find_warm(function)
        self._model(delays.WARM_START if warm else delays.COLD_START)
        with self._lock:
            if self.closed:
                raise RuntimeError(_CLOSED)
            self._link = self._link or Link(self._clock)
            environment = (warm and warm.environment) or ExecutionEnvironment(
                function, self.endpoint, self._clock, self._link, log
            )
            self._busy.add(environment)
            self._keys[environment.key] = environment
        return environment

    def _find_warm(self, function: Deployed) -> _Warm | None:
        with self._lock:
            rows = self._warm.get(function.name, [])
            while rows:
                row = rows.pop()
                fresh = row.function == function and row.until >= self._clock.now()
                if fresh and (row.environment is None or row.environment.usable):
                    return row
                _close(row)
        return None

    def _model(self, start: delays.Delay) -> None:
        """Let the time of a start pass; by the clock on the wall it passes by itself."""
        if self._clock.virtual:
            self._clock.pass_time(self._clock.draw(start) * self.slowness)

    def _give_back(self, function: Deployed, environment: ExecutionEnvironment) -> None:
        until = self._clock.now() + self._clock.draw(delays.ENVIRONMENT_IDLE)
        with self._lock:
            self._busy.discard(environment)
            if environment.usable:
                row = _Warm(function, environment, until)
                self._warm.setdefault(function.name, []).append(row)

    def _note(self, function: Deployed, answer: Answer, seconds: float, run: int) -> None:
        text = answer.payload.decode(errors="replace")
        what = "failed" if answer.failed else "answered"
        self._journal.note(
            Who.LAMBDA,
            f"function {what}",
            f"{function.handler} {what} after {seconds * 1000:.0f} ms",
            function=function.name,
            payload=text,
            run=str(run),
        )


def _close(row: _Warm) -> None:
    if row.environment:
        row.environment.close()
