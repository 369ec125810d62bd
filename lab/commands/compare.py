"""`compare` and `soak`: many drills from one deployment."""

from __future__ import annotations

import statistics
from collections import defaultdict
from typing import TYPE_CHECKING

from rich.progress import Progress
from rich.table import Table

from lab.chance import Chance
from lab.drills.drill import play
from lab.drills.farm import Job, play_all
from lab.drills.faults import FAULTS, Kind
from lab.drills.handlers import OURS, install
from lab.drills.scenario import read_faults
from lab.report.lines import seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from lab.drills.handlers import Handler
    from lab.drills.outcome import Outcome
    from lab.drills.scenario import Cue
    from lab.drills.stage import Stage


def compare(
    stage: Stage,
    console: Console,
    *,
    scenarios: Sequence[Sequence[Cue]],
    handlers: Sequence[Handler | None],
    seeds: Sequence[int],
) -> list[Outcome]:
    """Play every scenario with every handler and every seed, and return the outcomes in order."""
    jobs = [
        _job(stage, cues, handler, seed)
        for cues in scenarios
        for handler in handlers
        for seed in seeds
    ]
    return _all(stage, console, jobs)


def medians(outcomes: Sequence[Outcome]) -> Table:
    """Return the table: for each fault and handler the median and the worst outage, and writes."""
    rows: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        rows[outcome.fault, outcome.handler].append(outcome)
    table = Table("fault", "handler", "median outage", "worst", "writes", "recovered", "home")
    last = ""
    for (fault, handler), drills in rows.items():
        table.add_row(
            "" if fault == last else fault,
            handler,
            seconds(statistics.median(drill.worst for drill in drills)),
            seconds(max(drill.worst for drill in drills)),
            f"{statistics.median(len(drill.writes) for drill in drills):g}",
            _share(drill.recovered for drill in drills),
            _share(drill.home for drill in drills),
        )
        last = fault
    return table


def soak(stage: Stage, console: Console, *, drills: int, seed: int) -> list[Outcome]:
    """Play drills of mixed faults, drawn from a seed, and return the outcomes."""
    jobs = [_job(stage, mixed(number), None, number) for number in range(seed, seed + drills)]
    return _all(stage, console, jobs)


def mixed(seed: int) -> tuple[Cue, ...]:
    """Return one to three faults that end in recovery, at times of the first two minutes."""
    chance = Chance(seed)
    faults = [fault for fault in FAULTS if fault.recovers]
    names = []
    for _ in range(1 + int(chance.between(0, 3, "how many"))):
        fault = faults[int(chance.between(0, len(faults), "which"))]
        options = [option for option in fault.options if option != "elsewhere"]
        option = f":{options[int(chance.between(0, len(options), 'where'))]}" if options else ""
        start = "" if fault.kind is Kind.CONDITION else f"@{chance.between(0, 120, 'when'):.0f}"
        names.append(f"{fault.name}{option}{start}")
    return read_faults(names)


def _job(stage: Stage, cues: Sequence[Cue], handler: Handler | None, seed: int) -> Job:
    label = str(handler) if handler else OURS

    def drill() -> Outcome:
        install(stage, handler)
        return play(stage, cues, seed=seed, strategy=stage.strategy, handler=label)

    name = " ".join(str(cue) for cue in cues)
    return Job(name=f"{name} --seed {seed} with {label}", play=drill)


def _all(stage: Stage, console: Console, jobs: Sequence[Job]) -> list[Outcome]:
    done: dict[int, Outcome] = {}
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(f"{len(jobs)} drills", total=len(jobs))
        numbered = {id(job): number for number, job in enumerate(jobs)}
        for job, outcome in play_all(stage, jobs):
            done[numbered[id(job)]] = outcome
            progress.advance(task)
    return [done[number] for number in range(len(jobs))]


def _share(answers: object) -> str:
    said = list(answers)  # type: ignore[call-overload]  # an iterable of booleans
    return "always" if all(said) else f"{sum(said)} of {len(said)}"
