"""The figures that README and docs print: collected in drills, kept in a file, put between marks.

A mark is `<!-- figures: NAME -->` on a line of its own, and `<!-- end -->` ends what is written
there. `python -m lab figures` collects anew, with `--kept` it prints what is kept, and what the
code says of faults and settings. A test compares the pages with the file, and runs some drills
again to see whether the file is still true.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING

from lab.cli import kept_drill
from lab.drills.faults import FAULTS, written_options
from lab.drills.testbed import OURS
from lab.emulator.isolation import PROJECT
from lab.report import nat_costs
from lab.report.lines import seconds
from stacks.settings.table import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from lab.drills.faults import Fault
    from lab.drills.outcome import Outcome

FILE = "docs/figures.json"
PAGES = ("README.md", "docs/comparison.md", "docs/operations.md", "lab/README.md")
SEEDS = range(5)
TOLD = "terminate"
"""The fault whose drill the lab's page tells, with the first seed."""

_MARKED = re.compile(r"(<!-- figures: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_SHORT = ("terminate", "both", "hang")
"""The faults of the short table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillFigures:
    """What is kept of one drill: its outage is that of the zone that had it worst."""

    fault: str
    handler: str
    seed: int
    outage: float
    writes: int
    recovered: bool
    home: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All drills, and the one that is told."""

    drills: tuple[DrillFigures, ...]
    told: Outcome

    @property
    def faults(self) -> tuple[str, ...]:
        """Return the faults in their order."""
        return tuple(dict.fromkeys(row.fault for row in self.drills))

    def of(self, fault: str, *, ours: bool) -> list[DrillFigures]:
        """Return the drills of a fault with the deployed function, or with the other one."""
        return [row for row in self.drills if row.fault == fault and (row.handler == OURS) is ours]


def drill_figures(outcome: Outcome) -> DrillFigures:
    """Return what is kept of a drill."""
    return DrillFigures(
        fault=outcome.fault,
        handler=outcome.handler,
        seed=outcome.seed,
        outage=round(outcome.worst, 3),
        writes=len(outcome.writes),
        recovered=outcome.recovered,
        home=outcome.home,
    )


def collected(outcomes: Iterable[Outcome]) -> Figures:
    """Return the figures of drills."""
    outcomes = tuple(outcomes)
    told = next(
        row for row in outcomes if (row.fault, row.handler, row.seed) == (TOLD, OURS, SEEDS[0])
    )
    return Figures(drills=tuple(map(drill_figures, outcomes)), told=told)


def load(project: Path) -> Figures:
    """Return the figures that are kept."""
    kept = json.loads((project / FILE).read_text(encoding="utf-8"))
    return Figures(
        drills=tuple(DrillFigures(**row) for row in kept["drills"]), told=kept_drill.load(project)
    )


def save(figures: Figures, project: Path) -> None:
    """Keep the figures, a line for each drill, and write the pages."""
    rows = ",\n".join(f"  {json.dumps(asdict(row))}" for row in figures.drills)
    (project / FILE).write_text(f'{{"drills": [\n{rows}\n]}}\n', encoding="utf-8")
    kept_drill.save(figures.told, project)
    write_pages(figures, project)


def write_pages(figures: Figures, project: Path) -> None:
    """Write into the pages what belongs between their marks, and the picture beside them."""
    kept_drill.draw(figures.told, project)
    for page in PAGES:
        path = project / page
        path.write_text(filled(path.read_text(encoding="utf-8"), figures), encoding="utf-8")


def filled(page: str, figures: Figures) -> str:
    """Return a page with what belongs between its marks."""
    return _MARKED.sub(lambda found: found[1] + SECTIONS[found[2]](figures) + found[3], page)


def marks(page: str) -> list[str]:
    """Return the names of a page's marks."""
    return [found[2] for found in _MARKED.finditer(page)]


def _every(figures: Figures) -> str:
    head = (
        "| fault | this function: median, worst | the recipe: median, worst | this function at home"
        " | the recipe at home |\n|---|---|---|---|---|\n"
    )
    return head + "".join(
        f"| {fault} | {_outage(ours)} | {_outage(theirs)} | {_home(ours)} | {_home(theirs)} |\n"
        for fault in figures.faults
        for ours, theirs in [(figures.of(fault, ours=True), figures.of(fault, ours=False))]
    )


def _short(figures: Figures) -> str:
    head = "| fault | handler | median outage | worst | writes | at home in the end |\n"
    rows = (
        f"| {fault} | {drills[0].handler} | {_least(drills)}{seconds(_median(drills))}"
        f" | {_least(drills)}{seconds(_worst(drills))} | {median(r.writes for r in drills):g}"
        f" | {_home(drills)} |\n"
        for fault in _SHORT
        for drills in (figures.of(fault, ours=True), figures.of(fault, ours=False))
    )
    return head + "|---|---|---|---|---|---|\n" + "".join(rows)


def _story(figures: Figures) -> str:
    lines = "\n".join(kept_drill.story(figures.told))
    return f"```\nKill a NAT\n{lines}\n```\n"


def _faults(_: Figures) -> str:
    rows = (
        f"| `{fault.name}`{_options(fault)} | {fault.happens} | {fault.ends} |\n"
        for fault in FAULTS
    )
    count = f"The lab injects {len(FAULTS)} faults:\n\n"
    return f"{count}| fault | what happens | how it ends |\n|---|---|---|\n" + "".join(rows)


def _options(fault: Fault) -> str:
    words = written_options(fault)
    return f" ({', '.join(words)})" if words else ""


def _account(_: Figures) -> str:
    rows = (
        f"| {fault.name} | {', '.join(f'`{name}`' for name in fault.account.permissions)} |\n"
        for fault in FAULTS
        if fault.account
    )
    return "| fault | permissions |\n|---|---|\n" + "".join(rows)


def _settings(_: Figures) -> str:
    return table()


def _hand_over(_: Figures) -> str:
    return nat_costs.hand_over_table(PROJECT)


def _watch(_: Figures) -> str:
    return nat_costs.watch_run(PROJECT)


def _prices(_: Figures) -> str:
    return nat_costs.watch_prices()


SECTIONS: dict[str, Callable[[Figures], str]] = {
    "drills": _every,
    "compare": _short,
    "story": _story,
    "faults": _faults,
    "account": _account,
    "settings": _settings,
    "hand-over": _hand_over,
    "watch": _watch,
    "prices": _prices,
}
"""What is written between the marks, by name."""


def _outage(drills: Sequence[DrillFigures]) -> str:
    if not any(row.recovered for row in drills):
        return "never"
    return f"{_least(drills)}{seconds(_median(drills))}, {_least(drills)}{seconds(_worst(drills))}"


def _least(drills: Sequence[DrillFigures]) -> str:
    return "" if all(row.recovered for row in drills) else "at least "


def _median(drills: Sequence[DrillFigures]) -> float:
    return median(row.outage for row in drills)


def _worst(drills: Sequence[DrillFigures]) -> float:
    return max(row.outage for row in drills)


def _home(drills: Sequence[DrillFigures]) -> str:
    return f"{sum(row.home for row in drills)} of {len(drills)}"
