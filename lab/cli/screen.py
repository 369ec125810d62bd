"""What a person sees in the terminal: each step as it happens, then what came of it in words."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.padding import Padding
from rich.table import Column, Table

from lab.drills.measure import words
from lab.emulator.journal import Entry, Who
from lab.report.lines import seconds
from lab.report.packets import flow_rows, probe_rows, what_hosts_saw
from lab.report.short_ids import short
from lab.report.verdict import figures, verdict, what_failed, what_zones_lost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from lab.drills.host_packets import HostPackets
    from lab.drills.outcome import Moment, Notification, Outcome

_COLOURS = {
    Who.YOU.value: "bold red",
    Who.EC2.value: "yellow",
    Who.AUTO_SCALING.value: "magenta",
    Who.SNS.value: "cyan",
    Who.EVENT_BRIDGE.value: "cyan",
    Who.CLOUDWATCH.value: "cyan",
    Who.LAMBDA.value: "green",
    Who.CLOUDFORMATION.value: "blue",
    Who.CDK.value: "bold blue",
    Who.LAB.value: "white",
}
_TONES = {"good": "bold green", "fair": "bold yellow", "bad": "bold red"}


class Screen:
    """Prints to a console; times are since the first fault, once there is one."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._zero: float | None = None
        self._waits = False

    def entry(self, entry: Entry) -> None:
        """Print one journal entry as a line."""
        if entry.kind == "fault" and self._zero is None:
            self._zero, self._waits = entry.at, False
        if not (said := words(entry)):
            return
        what = escape(said)
        if entry.kind == "call":
            what = f"[{'red' if entry.detail['error'] else 'green'}]{what}[/]"
        if entry.kind == "egress":
            style = "green" if entry.detail["works"] == "True" else "bold red"
            what = f"[{style}]{what}[/]"
        at = None if self._waits else entry.at - (self._zero or 0.0)
        self._line(at, entry.who.value, what)

    def await_fault(self) -> None:
        """Say "before" in place of the time, until the first fault."""
        self._waits = True

    def moment(self, moment: Moment) -> None:
        """Print one line of a timeline."""
        self._line(moment.time, moment.source, escape(moment.what))

    def heading(self, text: str) -> None:
        """Print what comes next."""
        self._console.print()
        self._console.print(f"[bold]{escape(text)}[/]")

    def say(self, text: str) -> None:
        """Print a sentence."""
        self._console.print(escape(text), highlight=False)

    def summary(self, outcome: Outcome) -> None:
        """Print what came of a drill."""
        said = verdict(outcome)
        self._console.print()
        self._console.print(
            f"[{_TONES[said.tone]}]{said.sign} {said.word}.[/] {escape(said.headline)}.",
            highlight=False,
        )
        said_of = (what_zones_lost(outcome), what_failed(outcome), what_hosts_saw(outcome.packets))
        for sentence in chain(*said_of):
            self._console.print(f"  {escape(sentence)}", highlight=False)
        table = Table(show_header=False, box=None, padding=(0, 2))
        for row in figures(outcome):
            table.add_row(
                row.name, "never" if row.value is None else seconds(row.value), row.meaning
            )
        table.add_row("Writes", str(len(outcome.writes)), f"{len(outcome.refused)} refused")
        self._console.print(table)
        if outcome.notifications is not None:
            self._told(outcome.notifications)
        for host in outcome.packets:
            self._packets(host)

    def _told(self, notifications: Sequence[Notification]) -> None:
        """Print what people were told, or that nobody told them anything."""
        self.heading("What people were told")
        if not notifications:
            self._console.print("  nothing")
        for told in notifications:
            self._line(told.time, told.source, f"[bold]{escape(told.subject)}[/]")
            self._console.print(Padding(escape(told.text), (0, 0, 0, 12)), highlight=False)

    def _packets(self, host: HostPackets) -> None:
        """Print what a private host saw."""
        self.heading(f"What the private host {host.host} in {host.zone} saw")
        probes = Table("probe", _number("sent"), _number("lost"), _number("late"), "when lost")
        for row in probe_rows(host):
            numbers = (str(number) for number in (row.sent, row.lost, row.late))
            probes.add_row(row.name, *numbers, row.when, style="red" if row.lost else None)
        flows = Table("open connection", _number("learned"), "from", _number("new one after"))
        for each in flow_rows(host):
            flows.add_row(each.name, _moment(each.learned), each.what, each.after)
        for told in (probes, flows):
            self._console.print(told)

    def _line(self, at: float | None, who: str, what: str) -> None:
        time = f"{'before':>10}" if at is None else f"{at:8.2f} s"
        line = f"[dim]{time}[/]  [{_COLOURS[who]}]{who:<14}[/] {short(what)}"
        self._console.print(line, highlight=False, soft_wrap=True)


def _number(name: str) -> Column:
    return Column(name, justify="right")


def _moment(value: float | None) -> str:
    return "" if value is None else seconds(value)
