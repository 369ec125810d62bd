"""What the benchmark prints: its two tables, and in words how they came about."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.bench.dataplane import kept, speed
    from lab.bench.dataplane.bed import Bed
    from lab.bench.dataplane.figures import Spread

SPEEDS_MEAN = (
    "Only the ratios mean anything: the load is made by Python on the same processors, which limits"
    " both sides alike. Within the spread: some rounds of the one were like some of the other."
)
HANDED_OVER_MEANS = (
    "Each flow is opened through the one NAT; what follows comes to the other, which hands it over,"
    " or to the same one. Answers take one way."
)
DROPS_MEAN = (
    "Dropped: the first packet was, and TCP tries again after a second. In the long run: the table"
    " was filled beforehand with the closed connections of the last two minutes at this rate, or as"
    " many as it holds, of all ages."
)
_SAME = "within the spread"


def speeds(rows: Sequence[speed.Row], names: tuple[str, str], extent: speed.Extent) -> Table:
    """Return the table of what two sides of these names came to, with ratios of medians."""
    table = Table(
        "",
        *names,
        "ratio",
        "difference",
        title=f"Speed on this machine, in this run: median of {extent.rounds} (least to greatest)",
    )
    for row in rows:
        table.add_row(*cells(row), _SAME if row.ours.overlaps(row.theirs) else "beyond the spread")
    return table


def cells(row: speed.Row) -> tuple[str, str, str, str]:
    """Return what was measured, what both sides came to, and the ratio of their medians."""
    # A machine that is too busy for a short measurement measures nothing.
    ratio = f"{row.ours.median / row.theirs.median:.2f}" if row.theirs.median else "none"
    return f"{row.name}, {row.unit}", _spread(row.ours), _spread(row.theirs), ratio


def drops(rows: Sequence[kept.Row], ours: Bed, theirs: Bed, extent: kept.Extent) -> Table:
    """Return the table of dropped connections."""
    table = Table(
        "new connections",
        *(bed.contender.name for bed in (ours, theirs)),
        title="Connections dropped by an instance of 512 MiB",
    )
    burst = f"a burst of {extent.empty:g} s"
    for filled, some in groupby(rows, key=lambda row: row.filled):
        for row in some:
            when = "in the long run" if filled else burst
            table.add_row(f"{row.rate:,}/s, {when}", str(row.ours), str(row.theirs))
        table.add_section()
    return table


def how_it_went(bed: Bed) -> str:
    """Say how a contender's script went, and which commands were played to it."""
    booted = bed.booted
    names = sorted({call.split()[0] for call in booted.played})
    played = (
        f" It called {', '.join(names)}, which did nothing: a namespace has no such thing."
        if names
        else ""
    )
    return (
        f"{bed.contender.name} ended with exit status {booted.status}, and leaves an instance of"
        f" 512 MiB a connection table of {booted.sizes}.{played}"
    )


def _spread(spread: Spread) -> str:
    return f"{_number(spread.median)} ({_number(spread.least)} to {_number(spread.greatest)})"


def _number(number: float) -> str:
    """Return three digits, or all before the point."""
    return f"{number:,.0f}" if number >= 100 else f"{number:#.3g}"  # noqa: PLR2004 - three digits
