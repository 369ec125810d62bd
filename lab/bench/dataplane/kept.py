"""How many new connections a 512 MiB instance drops, by the sizes that each side has there.

Two states of the table matter. A burst meets an empty one. In the long run each connection stays in
it for two minutes after its end, so the table is filled beforehand with as many closed connections
of all ages as the rate leaves behind, or as it holds: a short run then sees what an endless one
sees. A connection counts as dropped when its first packet was lost: TCP tries again a second later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.bench.dataplane.figures import lasting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lab.bench.dataplane.bed import Bed
    from lab.bench.dataplane.sizes import Machine


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured: connections a second, and seconds with an empty and a filled table."""

    rates: tuple[int, ...]
    empty: float
    filled: float

    @property
    def steps(self) -> int:
        """Return how many measurements there are."""
        return 2 * 2 * len(self.rates)


@dataclass(frozen=True, slots=True)
class Share:
    """How many connections were begun, and how many of them were dropped."""

    begun: int
    dropped: int

    def __str__(self) -> str:
        if not self.dropped:
            return "none"
        percent = 100 * self.dropped / self.begun
        return f"{percent:.0f} %" if percent >= 1 else f"{percent:.2g} %"


@dataclass(frozen=True, slots=True)
class Row:
    """What both sides dropped at a rate, and whether the table was filled beforehand."""

    rate: int
    filled: bool
    ours: Share
    theirs: Share


def compare(
    ours: Bed, theirs: Bed, machine: Machine, *, extent: Extent, measured: Callable[[], None]
) -> Sequence[Row]:
    """Measure each rate on both sides, with an empty and a filled table."""
    rows = []
    for filled, seconds in ((False, extent.empty), (True, extent.filled)):
        for rate in extent.rates:
            shares = []
            for bed in (ours, theirs):
                shares.append(_dropped(bed, machine, rate, seconds, filled=filled))
                measured()
            rows.append(Row(rate, filled, *shares))
    return rows


def _dropped(bed: Bed, machine: Machine, rate: int, seconds: float, *, filled: bool) -> Share:
    sizes = bed.booted.sizes
    machine.write(sizes)
    bed.fill(lasting(rate, bed.memory, sizes.entries) if filled else 0)
    told = bed.load("pace", rate, seconds)
    return Share(int(told["begun"]), int(told["begun"] - told["made"]))
