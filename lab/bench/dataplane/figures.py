"""What is made of the measured numbers: medians, spreads, ratios, and the order of the rounds."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


_Side = TypeVar("_Side")


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of measured numbers, and the least and the greatest."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Spread:
        """Return the spread of numbers, of which there is at least one."""
        return cls(statistics.median(numbers), min(numbers), max(numbers))

    def overlaps(self, other: Spread) -> bool:
        """Return whether some of these numbers are among those of the other."""
        return self.least <= other.greatest and other.least <= self.greatest


def turns(one: _Side, other: _Side, rounds: int) -> Iterator[_Side]:
    """Yield both sides once a round, in the order A B, B A, A B and so on.

    What changes slowly on the machine then meets both alike.
    """
    for number in range(rounds):
        yield from (one, other) if number % 2 == 0 else (other, one)


def lasting(rate: float, memory: int, entries: int) -> int:
    """Return how many closed connections a table holds after a long time at a rate.

    Each is remembered for `memory` seconds.
    """
    return min(int(rate * memory), entries)
