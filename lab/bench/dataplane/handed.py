"""What the hand-over costs a flow: by way of the NAT that hands it over, and without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.bench.dataplane.figures import turns
from lab.bench.dataplane.pair import FIRST, SECOND
from lab.bench.dataplane.speed import SENDERS, Measure, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lab.bench.dataplane.pair import Pair
    from lab.bench.dataplane.speed import Extent, Row
    from lab.packets.values import Nat


def _segments(pair: Pair, seconds: float) -> float:
    before = pair.arrived()
    sent = pair.load("segments", SENDERS, seconds)
    return (pair.arrived() - before) / sent["seconds"] / 1000


def _round_trip(pair: Pair, seconds: float) -> float:
    return pair.load("echo", seconds)["decile"] * 1e6


def _bits(load: str) -> Callable[[Pair, float], float]:
    return lambda pair, seconds: pair.load(load, 1, seconds)["bits"] / 1e9


MEASURES: Sequence[Measure[Pair]] = (
    Measure("round trip of the fastest tenth", "µs", _round_trip),
    Measure("TCP upload, 1 flow", "Gbit/s", _bits("upload")),
    Measure("TCP download, 1 flow", "Gbit/s", _bits("stream")),
    Measure("TCP segments without data", "thousand/s", _segments),
)


def compare(pair: Pair, *, extent: Extent, measured: Callable[[], None]) -> Sequence[Row]:
    """Take all measures both ways in turn; `measured` is called after each."""
    taken: dict[tuple[Nat, Measure[Pair]], list[float]] = {}
    for nat in turns(FIRST, SECOND, extent.rounds):
        pair.lead(nat)
        for measure in MEASURES:
            taken.setdefault((nat, measure), []).append(measure.take(pair, extent.seconds))
            measured()
    return rows(MEASURES, taken, FIRST, SECOND)
