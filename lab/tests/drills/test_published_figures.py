"""The figures of README and docs, against the drills that they tell of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.cli.figures import SEEDS, TOLD, drill_figures, load
from lab.drills.drill import run_drill
from lab.drills.drill_pool import Job, run_all
from lab.drills.faults import FAULTS
from lab.drills.scenario import read_faults
from lab.drills.testbed import OURS
from lab.emulator.isolation import PROJECT
from lab.tests.cli.test_figures import ANEW

if TYPE_CHECKING:
    from lab.drills.outcome import Outcome
    from lab.drills.testbed import AppTestbed


PLAYED_ELSEWHERE = {
    "stop": "lab/tests/account/test_drill.py",
    "impair": "lab/tests/drills/test_watched_nats.py",
    "flapping": "lab/tests/drills/test_watched_nats.py",
    "internet-down": "lab/tests/drills/test_watched_nats.py",
    "link-cut": "lab/tests/drills/test_watched_nats.py",
    "watch-dead": "lab/tests/drills/test_watched_nats.py",
    "renewal": "lab/tests/drills/test_planned_moves.py",
    "no-capacity": "lab/tests/drills/test_foreign.py",
    "standby": "lab/tests/drills/test_foreign.py",
    "lost-address": "lab/tests/drills/test_foreign.py",
    "lost-gateway": "lab/tests/drills/test_foreign.py",
    "both": "lab/tests/drills/test_drills.py",
    "lost": "lab/tests/drills/test_drills.py",
    "doubled": "lab/tests/drills/test_drills.py",
    "reordered": "lab/tests/drills/test_drills.py",
}
"""Faults that are played against the figures in an exhaustive run alone, and the tests that say
how they end in every run."""


def test_drills_come_to_what_the_published_figures_say(
    testbed: AppTestbed, *, exhaustive: bool
) -> None:
    """Faults once, with the function, to the millisecond.

    The recipe's are not run again: on a busy machine its first start can miss its time limit,
    and whatever changes them changes the function's too.
    """
    figures = load(PROJECT)
    kept = {(row.fault, row.handler): row for row in figures.drills if row.seed == SEEDS[0]}
    played = [fault.name for fault in FAULTS if exhaustive or fault.name not in PLAYED_ELSEWHERE]
    jobs = [_job(testbed, name) for name in played]
    outcomes = [outcome for _, outcome in run_all(testbed, jobs)]
    testbed.diff()
    assert len(outcomes) == len(FAULTS) - (0 if exhaustive else len(PLAYED_ELSEWHERE))
    now = {(outcome.fault, outcome.handler): drill_figures(outcome) for outcome in outcomes}
    assert now == {key: kept[key] for key in now}, ANEW
    (told,) = (row for row in outcomes if (row.fault, row.handler) == (TOLD, OURS))
    assert told.as_json() == figures.told.as_json(), ANEW


def _job(testbed: AppTestbed, name: str) -> Job:
    def drill() -> Outcome:
        return run_drill(testbed, read_faults([name]), seed=SEEDS[0])

    return Job(name=name, run=drill)
