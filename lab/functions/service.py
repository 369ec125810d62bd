"""Lambda's side of an invocation: environments cold and warm, retries, the dead-letter queue."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from lab import delays
from lab.functions.environment import Deployed, ExecutionEnvironment
from lab.journal import Journal, Who

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.clock import Clock
    from lab.functions.runtime_api import Answer

_AT_ONCE = 10  # environments of all functions; a laptop's share of an account's 1000
_CLOSED = "the lab is closed"
_RETRIES = (delays.FIRST_RETRY, delays.SECOND_RETRY)


class Functions:
    """Runs functions, one event per environment at a time, as many environments as needed."""

    def __init__(self, clock: Clock, journal: Journal) -> None:
        self.endpoint = ""
        self._clock = clock
        self._journal = journal
        self._lock = threading.Lock()
        self._warm: dict[str, list[tuple[Deployed, ExecutionEnvironment]]] = {}
        self._busy: set[ExecutionEnvironment] = set()
        self._closed = False
        self._workers = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="lab function")

    def invoke(self, function: Deployed, payload: bytes, log: Callable[[str], None]) -> Answer:
        """Run the function on one event and wait for its answer."""
        environment = self._take(function, log)
        started = self._clock.now()
        try:
            answer = environment.invoke(payload)
        finally:
            self._give_back(function, environment)
        self._note(function, answer, self._clock.now() - started)
        return answer

    def invoke_later(
        self,
        function: Callable[[], Deployed],
        event: Mapping[str, Any],
        log: Callable[[str], None],
        give_up: Callable[[str], None],
    ) -> None:
        """Run the function asynchronously, twice more if it fails, then hand the event over."""
        payload = json.dumps(event)

        def attempt(number: int) -> None:
            answer = self.invoke(function(), payload.encode(), log)
            if not answer.failed:
                return
            if number == len(_RETRIES):
                give_up(payload)
                return
            self._clock.after(_RETRIES[number], lambda: self._submit(attempt, number + 1))

        self._submit(attempt, 0)

    def processes(self) -> tuple[int, ...]:
        """Return the ids of the processes that run now."""
        with self._lock:
            warm = [environment for rows in self._warm.values() for _, environment in rows]
            return tuple(e.process_id for e in (*warm, *self._busy) if e.usable)

    def forget(self, name: str) -> None:
        """End the idle environments of a function that was deleted."""
        with self._lock:
            rows = self._warm.pop(name, [])
        for _, environment in rows:
            environment.close()

    def close(self) -> None:
        """End every environment."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._closed = True
            names, busy = tuple(self._warm), tuple(self._busy)
        for environment in busy:
            environment.close()
        for name in names:
            self.forget(name)

    def _submit(self, attempt: Callable[[int], None], number: int) -> None:
        try:
            self._workers.submit(attempt, number)
        except RuntimeError:  # the lab is closing: the event is dropped with everything else
            return

    def _take(self, function: Deployed, log: Callable[[str], None]) -> ExecutionEnvironment:
        with self._lock:
            rows = self._warm.get(function.name, [])
            while rows:
                deployed, environment = rows.pop()
                if deployed == function and environment.usable:
                    self._busy.add(environment)
                    return environment
                environment.close()
            if self._closed:
                raise RuntimeError(_CLOSED)
            environment = ExecutionEnvironment(function, self.endpoint, log)
            self._busy.add(environment)
        return environment

    def _give_back(self, function: Deployed, environment: ExecutionEnvironment) -> None:
        with self._lock:
            self._busy.discard(environment)
            if environment.usable:
                self._warm.setdefault(function.name, []).append((function, environment))

    def _note(self, function: Deployed, answer: Answer, seconds: float) -> None:
        text = answer.payload.decode(errors="replace")
        what = "failed" if answer.failed else "answered"
        self._journal.note(
            Who.LAMBDA,
            f"function {what}",
            f"{function.handler} {what} after {seconds * 1000:.0f} ms",
            function=function.name,
            payload=text,
        )
