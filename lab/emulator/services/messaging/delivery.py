"""The last leg of a message, from SNS or EventBridge to a function, and what may go wrong on it.

Both deliver at least once, in no order, and services publish to both on a best-effort basis (Auto
Scaling user guide, "Amazon SNS notifications"; EventBridge event reference; SNS developer guide,
"Message delivery retries"). By default every message comes once and in time. A fault changes that
with `Delivery.faults`, and what it does to a message stands in the journal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from lab.emulator.journal import Who
from lab.emulator.time import delays

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.emulator.journal import Journal
    from lab.emulator.time.clock import Clock


class Leg(Enum):
    """A way to a function: from a topic, from a rule that matches events, from a schedule."""

    TOPIC = "topic"
    RULE = "rule"
    SCHEDULE = "schedule"

    @property
    def who(self) -> Who:
        """Return the service that delivers."""
        return Who.SNS if self is Leg.TOPIC else Who.EVENT_BRIDGE


MESSAGES = frozenset({Leg.TOPIC, Leg.RULE})
"""What a fault hits if it does not say otherwise. Not schedules: nobody publishes them, they are
timers inside of EventBridge, documented to run within their minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFaults:
    """How likely a message is lost, doubled, overtaken by others or late: from 0 to 1 each."""

    lost: float = 0.0
    doubled: float = 0.0
    reordered: float = 0.0
    late: float = 0.0
    on: frozenset[Leg] = MESSAGES


NONE = DeliveryFaults()


@dataclass(frozen=True, slots=True)
class Message:
    """What is delivered: in words, how, and for how many seconds it is tried.

    `give_up` happens when that was not enough.
    """

    leg: Leg
    says: str
    hand_over: Callable[[], None]
    max_age: float = math.inf
    give_up: Callable[[], None] = lambda: None


class Delivery:
    """Delivers messages at once, or as far as `faults` let it."""

    def __init__(self, clock: Clock, journal: Journal) -> None:
        self.faults = NONE
        self._clock = clock
        self._journal = journal

    def deliver(self, message: Message) -> None:
        """Hand a message over, now or later, once or twice or never."""
        faults = self.faults
        if message.leg not in faults.on:
            message.hand_over()
        elif self._hits(faults.lost, "lost", message):
            self._note("lost", f"loses a message: {message.says}", message)
        else:
            self._deliver(message, self._held_up(faults, message))
            if self._hits(faults.doubled, "doubled", message):
                seconds = self._clock.draw(delays.SECOND_COPY)
                what = f"delivers a message twice, {seconds:.1f} s apart: {message.says}"
                self._note("doubled", what, message)
                self._clock.at(self._clock.now() + seconds, message.hand_over)

    def _held_up(self, faults: DeliveryFaults, message: Message) -> float:
        seconds = 0.0
        if self._hits(faults.reordered, "reordered", message):
            seconds += self._clock.draw(delays.OVERTAKEN)
        if self._hits(faults.late, "late", message):
            seconds += self._clock.draw(delays.LATE)
        return seconds

    def _deliver(self, message: Message, held_up: float) -> None:
        if not held_up:
            message.hand_over()
        elif held_up > message.max_age:
            self._note("lost", f"gives a message up: {message.says}", message)
            message.give_up()
        else:
            what = f"delivers a message {held_up:.1f} s late: {message.says}"
            self._note("late", what, message)
            self._clock.at(self._clock.now() + held_up, message.hand_over)

    def _hits(self, probability: float, what: str, message: Message) -> bool:
        return self._clock.chance.hits(probability, f"{message.leg.value} {what}")

    def _note(self, kind: str, what: str, message: Message) -> None:
        self._journal.note(message.leg.who, kind, what)
