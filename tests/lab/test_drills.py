"""Drills with the real CDK CLI: each fault ends as documented, and repeats exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.commands.parser import STRATEGIES
from lab.drills.drill import play
from lab.drills.farm import Job, play_all
from lab.drills.faults import FAULTS
from lab.drills.handlers import OURS, install
from lab.drills.scenario import read_faults
from lab.drills.stage import Stage, deployed
from lab.region import Region

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lab.drills.handlers import Handler
    from lab.drills.outcome import Outcome

HOME = (True, True)
LOST = (False, False)


def job(stage: Stage, written: str, *, seed: int = 0, handler: Handler | None = None) -> Job:
    """Return a drill of faults as they are written on the command line."""

    def drill() -> Outcome:
        install(stage, handler)
        return play(
            stage, read_faults(written.split()), seed=seed, strategy=stage.strategy, handler=OURS
        )

    return Job(name=written, play=drill)


def played(stage: Stage, jobs: Iterable[Job]) -> dict[str, Outcome]:
    """Return the outcomes by the drills' names."""
    return {job.name: outcome for job, outcome in play_all(stage, jobs)}


def end(outcome: Outcome) -> tuple[bool, bool]:
    """Return whether a drill ended with internet, and at home."""
    return outcome.recovered, outcome.home


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_fault_ends_as_documented(strategy: str, tmp_path: Path) -> None:
    """One deployment, one fork for each fault, and what the table of faults says of its end."""
    with Region() as region, deployed(region, tmp_path, strategy) as stage:
        drills = played(stage, [job(stage, fault.name) for fault in FAULTS])
        ends = {name: end(outcome) for name, outcome in drills.items()}
        assert ends == {fault.name: HOME if fault.recovers else LOST for fault in FAULTS}
        stage.diff()
