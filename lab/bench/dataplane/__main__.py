"""What packets get from this project's NAT, against another way to do the same job.

Both sides run in network namespaces of this machine, one after the other in interleaved rounds,
so only ratios within one run mean anything. The first table compares speeds; the second says what
share of new connections an instance of 512 MiB drops. For the second, and for its time only, the
sizes of this machine's connection table are changed; they are put back afterwards. The third says
what it costs a flow to be handed over by a NAT that does not know it, and the last line what the
watch costs.
"""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress

from lab.bench.dataplane import contenders, handed, kept, report, speed, watching
from lab.bench.dataplane.bed import Bed, BedError
from lab.bench.dataplane.contenders import FileError
from lab.bench.dataplane.pair import Pair, PairError
from lab.bench.dataplane.sizes import SizesError, borrowed
from lab.emulator.isolation import PROJECT
from lab.packets.namespaces import Namespaces
from lab.packets.requirements import PacketsError, missing_requirement
from lab.report import nat_costs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lab.bench.dataplane.contenders import Contender
    from lab.bench.dataplane.sizes import Machine


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured, of each kind; the watch for so many seconds."""

    speeds: speed.Extent
    drops: kept.Extent
    watched: float


_FEWEST = 3  # rounds, of which a spread says something
_RATES = (100, 500, 2000)
FULL = Extent(speed.Extent(8, 2.5), kept.Extent(_RATES, empty=10, filled=20), 60)
QUICK = Extent(speed.Extent(3, 0.4), kept.Extent(_RATES, empty=1, filled=4), 5)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status: 2 with a sentence when it cannot be done."""
    options = _options(arguments)
    extent = QUICK if options.quick else FULL
    if options.rounds:
        extent = replace(extent, speeds=replace(extent.speeds, rounds=options.rounds))
    try:
        theirs = contenders.from_file(options.against) if options.against else contenders.plain()
        run(theirs, extent, Console(), keep=options.keep)
    except (FileError, PacketsError, BedError, PairError, SizesError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the sentence for the person who started it
        return 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def run(contender: Contender, extent: Extent, console: Console, *, keep: bool = False) -> None:
    """Measure this project's NAT and the contender's, and print what came of it.

    What hand-over and watch cost can be kept for the pages that print it.

    Raises:
        PacketsError: when packets cannot flow on this machine.
        BedError: when one of the two does not become a NAT.
        PairError: when two of this project's NATs do not hand over flows.
        SizesError: when another run is under way, or the machine's connection table is small.

    """
    if reason := missing_requirement():
        raise PacketsError(reason)
    with borrowed() as machine:
        if machine.left_over:
            console.print(f"An earlier run was killed; its change is undone: {machine.left_over}.")
        machine.refuse_if_small()
        with (
            Namespaces() as spaces,
            Bed(spaces, contenders.ours(), name="a") as ours,
            Bed(spaces, contender, name="b") as theirs,
        ):
            for bed in (ours, theirs):
                console.print(report.how_it_went(bed))
            _speeds(ours, theirs, extent.speeds, console)
            _drops(ours, theirs, machine, extent.drops, console)
    _costs(extent, console, keep=keep)


def _speeds(ours: Bed, theirs: Bed, extent: speed.Extent, console: Console) -> None:
    with _progress("speeds", extent.steps(speed.MEASURES)) as measured:
        rows = speed.compare(ours, theirs, extent=extent, measured=measured)
    names = ours.contender.name, theirs.contender.name
    console.print(report.speeds(rows, names, extent))
    console.print(report.SPEEDS_MEAN)


def _drops(ours: Bed, theirs: Bed, machine: Machine, extent: kept.Extent, console: Console) -> None:
    try:
        machine.refuse_if_used()
    except SizesError as error:
        console.print(f"Dropped connections were not measured: {error}.")
        return
    with _progress("drops", extent.steps) as measured:
        rows = kept.compare(ours, theirs, machine, extent=extent, measured=measured)
    console.print(report.drops(rows, ours, theirs, extent))
    console.print(report.DROPS_MEAN)
    console.print(
        f"The sizes of this machine's table were changed for it: {machine.restore()} again."
    )


def _costs(extent: Extent, console: Console, *, keep: bool) -> None:
    steps = extent.speeds.steps(handed.MEASURES)
    with Pair() as pair:
        cost = watching.cost(pair, extent.watched)
        with _progress("hand-over", steps) as measured:
            rows = handed.compare(pair, extent=extent.speeds, measured=measured)
    console.print(report.speeds(rows, ("handed over", "served directly"), extent.speeds))
    console.print(report.HANDED_OVER_MEANS)
    console.print(f"{cost}.")
    if keep:
        nat_costs.save(PROJECT, map(report.cells, rows), cost)


@contextmanager
def _progress(what: str, steps: int) -> Iterator[Callable[[], None]]:
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=steps)
        yield lambda: progress.advance(task)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m lab.bench.dataplane",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--against",
        type=Path,
        metavar="FILE",
        help="another project's ruleset (.nft) or boot script, instead of a plain masquerade rule",
    )
    parser.add_argument(
        "--rounds",
        type=_rounds,
        metavar="N",
        help=f"rounds of the speeds (default: {FULL.speeds.rounds})",
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep what hand-over and watch cost: `python -m lab figures --kept` prints it",
    )
    parser.add_argument(
        "--quick", action="store_true", help="about two minutes, with a greater spread"
    )
    return parser.parse_args(arguments)


def _rounds(text: str) -> int:
    if not text.isdecimal() or int(text) < _FEWEST:
        message = f"{text!r} is no number of rounds; allowed: {_FEWEST} and more"
        raise argparse.ArgumentTypeError(message)
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
