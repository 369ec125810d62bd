"""How fast a NAT is: five measures, taken of both sides in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from lab.bench.dataplane.figures import Spread, turns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lab.bench.dataplane.bed import Bed

SENDERS = 2
"""Processes that send packets as fast as they can."""

_STEADY = 200  # connections a second: few enough that none waits for another


_Side = TypeVar("_Side")
_Loaded = TypeVar("_Loaded")


@dataclass(frozen=True, slots=True)
class Measure(Generic[_Loaded]):
    """What is measured, how, and its unit. More is better, except of times."""

    name: str
    unit: str
    take: Callable[[_Loaded, float], float]


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured: rounds, and the seconds of each measurement."""

    rounds: int
    seconds: float

    def steps(self, measures: Sequence[Measure[Any]]) -> int:
        """Return how many measurements there are."""
        return 2 * self.rounds * len(measures)


@dataclass(frozen=True, slots=True)
class Row:
    """What a measure came to on both sides, in all rounds."""

    name: str
    unit: str
    ours: Spread
    theirs: Spread


def rows(
    measures: Sequence[Measure[_Loaded]],
    taken: Mapping[tuple[_Side, Measure[_Loaded]], Sequence[float]],
    ours: _Side,
    theirs: _Side,
) -> Sequence[Row]:
    """Return what each measure came to, from what was taken of each side."""
    return [
        Row(
            measure.name,
            measure.unit,
            Spread.of(taken[ours, measure]),
            Spread.of(taken[theirs, measure]),
        )
        for measure in measures
    ]


def _flows(flows: int) -> Callable[[Bed, float], float]:
    return lambda bed, seconds: bed.load("stream", flows, seconds)["bits"] / 1e9


def _packets(bed: Bed, seconds: float) -> float:
    before = bed.arrived()
    sent = bed.load("datagrams", SENDERS, seconds)
    return (bed.arrived() - before) / sent["seconds"] / 1000


def _connections(bed: Bed, seconds: float) -> float:
    return bed.load("connect", seconds)["rate"]


def _connect_time(bed: Bed, seconds: float) -> float:
    return bed.load("pace", _STEADY, seconds)["p99"] * 1000


QUIET = (Measure(f"p99 connect time at {_STEADY}/s", "ms", _connect_time),)
"""Taken first: after a million packets the kernel clears up for minutes, and connections wait."""

LOUD = (
    Measure("TCP throughput, 1 flow", "Gbit/s", _flows(1)),
    Measure("TCP throughput, 8 flows", "Gbit/s", _flows(8)),
    Measure("UDP packets of 64 bytes", "thousand/s", _packets),
    Measure("new connections", "1/s", _connections),
)
MEASURES = (*LOUD, *QUIET)


def compare(
    ours: Bed, theirs: Bed, *, extent: Extent, measured: Callable[[], None]
) -> Sequence[Row]:
    """Take all measures of both sides in turn; `measured` is called after each."""
    taken: dict[tuple[Bed, Measure[Bed]], list[float]] = {}
    for measures in (QUIET, LOUD):
        for bed in turns(ours, theirs, extent.rounds):
            for measure in measures:
                taken.setdefault((bed, measure), []).append(measure.take(bed, extent.seconds))
                bed.fill(0)
                measured()
    return rows(MEASURES, taken, ours, theirs)
