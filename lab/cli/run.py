"""From options to a command, and from what goes wrong to one sentence."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from rich.console import Console

from lab import report
from lab.account import RealDrillError
from lab.cli import figures, tables
from lab.cli.compare import compare, comparison_status, failures, medians, soak
from lab.cli.demo import demo
from lab.cli.doctor import run_doctor
from lab.cli.drill import DEPLOYMENT_PACE, drill, status, tell
from lab.cli.options import OptionsError, check_options
from lab.cli.real import drill_real
from lab.cli.screen import Screen
from lab.cli.up import up
from lab.drills.catalogue import BEHAVIOURS
from lab.drills.cdk import CdkError
from lab.drills.drill_pool import DrillPoolError
from lab.drills.faults import FAULTS
from lab.drills.handlers import RECIPE_2016, HandlerError, Trigger, read_handler
from lab.drills.lab_settings import LabSettingsError, lab_settings
from lab.drills.scenario import ScenarioError, must_have_zones, read_faults, read_scenario
from lab.drills.testbed import AppTestbedError, deployed
from lab.emulator.isolation import PROJECT
from lab.emulator.node import NotSetUpError
from lab.emulator.region import PortError, Region
from lab.emulator.time.clock import RealClock, VirtualClock
from lab.packets.requirements import PacketsError, missing_requirement

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lab.drills.handlers import Handler
    from lab.drills.outcome import Outcome
    from lab.drills.scenario import ScheduledFault
    from lab.emulator.behaviour import Behaviour

_COULD_NOT_START = (
    ScenarioError,
    HandlerError,
    LabSettingsError,
    NotSetUpError,
    OptionsError,
    PacketsError,
    PortError,
    RealDrillError,
)
_CUT_OFF = 128 + 13  # as a shell has it for SIGPIPE
_WENT_WRONG = (CdkError, AppTestbedError, DrillPoolError, OSError)


Behaviours = tuple["type[Behaviour]", ...]


class _Console(Console):
    """A console whose reader may go away, as `| head` does: no failure of the app."""

    def on_broken_pipe(self) -> None:
        """Say nothing more, and end with the status that a shell has for that."""
        with suppress(SystemExit):
            super().on_broken_pipe()
        raise SystemExit(_CUT_OFF)


def run(options: Namespace, directory: Path) -> int:
    """Run a command; return 0 when it went well, 1 when not, 2 when it could not start."""
    console = _Console()
    commands: dict[str, Callable[[Namespace, Console, Path], int]] = {
        "demo": _demo,
        "up": _up,
        "drill": _drill,
        "compare": _compare,
        "soak": _soak,
        "doctor": run_doctor,
        "faults": tables.faults,
        "figures": _figures,
        "fidelity": tables.fidelity,
    }
    try:
        check_options(options)
        return commands[options.command or "demo"](options, console, directory)
    except _COULD_NOT_START as error:
        print(error, file=sys.stderr)  # noqa: T201 - the last word
        return 2
    except _WENT_WRONG as error:
        print(f"The lab stops: {error}", file=sys.stderr)  # noqa: T201 - the last word
        return 1


def _demo(options: Namespace, console: Console, directory: Path) -> int:
    with Region(BEHAVIOURS) as region:
        demo(region, directory, Screen(console), options.strategy)
    return 0


def _up(options: Namespace, console: Console, directory: Path) -> int:
    with Region(BEHAVIOURS, clock=RealClock(DEPLOYMENT_PACE), port=options.port) as region:
        up(region, directory, Screen(console), options.strategy)
    return 0


def _drill(options: Namespace, console: Console, directory: Path) -> int:
    screen = None if options.json else Screen(console)
    faults, seed, strategy = _scenario(options)
    handlers = _handlers(options)
    if options.real:
        outcome = drill_real(options, faults, screen)
        return _ended(outcome, screen, options, status(outcome, faults))
    settings = lab_settings(PROJECT, strategy)
    must_have_zones(faults, settings.zones)
    real = options.real_time or options.packets
    without = (BEHAVIOURS, drill, DEPLOYMENT_PACE)
    behaviours, drill_of, pace = _with_packets() if options.packets else without
    clock = RealClock(pace) if real else VirtualClock()
    with Region(behaviours, clock=clock) as region:
        outcome = drill_of(
            region,
            directory,
            screen,
            faults=faults,
            seed=seed,
            strategy=strategy,
            handler=handlers[0] if handlers else None,
            destroy=options.destroy,
        )
    expected = status(outcome, faults, adopt=settings.adopt, watch=settings.watch)
    return _ended(outcome, screen, options, 0 if handlers else expected)


def _ended(outcome: Outcome, screen: Screen | None, options: Namespace, status: int) -> int:
    tell(outcome, screen, options.report)
    return status


def _with_packets() -> tuple[Behaviours, Callable[..., Outcome], float]:
    """Return the behaviours of a region that packets follow, what drills it, and its pace."""
    if reason := missing_requirement():
        raise PacketsError(reason)
    from lab.cli import packets  # noqa: PLC0415 - what it needs is for Linux alone

    return packets.BEHAVIOURS, packets.drill_with_packets, packets.DEPLOYMENT_PACE


def _scenario(options: Namespace) -> tuple[tuple[ScheduledFault, ...], int, str | None]:
    """Return faults, seed and strategy; what the command line says wins over what a file says."""
    if options.fault and options.scenario:
        given = f"{' '.join(options.fault)} and --scenario {options.scenario}"
        message = f"{given} are given: name faults, or a file, and not both"
        raise ScenarioError(message)
    if not options.fault and not options.scenario:
        message = "name faults, or a file with --scenario FILE; `python -m lab faults` lists them"
        raise ScenarioError(message)
    if not options.scenario:
        return read_faults(options.fault), options.seed or 0, options.strategy
    file = read_scenario(options.scenario)
    seed = options.seed if options.seed is not None else file.seed or 0
    return file.faults, seed, options.strategy or (file.strategy and file.strategy.value)


def _handlers(options: Namespace) -> list[Handler]:
    triggers = [Trigger(name) for name in options.trigger]
    if (options.env or triggers) and not options.handler:
        message = "--env and --trigger are for a handler: name it with --handler FILE:FUNCTION"
        raise HandlerError(message)
    return [read_handler(written, options.env, triggers) for written in options.handler]


def _compare(options: Namespace, console: Console, directory: Path) -> int:
    settings = lab_settings(PROJECT, options.strategy)
    names = options.fault or [fault.name for fault in FAULTS]
    scenarios = [read_faults([name]) for name in names]
    for faults in scenarios:
        must_have_zones(faults, settings.zones)
    handlers: Sequence[Handler | None] = (None, RECIPE_2016, *_handlers(options))
    seeds = range(options.seed, options.seed + options.seeds)
    with Region(BEHAVIOURS) as region, deployed(region, directory, options.strategy) as testbed:
        told = Console(stderr=True) if options.json else console
        outcomes = compare(testbed, told, scenarios=scenarios, handlers=handlers, seeds=seeds)
    if options.json:
        json.dump([outcome.as_json() for outcome in outcomes], sys.stdout)
    else:
        console.print(medians(outcomes))
        for sentence in failures(outcomes):
            console.print(sentence, highlight=False, markup=False)
    if options.report:
        page = report.write(outcomes, options.report)
        print(f"The report is in {page}", file=sys.stderr)  # noqa: T201 - beside the JSON
    return comparison_status(outcomes, scenarios, adopt=settings.adopt, watch=settings.watch)


def _figures(options: Namespace, console: Console, directory: Path) -> int:
    """Collect the figures of the pages anew: every fault, five seeds, with and without us."""
    if options.kept:
        figures.write_pages(figures.load(PROJECT), PROJECT)
        console.print(f"Written to {', '.join(figures.PAGES)}")
        return 0
    with Region(BEHAVIOURS) as region, deployed(region, directory, None) as testbed:
        outcomes = compare(
            testbed,
            console,
            scenarios=[read_faults([fault.name]) for fault in FAULTS],
            handlers=(None, RECIPE_2016),
            seeds=figures.SEEDS,
        )
    figures.save(figures.collected(outcomes), PROJECT)
    console.print(f"Written to {figures.FILE}, {', '.join(figures.PAGES)}")
    return 0


def _soak(options: Namespace, console: Console, directory: Path) -> int:
    with Region(BEHAVIOURS) as region, deployed(region, directory, options.strategy) as testbed:
        outcomes = soak(testbed, console, drills=options.drills, seed=options.seed)
    lost = [outcome for outcome in outcomes if not (outcome.recovered and outcome.home)]
    worst = max(outcomes, key=lambda outcome: outcome.worst)
    console.print(f"{len(outcomes)} drills, {len(lost)} not recovered or not home")
    console.print(f"longest outage {worst.worst:.1f} s: {worst.fault} --seed {worst.seed}")
    for outcome in lost:
        console.print(f"not recovered: {outcome.fault} --seed {outcome.seed}", style="red")
    return int(bool(lost))
