"""Drills of what NATs notice of themselves and each other."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import pytest

from lab.drills.drill import run_drill
from lab.drills.drill_pool import Job, run_all
from lab.drills.scenario import read_faults
from nat_failover.incidents import UNWATCHED_GRACE_S
from nat_failover.situation import FIRST_MINUTES_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.drills.outcome import Outcome, Span
    from lab.drills.testbed import AppTestbed

    Drilled = Callable[..., dict[tuple[str, int], Outcome]]

ZONE = "us-east-1b"

LIMITS = {
    "hang:b": (3.2, 5.0),
    "impair:b": (3.2, 5.0),
    "lost-egress:b": (7.0, 9.0),
    "internet-down:b+400": (7.0, 9.0),
}
"""Seconds after which a fault is noticed at the latest, and after which the table has moved."""

LINK_CUT, WATCH_STOPPED = "link-cut:b", "watch-dead:b"

TWICE_SICK = "lost-egress:b internet-down:b@420+30 internet-down:b@600+30"
"""The first fault keeps the group from being told of another NAT for a quarter of an hour."""


@pytest.fixture(scope="module")
def drilled(testbed: AppTestbed, *, exhaustive: bool) -> Drilled:
    """Return what plays faults, each with a seed or two, in forks."""
    seeds = range(2 if exhaustive else 1)

    def job(text: str, seed: int) -> Job:
        def drill() -> Outcome:
            return run_drill(testbed, read_faults(text.split()), seed=seed)

        return Job(name=f"{text} {seed}", run=drill)

    def play(*written: str) -> dict[tuple[str, int], Outcome]:
        jobs = {job(text, seed): (text, seed) for text in written for seed in seeds}
        return {jobs[each]: outcome for each, outcome in run_all(testbed, jobs)}

    return play


def nats(spans: tuple[Span, ...]) -> list[str]:
    """Return the NATs that a zone left through, one after the other."""
    return [nat for nat, _ in groupby(span.through for span in spans) if nat]


def moves(spans: tuple[Span, ...]) -> int:
    """Return how often a zone came to leave through another NAT."""
    return len(nats(spans)) - 1


@pytest.fixture(scope="module")
def noticed(drilled: Drilled) -> dict[tuple[str, int], Outcome]:
    """Return the drills of faults that NATs notice."""
    return drilled(*LIMITS)


@pytest.fixture(scope="module")
def left(drilled: Drilled) -> dict[tuple[str, int], Outcome]:
    """Return the drills of faults after which no NAT would serve better."""
    return drilled(LINK_CUT, WATCH_STOPPED)


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


def test_nothing_moves_when_no_nat_would_serve_better(
    left: dict[tuple[str, int], Outcome],
) -> None:
    """They do not hear each other, or a watch was stopped."""
    for outcome in left.values():
        assert (outcome.recovered, outcome.home) == (True, True)
        assert [moves(spans) for spans in outcome.egress.values()] == [0, 0]
        assert outcome.writes == ()
        assert outcome.worst == 0


def test_nat_whose_watch_hangs_is_taken_for_one_that_hangs(drilled: Drilled) -> None:
    """Nobody can tell the two apart: its table moves, although it forwards, and it is replaced."""
    notice, move = LIMITS["hang:b"]
    for outcome in drilled("watch-dead:frozen").values():
        spans = outcome.egress["us-east-1a"]
        first, other, last = nats(spans)
        assert outcome.time_to_notice is not None
        assert outcome.time_to_notice <= notice
        assert spans[1].start <= move
        assert other == outcome.egress[ZONE][0].through
        assert first != last
        assert (outcome.worst, outcome.home) == (0, True)


def test_people_are_told_once_of_a_nat_whose_watch_was_stopped(
    left: dict[tuple[str, int], Outcome],
) -> None:
    """Ten minutes after it is missed, as a NAT is not in its first minutes; and when it is over."""
    stopped = [outcome for (fault, _), outcome in left.items() if fault == WATCH_STOPPED]
    assert stopped
    for outcome in stopped:
        told = outcome.notifications
        assert told is not None
        assert [row.subject.split(":")[0] for row in told] == ["NOT WATCHED", "HEALED"]
        assert UNWATCHED_GRACE_S < told[0].time < UNWATCHED_GRACE_S + FIRST_MINUTES_S


def test_table_of_a_nat_that_comes_and_goes_moves_away_and_back_once(drilled: Drilled) -> None:
    """Four times its internet is back for 20 s, and the table stays where it is."""
    for outcome in drilled("flapping:b").values():
        first, other, last = nats(outcome.egress[ZONE])
        assert other == outcome.egress["us-east-1a"][0].through
        assert first != last
        assert moves(outcome.egress["us-east-1a"]) == 0
        assert outcome.home


def test_nat_that_turned_sick_twice_in_an_hour_stays_away_until_it_is_replaced(
    drilled: Drilled,
) -> None:
    """Once the table fails back to it, and then to another one only."""
    for outcome in drilled(TWICE_SICK).values():
        first, other, twice, *between, last = nats(outcome.egress[ZONE])
        assert between == [other, twice, other]
        assert len({first, other, twice, last}) == 4
        told = [row for row in outcome.writes if row.name == "autoscaling:SetInstanceHealth"]
        assert [row.target for row in told] == [first, twice]
        assert outcome.home


def test_nothing_moves_while_no_nat_has_internet(drilled: Drilled) -> None:
    """And nothing when it is back, in whatever order they find it again and say so."""
    for outcome in drilled("internet-down").values():
        assert (outcome.recovered, outcome.home) == (True, True)
        assert [moves(spans) for spans in outcome.egress.values()] == [0, 0]
        assert outcome.writes == ()
        assert outcome.worst == pytest.approx(300)
