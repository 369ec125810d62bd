"""From what a client printed to what is told of it: lost and late probes, and broken flows.

Pure: a record is data, and the moment of the first fault comes from outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.drills.host_packets import Break, Flow, HostPackets, Probes, Stretch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LATE = 0.1
"""Seconds after which an answer is late: far above a way through a few namespaces, far below a
second, which is when TCP sends again."""

_TOGETHER = 0.1
"""Seconds between two lost probes that belong to one stretch, though others came through."""

_HANGS = 1.0
"""Seconds without progress after which a flow hangs."""

Taken = tuple[float, float | None]
"""When a probe was sent, and after how many seconds it was answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a client saw, by CLOCK_MONOTONIC."""

    ended: float
    probes: Mapping[str, Sequence[Taken]]
    flows: Sequence[Flow]


def read(told: Mapping[str, Any]) -> Record:
    """Return the record that a client printed."""
    return Record(
        ended=told["ended"],
        probes={kind: [(sent, rtt) for sent, rtt in row] for kind, row in told["probes"].items()},
        flows=[_flow(row) for row in told["flows"]],
    )


def host_packets(record: Record, *, host: str, zone: str, zero: float, since: float) -> HostPackets:
    """Return what a host saw, in seconds since `zero`, a moment of CLOCK_MONOTONIC.

    Probes count from `since` (in the same seconds) on.
    """
    return HostPackets(
        host=host,
        zone=zone,
        probes=tuple(
            _probes(kind, [(sent - zero, rtt) for sent, rtt in taken if sent - zero >= since])
            for kind, taken in record.probes.items()
        ),
        flows=tuple(_since(flow, zero, record.ended) for flow in record.flows),
    )


def stretches(taken: Sequence[Taken], chosen: Sequence[bool]) -> tuple[Stretch, ...]:
    """Return the stretches of the chosen probes; both are in the order of sending."""
    times = [sent for sent, _ in taken]
    found: list[Stretch] = []
    for sent, after, one in zip(times, [*times[1:], *times[-1:]], chosen, strict=True):
        if not one:
            continue
        if found and sent - found[-1].end <= _TOGETHER:
            last = found.pop()
            found.append(Stretch(start=last.start, end=after, count=last.count + 1))
        else:
            found.append(Stretch(start=sent, end=after, count=1))
    return tuple(found)


def _probes(kind: str, taken: Sequence[Taken]) -> Probes:
    lost = [rtt is None for _, rtt in taken]
    late = [rtt is not None and rtt > LATE for _, rtt in taken]
    return Probes(
        kind=kind,
        sent=len(taken),
        lost=sum(lost),
        late=sum(late),
        losses=stretches(taken, lost),
        delays=stretches(taken, late),
    )


def _flow(row: Mapping[str, Any]) -> Flow:
    breaks = (
        Break(learned=at, error=error, reconnected=again) for at, error, again in row["breaks"]
    )
    return Flow(name=row["name"], breaks=tuple(breaks), waits_since=row["waits_since"])


def _since(flow: Flow, zero: float, ended: float) -> Flow:
    """Return a flow in seconds since a moment; it hangs if it has waited for long."""
    waits = flow.waits_since
    return Flow(
        name=flow.name,
        breaks=tuple(
            Break(
                learned=each.learned - zero,
                error=each.error,
                reconnected=None if each.reconnected is None else each.reconnected - zero,
            )
            for each in flow.breaks
        ),
        waits_since=None if waits is None or ended - waits < _HANGS else waits - zero,
    )
