"""`faults` and `fidelity`: what can be injected, and how faithful the lab is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Column, Table

from lab.drills.boots import delays as boots
from lab.drills.catalogue import BEHAVIOURS
from lab.drills.faults import FAULTS, Effect, written_options
from lab.emulator.limits import LIMITS
from lab.emulator.time import delays

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from rich.console import Console

    from lab.drills.faults import Fault


def faults(_: Namespace, console: Console, __: Path) -> int:
    """Print every fault, and what comes of it."""
    table = Table("fault", "what happens", "how it ends", show_lines=True)
    for fault in FAULTS:
        options = "".join(f"\n:{option}" for option in _options(fault))
        lasts = f"\n+{fault.seconds:g}" if fault.seconds else ""
        real = "\n--real" if fault.account else ""
        table.add_row(
            f"[bold]{fault.name}[/][dim]{options}{lasts}{real}[/]", fault.happens, fault.ends
        )
    console.print(table)
    alone = [fault.name for fault in FAULTS if fault.effect is Effect.CONDITION]
    console.print(
        f"Drilled alone, {', '.join(alone)} come with the termination of a NAT. Under each name:"
        " its options (ZONE is a zone's letter, as in terminate:b), how many seconds it lasts where"
        " nothing else is said, and whether it can be injected into a real account. How it ends is"
        " with the deployed function.",
        highlight=False,
    )
    return 0


def _options(fault: Fault) -> tuple[str, ...]:
    return tuple(option.replace("a zone's letter", "ZONE") for option in written_options(fault))


def fidelity(_: Namespace, console: Console, __: Path) -> int:
    """Print what is modelled, how well it is known, and what is not modelled."""
    console.print("[bold]AWS behaviours that the lab emulates[/], each with its source\n")
    for behaviour in BEHAVIOURS:
        fact = " ".join((behaviour.__doc__ or "").split("\n\n")[0].split())
        console.print(f"[bold]{behaviour.__name__}[/] {fact}", highlight=False)
        console.print(f"  [dim]{behaviour.source}[/]", highlight=False)
    names = ("delay", "seconds", "known", "source")
    columns = (Column(name, overflow="fold") for name in names)
    table = Table(*columns, title="\nDelays", title_justify="left")
    for row in (*delays.TABLE, *boots.TABLE):
        table.add_row(row.name, str(row).removesuffix(" s"), row.evidence.value, row.source)
    console.print(table)
    console.print("\n[bold]Not modelled[/]\n")
    for limit in LIMITS:
        console.print(f"- {limit}", highlight=False)
    return 0
