"""From single snapshots to spans of time: since when and until when a zone left in which way.

What happens between two snapshots is not seen. A loss counts from the last snapshot in which the
zone leaves (or from the fault, if that came later), and ends with the first in which it leaves
again: it is told up to two intervals too long, and not too short. A loss that begins and ends
between two snapshots is missed. An observation that failed says nothing: what was last seen is
taken until the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from lab.drills.outcome import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lab.account.egress import Way
    from nat_failover.model import Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One complete observation, between two moments: what it saw, and how each zone leaves."""

    begin: float
    end: float
    network: Observation
    ways: Mapping[str, Way]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """From a moment on, a zone leaves in this way."""

    time: float
    way: Way


def change(zone: str, before: Snapshot, after: Snapshot, faults: Sequence[float]) -> Change | None:
    """Return what became of a zone between two snapshots, if anything did."""
    was, way = before.ways[zone], after.ways[zone]
    if was == way:
        return None
    if was.works and not way.works:
        caused = [time for time in faults if before.begin < time <= after.end]
        return Change(time=max([before.begin, *caused]), way=way)
    return Change(time=after.end, way=way)


def spans(zone: str, snapshots: Sequence[Snapshot], faults: Sequence[float]) -> tuple[Span, ...]:
    """Return how a zone left from the first snapshot to the last."""
    changes = list(_changes(zone, snapshots, faults))
    ends = [later.time for later in changes[1:]] + [snapshots[-1].end]
    return tuple(
        Span(
            start=row.time,
            end=end,
            works=row.way.works,
            through=row.way.through,
            words=row.way.words,
        )
        for row, end in zip(changes, ends, strict=True)
    )


def outage(story: Sequence[Span]) -> float:
    """Return the seconds without egress."""
    return sum(span.seconds for span in story if not span.works)


def at_home(snapshot: Snapshot) -> bool:
    """Return whether each zone leaves through a working NAT of its own."""
    return all(way.works and way.zone == zone for zone, way in snapshot.ways.items())


def came_home(snapshots: Sequence[Snapshot]) -> float | None:
    """Return when each zone left through its own NAT for good; None while one does not."""
    if not at_home(snapshots[-1]):
        return None
    returns = [after.end for before, after in pairwise(snapshots) if not at_home(before)]
    return returns[-1] if returns else 0.0


def _changes(zone: str, snapshots: Sequence[Snapshot], faults: Sequence[float]) -> Iterator[Change]:
    latest = snapshots[0].begin
    yield Change(time=latest, way=snapshots[0].ways[zone])
    for before, after in pairwise(snapshots):
        if found := change(zone, before, after, faults):
            latest = max(latest, found.time)
            yield Change(time=latest, way=found.way)
