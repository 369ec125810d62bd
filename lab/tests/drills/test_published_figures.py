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


def test_drills_come_to_what_the_published_figures_say(
    testbed: AppTestbed, *, exhaustive: bool
) -> None:
    """Every third fault once, with the function, to the millisecond.

    Whatever changes one of them changes most. The recipe's are not run again: on a busy machine its
    first start can miss its time limit, and whatever changes them changes the function's too.
    """
    figures = load(PROJECT)
    kept = {(row.fault, row.handler): row for row in figures.drills if row.seed == SEEDS[0]}
    played = {fault.name for fault in (FAULTS if exhaustive else FAULTS[::3])} | {TOLD}
    jobs = [_job(testbed, fault) for fault in sorted(played)]
    outcomes = [outcome for _, outcome in run_all(testbed, jobs)]
    testbed.diff()
    now = {(outcome.fault, outcome.handler): drill_figures(outcome) for outcome in outcomes}
    assert now == {key: kept[key] for key in now}, ANEW
    (told,) = (row for row in outcomes if (row.fault, row.handler) == (TOLD, OURS))
    assert told.as_json() == figures.told.as_json(), ANEW


def _job(testbed: AppTestbed, name: str) -> Job:
    def drill() -> Outcome:
        return run_drill(testbed, read_faults([name]), seed=SEEDS[0])

    return Job(name=name, run=drill)
