"""The queue of a function's asynchronous events: when each is tried, tried again, and given up.

Source: Lambda developer guide, "How Lambda handles errors and retries with asynchronous
invocation". An event that fails is tried twice more, one for which there is no concurrency until it
is too old.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from lab.emulator.journal import Who
from lab.emulator.time import delays

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.emulator.journal import Journal
    from lab.emulator.lambda_runtime.environment import Deployed
    from lab.emulator.lambda_runtime.runtime_api import Answer
    from lab.emulator.time.clock import Clock

_RETRIES = (delays.FIRST_RETRY, delays.SECOND_RETRY)
MOST_RETRIES = len(_RETRIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often an event that failed is tried again, and the seconds after which it is too old."""

    retries: int = MOST_RETRIES
    age: float = delays.ASYNCHRONOUS_AGE.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event, what runs it, and what becomes of it when it is given up."""

    payload: str
    function: Callable[[], Deployed]
    log: Callable[[str], None]
    retry_policy: RetryPolicy
    give_up: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Try:
    """An event in the queue since a moment, and how often it failed and was throttled."""

    event: Event
    since: float
    failed: int = 0
    throttled: int = 0


class Runner(Protocol):
    """What runs the events; it does not once it is closed, and not now while it is saturated."""

    closed: bool

    @property
    def saturated(self) -> bool:
        """Whether the account's concurrency is used up."""
        ...

    def invoke(self, function: Deployed, payload: bytes, log: Callable[[str], None]) -> Answer:
        """Run the function on one event and wait for its answer."""
        ...


class Queue:
    """The events of all functions."""

    def __init__(self, functions: Runner, clock: Clock, journal: Journal) -> None:
        self._functions = functions
        self._clock = clock
        self._journal = journal

    def put(self, event: Event) -> None:
        """Take an event in; it is tried at once."""
        self._submit(_Try(event, self._clock.now()))

    def _submit(self, attempt: _Try) -> None:
        self._clock.act(lambda: self._try(attempt))

    def _try(self, attempt: _Try) -> None:
        if self._functions.closed:  # the event is dropped with everything else
            return
        if self._functions.saturated:
            self._back_off(attempt)
            return
        event = attempt.event
        answer = self._functions.invoke(event.function(), event.payload.encode(), event.log)
        if answer.failed:
            self._retry(attempt)

    def _back_off(self, attempt: _Try) -> None:
        longest = self._clock.draw(delays.LONGEST_BACK_OFF)
        seconds = min(self._clock.draw(delays.FIRST_BACK_OFF) * 2**attempt.throttled, longest)
        what = f"has no concurrency left for {attempt.event.function().handler}"
        self._journal.note(Who.LAMBDA, "throttled", what)
        self._again(replace(attempt, throttled=attempt.throttled + 1), seconds)

    def _retry(self, attempt: _Try) -> None:
        if attempt.failed >= attempt.event.retry_policy.retries:
            self._give_up(attempt)
        else:
            seconds = self._clock.draw(_RETRIES[attempt.failed])
            self._again(replace(attempt, failed=attempt.failed + 1), seconds)

    def _again(self, attempt: _Try, seconds: float) -> None:
        moment = self._clock.now() + seconds
        if moment - attempt.since > attempt.event.retry_policy.age:
            self._give_up(attempt)
        else:
            self._clock.at(moment, lambda: self._submit(attempt))

    def _give_up(self, attempt: _Try) -> None:
        what = f"gives an event of {attempt.event.function().handler} up"
        self._journal.note(Who.LAMBDA, "given up", what)
        attempt.event.give_up()
