"""What a private host saw of a drill with packets, as values.

Times are seconds since the first fault, as everywhere in an outcome.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """So many probes, one soon after the other, were lost or late.

    It begins when the first of them was sent and ends when the first one after them was.
    """

    start: float
    end: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """The probes of one kind: how many were sent, never answered, and answered late."""

    kind: str
    sent: int
    lost: int
    late: int
    losses: tuple[Stretch, ...]
    delays: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """When the client of a broken connection learned it, by which error of its own system.

    `reconnected` is when it had a new connection that works, or None.
    """

    learned: float
    error: str
    reconnected: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A standing flow, its breaks, and since when it hangs at the end, or None."""

    name: str
    breaks: tuple[Break, ...]
    waits_since: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPackets:
    """What one private host saw; `host` is its private address."""

    host: str
    zone: str
    probes: tuple[Probes, ...]
    flows: tuple[Flow, ...]
