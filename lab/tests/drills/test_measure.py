"""What is measured of a drill: outages, depth, moments."""

from __future__ import annotations

import pytest

from lab.drills.measure import Call, depth, during, outage
from lab.drills.outcome import Span, joined, losses


def span(start: float, end: float, *, works: bool, words: str = "any") -> Span:
    """Return a span in which a zone had internet, or not."""
    return Span(start=start, end=end, works=works, through=None, words=words)


def call(sent: float, at: float, name: str = "ec2:DescribeInstances", run: int = 1) -> Call:
    """Return a call that was under way from one moment to another."""
    return Call(name=name, sent=sent, at=at, run=run, error=None, parameters={})


@pytest.mark.parametrize(
    ("spans", "seconds"),
    [
        ([span(-5, 10, works=True)], 0),
        ([span(-5, 1, works=True), span(1, 3, works=False), span(3, 10, works=True)], 2),
        ([span(-5, 2, works=False), span(2, 10, works=True)], 2),
        ([span(-5, -1, works=False), span(-1, 10, works=True)], 0),
        ([span(0, 1, works=False), span(1, 2, works=True), span(2, 5, works=False)], 4),
    ],
)
def test_outage_counts_from_the_first_fault(spans: list[Span], seconds: float) -> None:
    """All the times without egress together, and none of what was before."""
    assert outage(spans) == seconds


def test_depth_is_how_many_round_trips_lead_to_the_first_write() -> None:
    """Three reads at once and then two writes at once are two; in turn they would be four."""
    write = "ec2:ReplaceRoute"
    together = [call(0, 1), call(0, 2), call(0, 3), call(3, 4, write), call(3, 5, write)]
    in_turn = [call(0, 1), call(1, 2), call(2, 3), call(3, 4, write)]
    assert depth(together, 1) == 2
    assert depth(in_turn, 1) == 4


def test_depth_is_of_one_run_alone() -> None:
    """Another run's calls are under way at the same time, and do not count."""
    write = "ec2:ReplaceRoute"
    assert depth([call(0, 1, run=2), call(1, 2), call(2, 3, write)], 1) == 2
    assert depth([call(0, 1)], 1) == 0


@pytest.mark.parametrize(
    ("spans", "moment"),
    [
        ([("old", -5, 1), (None, 1, 3), ("new", 3, 20)], 1),
        ([("old", -5, 2), ("other", 2, 9), (None, 9, 15), ("new", 15, 20)], 9),
        ([("old", -5, 2), ("other", 2, 9), ("new", 9, 20)], 2),
        ([(None, -5, 1), ("new", 1, 20)], 0),
        ([("old", -5, 1), (None, 1, 20)], 1),
        ([("old", -5, 1), (None, 1, 3), ("old", 3, 20)], 1),
        ([("old", -5, 20)], 0),
    ],
)
def test_during_is_the_worst_moment_and_the_failover_where_nothing_was_lost(
    spans: list[tuple[str | None, float, float]], moment: float
) -> None:
    """A picture that is all green under a headline of 90 s would be a lie."""
    hit = tuple(
        Span(start=start, end=end, works=through is not None, through=through, words="any")
        for through, start, end in spans
    )
    well = (span(-5, 20, works=True),)
    assert during({"a": hit, "b": well}) == moment


def test_during_is_when_the_most_zones_are_without_internet() -> None:
    """One zone loses it first, both are without it later."""
    first = (span(-5, 1, works=True), span(1, 30, works=False), span(30, 40, works=True))
    then = (span(-5, 8, works=True), span(8, 20, works=False), span(20, 40, works=True))
    assert during({"a": first, "b": then}) == 8


def test_outage_is_one_while_only_the_words_for_it_change() -> None:
    """A NAT that shuts down, then is gone, then boots: nobody had internet in between."""
    spans = [
        span(-5, 1, works=True),
        span(1, 28, works=False),
        span(28, 90, works=False, words="other"),
        span(90, 95, works=True),
        span(95, 97, works=False),
    ]
    assert losses(spans) == (89, 2)
    assert [(row.start, row.end, row.words) for row in joined(spans) if not row.works] == [
        (1, 90, "any, other"),
        (95, 97, "any"),
    ]


def test_outage_that_began_before_the_first_fault_counts_from_it() -> None:
    """And one that was over before does not count."""
    assert losses([span(-5, -1, works=False), span(-1, 2, works=True)]) == ()
    assert losses([span(-5, 2, works=False), span(2, 3, works=True)]) == (2,)
