"""What the benchmark makes of its numbers."""

from __future__ import annotations

from collections import Counter

from lab.bench.dataplane.entries import left
from lab.bench.dataplane.figures import Spread, lasting, turns
from lab.bench.dataplane.kept import Share
from lab.bench.dataplane.report import cells
from lab.bench.dataplane.speed import Row


def test_turns_alternates_who_begins() -> None:
    """Neither side always goes first, so that a machine that gets slower treats both alike."""
    assert ["A", "B", "B", "A", "A", "B"] == list(turns("A", "B", 3))


def test_spread_has_the_median_and_both_ends() -> None:
    """An even number of rounds has its median between the two in the middle."""
    assert Spread(median=3.5, least=1, greatest=9) == Spread.of([9, 1, 3, 4])


def test_spreads_overlap_when_they_share_a_number() -> None:
    """The end of the one may be the beginning of the other, in either order."""
    low, high = Spread(1, 0, 2), Spread(3, 2, 4)
    assert low.overlaps(high)
    assert high.overlaps(low)


def test_spreads_do_not_overlap_when_one_lies_above_the_other() -> None:
    """Every number of the one is greater than all of the other."""
    low, high = Spread(1, 0, 2), Spread(4, 3, 5)
    assert not low.overlaps(high)
    assert not high.overlaps(low)


def test_lasting_is_what_the_rate_leaves_behind_when_there_is_room() -> None:
    """A connection is remembered for two minutes after its end."""
    assert 12_000 == lasting(100, 120, 65_536)


def test_lasting_is_the_whole_table_when_the_rate_leaves_more_behind() -> None:
    """A full table takes no more."""
    assert 4_096 == lasting(100, 120, 4_096)


def test_filled_connections_are_forgotten_at_an_even_rate() -> None:
    """In each second of two minutes as many as in any other, like what a steady rate leaves."""
    times = Counter(left(number, 12_000, 120) for number in range(12_000))
    assert dict.fromkeys(range(1, 121), 100) == times


def test_share_says_none_only_when_nothing_was_dropped() -> None:
    """One of many is not rounded away."""
    shares = [Share(1000, dropped) for dropped in (0, 1, 10, 667, 1000)]
    assert ["none", "0.1 %", "1 %", "67 %", "100 %"] == [str(share) for share in shares]


def test_ratio_is_missing_when_a_busy_machine_measured_nothing() -> None:
    """The rest of the table is printed all the same."""
    row = Row("any", "1/s", Spread.of([2.0, 4.0]), Spread.of([0.0]))
    assert "none" == cells(row)[-1]
