"""What happened in the region, as it happens: when, who, what."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.emulator.time.clock import Clock


class Who(Enum):
    """Who did it, in the words of the AWS console."""

    YOU = "You"
    EC2 = "EC2"
    AUTO_SCALING = "Auto Scaling"
    CLOUDWATCH = "CloudWatch"
    SNS = "SNS"
    EVENT_BRIDGE = "EventBridge"
    LAMBDA = "Lambda"
    CLOUDFORMATION = "CloudFormation"
    CDK = "CDK"
    LAB = "Lab"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened: seconds since the lab started, who, what kind, and in words."""

    at: float
    who: Who
    kind: str
    what: str
    detail: Mapping[str, str] = field(default_factory=dict)


class Journal:
    """Entries in the order in which they happened; listeners hear each one at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: list[Entry] = []
        self._listeners: list[Callable[[Entry], None]] = []

    def note(self, who: Who, kind: str, what: str, **detail: str) -> Entry:
        """Write an entry now."""
        with self._lock:
            entry = Entry(at=self._clock.now(), who=who, kind=kind, what=what, detail=detail)
            self._entries.append(entry)
            for listener in self._listeners:
                listener(entry)
        return entry

    def listen(self, listener: Callable[[Entry], None]) -> None:
        """Call `listener` with each entry from now on."""
        with self._lock:
            self._listeners.append(listener)

    def entries(self, *kinds: str, since: float = 0.0) -> tuple[Entry, ...]:
        """Return the entries from `since` on, of these kinds or of all."""
        with self._lock:
            return tuple(
                entry
                for entry in self._entries
                if entry.at >= since and (not kinds or entry.kind in kinds)
            )
