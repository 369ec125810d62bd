"""What a person sees of the demo: each step as it happens, then a table, then the small print."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.table import Table

from lab import delays
from lab.ids import short
from lab.journal import Entry, Who

if TYPE_CHECKING:
    from rich.console import Console

    from lab.demo import HomeStory, Story
    from lab.watch import Egress

_COLOURS = {
    Who.YOU: "bold red",
    Who.EC2: "yellow",
    Who.AUTO_SCALING: "magenta",
    Who.SNS: "cyan",
    Who.EVENT_BRIDGE: "cyan",
    Who.LAMBDA: "green",
    Who.CLOUDFORMATION: "blue",
    Who.CDK: "bold blue",
}
_MUTED = ("resource",)


class Screen:
    """Prints to a console."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def entry(self, entry: Entry) -> None:
        """Print one journal entry as a line."""
        if entry.kind in _MUTED:
            return
        what = entry.what + _trigger(entry)
        if entry.kind == "egress":
            style = "green" if entry.detail["works"] == "True" else "bold red"
            what = f"[{style}]{what}[/]"
        self._line(entry.at, entry.who, what)
        for write in _writes(entry):
            self._line(entry.at, entry.who, f"[green]{write}[/]")

    def heading(self, text: str) -> None:
        """Print what comes next."""
        self._console.print()
        self._console.print(f"[bold]{text}[/]")

    def story(self, story: Story) -> None:
        """Print what each private route table went through."""
        table = Table(title="Where the private subnets' default routes led", title_justify="left")
        for column in ("private table", "before", "during", "after"):
            table.add_column(column, no_wrap=True)
        table.add_column("without egress")
        for row in story.homes:
            table.add_row(
                short(f"{row.home.table}\n{row.home.zone}"),
                _egress(row.before),
                _egress(row.during),
                _egress(row.after),
                _outage(row),
                end_section=True,
            )
        self._console.print()
        self._console.print(table)
        self._console.print(
            f"The first message came {story.told_after:.2f} s after the NAT was killed:"
            f" {short(story.first_message)}. The group's TERMINATE came after"
            f" {story.published_after:.2f} s.",
            highlight=False,
        )

    def small_print(self) -> None:
        """Print how the lab's clock differs from AWS's."""
        table = Table(
            title="This clock is compressed: do not read the seconds above as AWS's",
            title_justify="left",
            show_edge=False,
        )
        for column in ("delay", "here", "on AWS", "known by"):
            table.add_column(column)
        for row in delays.TABLE:
            table.add_row(row.name, f"{row.lab:g} s", row.aws, row.evidence.value)
        self._console.print()
        self._console.print(table, style="dim")

    def _line(self, at: float, who: Who, what: str) -> None:
        colour = _COLOURS[who]
        line = f"[dim]{at:7.2f} s[/]  [{colour}]{who.value:<14}[/] {short(what)}"
        self._console.print(line, highlight=False, soft_wrap=True)


def _answer(entry: Entry) -> Any:  # noqa: ANN401 - any JSON
    if entry.kind != "function answered":
        return None
    try:
        return json.loads(entry.detail["payload"])
    except ValueError:
        return None


def _trigger(entry: Entry) -> str:
    """Return what a function says that it was triggered by, if it says so as ours does."""
    match _answer(entry):
        case {"trigger": [*kinds]}:
            return f" (trigger: {', '.join(map(str, kinds))})"
    return ""


def _egress(egress: Egress) -> str:
    words = short(egress.words).replace(" (", "\n").replace(")", "")
    return f"[{'green' if egress.works else 'red'}]{words}[/]"


def _outage(row: HomeStory) -> str:
    if row.outage == 0:
        return "never"
    return (
        f"[bold]{row.outage:.2f} s[/]\n"
        f"{row.until_told:.2f} s until the first message\n"
        f"{row.until_repaired:.2f} s until the repair"
    )


def _writes(entry: Entry) -> list[str]:
    """Return what a function says that it wrote, if it says so as ours does."""
    match _answer(entry):
        case {"did": [*rows]}:
            return [str(row["write"]) for row in rows if isinstance(row, dict) and "write" in row]
    return []
