"""`compare` and `soak`: many drills from one deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.progress import Progress
from rich.table import Column, Table

from lab.cli.drill import status
from lab.drills.drill import run_drill
from lab.drills.drill_pool import Job, run_all
from lab.drills.faults import FAULTS, Effect
from lab.drills.handlers import install
from lab.drills.scenario import read_faults
from lab.drills.testbed import OURS
from lab.emulator.readings import Readings, every
from lab.emulator.time.chance import Chance
from lab.report import comparison
from lab.report.lines import seconds
from lab.report.verdict import what_failed
from nat_failover.contract import Strategy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from lab.drills.handlers import Handler
    from lab.drills.outcome import Outcome
    from lab.drills.scenario import ScheduledFault
    from lab.drills.testbed import AppTestbed


FEWEST, MOST = 3, 5
"""How many faults a drill of `soak` has at once."""

_STRATEGY = Strategy.REPLACE_ROUTE.value


def compare(
    testbed: AppTestbed,
    console: Console,
    *,
    scenarios: Sequence[Sequence[ScheduledFault]],
    handlers: Sequence[Handler | None],
    seeds: Sequence[int],
) -> list[Outcome]:
    """Run every scenario with every handler and every seed, and return the outcomes in order."""
    jobs = [
        _job(testbed, faults, handler, seed)
        for faults in scenarios
        for handler in handlers
        for seed in seeds
    ]
    return _all(testbed, console, jobs)


def medians(outcomes: Sequence[Outcome]) -> Table:
    """Return the table: for each fault and handler the median and the worst outage, and writes."""
    names = ("fault", "handler", "median outage", "worst", "writes", "recovered", "home")
    table = Table(*(Column(name, overflow="fold") for name in names))
    for fault, rows in comparison.compare(outcomes).items():
        for row in rows:
            least = "" if row.recovered == row.drills else "at least "
            table.add_row(
                fault if row is rows[0] else "",
                row.handler,
                least + seconds(row.median),
                least + seconds(row.worst),
                f"{row.writes:g}",
                f"{row.recovered} of {row.drills}",
                f"{row.home} of {row.drills}",
            )
    return table


def comparison_status(
    outcomes: Sequence[Outcome],
    scenarios: Sequence[Sequence[ScheduledFault]],
    *,
    adopt: bool = False,
    watch: bool = True,
) -> int:
    """Return 1 if the deployed function did not end one of its drills as documented, or else 0."""
    named = {" ".join(str(scheduled) for scheduled in faults): faults for faults in scenarios}
    ours = (outcome for outcome in outcomes if outcome.handler == OURS)
    ends = (status(each, named[each.fault], adopt=adopt, watch=watch) for each in ours)
    return max(ends, default=0)


def failures(outcomes: Sequence[Outcome]) -> list[str]:
    """Return a sentence for each exception with which a handler failed in a drill."""
    found = {
        (outcome.handler, sentence) for outcome in outcomes for sentence in what_failed(outcome)
    }
    return [f"{handler}: {sentence}" for handler, sentence in sorted(found)]


def soak(testbed: AppTestbed, console: Console, *, drills: int, seed: int) -> list[Outcome]:
    """Run drills of mixed faults, drawn from a seed, and return the outcomes.

    What AWS leaves open is taken under each reading, in the full cross.
    """
    cross = list(every())
    zones = [home.zone[-1] for home in testbed.monitor.homes]
    jobs = [
        _job(
            testbed,
            mixed(number, zones, testbed.strategy),
            None,
            number,
            cross[number % len(cross)],
        )
        for number in range(seed, seed + drills)
    ]
    return _all(testbed, console, jobs)


def mixed(
    seed: int, zones: Sequence[str] = ("a", "b"), strategy: str = _STRATEGY
) -> tuple[ScheduledFault, ...]:
    """Return three to five faults that end in recovery, at times of the first two minutes.

    Where all of them are conditions, a NAT is terminated under them.
    """
    chance = Chance(seed)
    faults = [fault for fault in FAULTS if fault.ends_well(None, strategy)]
    names = []
    for _ in range(FEWEST + int(chance.between(0, MOST - FEWEST + 1, "how many"))):
        fault = faults[int(chance.between(0, len(faults), "which"))]
        options = [option for option in fault.options if option in zones]
        option = f":{options[int(chance.between(0, len(options), 'where'))]}" if options else ""
        start = "" if fault.effect is Effect.CONDITION else f"@{chance.between(0, 120, 'when'):.0f}"
        names.append(f"{fault.name}{option}{start}")
    return read_faults(names)


def _job(
    testbed: AppTestbed,
    faults: Sequence[ScheduledFault],
    handler: Handler | None,
    seed: int,
    readings: Readings | None = None,
) -> Job:
    def drill() -> Outcome:
        testbed.region.aws.readings.become(readings or Readings())
        install(testbed, handler)
        return run_drill(testbed, faults, seed=seed)

    name = " ".join(str(scheduled) for scheduled in faults)
    return Job(name=f"{name} --seed {seed} with {handler or OURS}", run=drill)


def _all(testbed: AppTestbed, console: Console, jobs: Sequence[Job]) -> list[Outcome]:
    done: dict[Job, Outcome] = {}
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(f"{len(jobs)} drills", total=len(jobs))
        for job, outcome in run_all(testbed, jobs):
            done[job] = outcome
            progress.advance(task)
    return [done[job] for job in jobs]
