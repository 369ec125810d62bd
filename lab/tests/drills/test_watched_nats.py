"""Drills of what NATs notice of themselves and each other."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from lab.drills.drill import run_drill
from lab.drills.drill_pool import Job, run_all
from lab.drills.scenario import read_faults

if TYPE_CHECKING:
    from lab.drills.outcome import Outcome, Span
    from lab.drills.testbed import AppTestbed

SEEDS = range(2)
ZONE = "us-east-1b"

LIMITS = {
    "hang:b": (3.2, 5.0),
    "impair:b": (3.2, 5.0),
    "lost-egress:b": (7.0, 9.0),
    "internet-down:b+400": (7.0, 9.0),
}
"""Seconds after which a fault is noticed at the latest, and after which the table has moved."""

NOTHING_MOVES = ("link-cut:b", "watch-dead:b")


def drilled(testbed: AppTestbed, *written: str) -> dict[tuple[str, int], Outcome]:
    """Return what came of drills, each with some seeds, in forks."""

    def job(text: str, seed: int) -> Job:
        def drill() -> Outcome:
            return run_drill(testbed, read_faults(text.split()), seed=seed)

        return Job(name=f"{text} {seed}", run=drill)

    jobs = {job(text, seed): (text, seed) for text in written for seed in SEEDS}
    return {jobs[each]: outcome for each, outcome in run_all(testbed, jobs)}


def moves(spans: tuple[Span, ...]) -> int:
    """Return how often a zone came to leave through another NAT."""
    through = [span.through for span in spans if span.through]
    return sum(before != after for before, after in pairwise(through))


@pytest.fixture(scope="module")
def noticed(testbed: AppTestbed) -> dict[tuple[str, int], Outcome]:
    """Return the drills of faults that NATs notice."""
    return drilled(testbed, *LIMITS)


def test_table_of_a_nat_that_is_ill_moves_within_seconds(
    noticed: dict[tuple[str, int], Outcome],
) -> None:
    """Its peers notice it sooner, and no other zone loses anything."""
    for (fault, _), outcome in noticed.items():
        notice, move = LIMITS[fault]
        assert outcome.time_to_notice is not None
        assert outcome.time_to_notice <= notice
        assert 0 < outcome.outage[ZONE] <= move
        assert outcome.outage["us-east-1a"] == 0


def test_nat_that_is_ill_is_replaced_and_its_table_comes_home(
    noticed: dict[tuple[str, int], Outcome],
) -> None:
    """It moves twice: away, and back to another NAT."""
    for outcome in noticed.values():
        spans = outcome.egress[ZONE]
        assert (outcome.recovered, outcome.home) == (True, True)
        assert moves(spans) == 2
        assert spans[-1].through != spans[0].through
        assert "autoscaling:SetInstanceHealth" in {write.name for write in outcome.writes}


def test_nothing_moves_when_no_nat_would_serve_better(testbed: AppTestbed) -> None:
    """They do not hear each other, or a watch was stopped."""
    for outcome in drilled(testbed, *NOTHING_MOVES).values():
        assert (outcome.recovered, outcome.home) == (True, True)
        assert [moves(spans) for spans in outcome.egress.values()] == [0, 0]
        assert outcome.writes == ()
        assert outcome.worst == 0


def test_nothing_moves_while_no_nat_has_internet(testbed: AppTestbed) -> None:
    """And nothing when it is back, in whatever order they find it again and say so."""
    for outcome in drilled(testbed, "internet-down").values():
        assert (outcome.recovered, outcome.home) == (True, True)
        assert [moves(spans) for spans in outcome.egress.values()] == [0, 0]
        assert outcome.writes == ()
        assert outcome.worst == pytest.approx(300)
