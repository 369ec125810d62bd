"""Fills the templates: one page, complete in itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lab.report import lines, packets, verdict
from lab.report.comparison import compare
from lab.report.drawing import HEADING, MARGIN, drawing
from lab.report.picture import panels
from lab.report.short_ids import ID
from lab.report.topology import maps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.drills.outcome import Outcome

_TEMPLATES = Path(__file__).parent / "templates"


def as_html(outcomes: Sequence[Outcome]) -> str:
    """Return the HTML of a drill, or of a comparison of several and the worst of each row."""
    template = _environment().get_template("page.html")
    comparison = compare(outcomes)
    shown = [row.example for rows in comparison.values() for row in rows]
    drills = [_drill(number, outcome) for number, outcome in enumerate(shown, start=1)]
    return template.render(outcomes=outcomes, drills=drills, comparison=comparison)


def as_svg(outcome: Outcome) -> str:
    """Return the pictures of a drill as an SVG file that needs nothing else."""
    template = _environment().get_template("drawing.svg")
    return template.render(
        d=drawing(outcome), title=verdict.verdict(outcome).headline, margin=MARGIN, heading=HEADING
    )


def with_abbreviated_ids(text: str) -> Markup:
    """Return a text with shorter ids, each of which has itself in full as its title."""
    parts, end = [], 0
    for found in ID.finditer(text):
        parts += [Markup.escape(text[end : found.start()]), _abbreviated(*found.group(0, 1))]
        end = found.end()
    return Markup("").join([*parts, text[end:]])


def _abbreviated(full: str, short: str) -> Markup:
    return Markup('<abbr title="{}">{}…</abbr>').format(full, short)


def _drill(number: int, outcome: Outcome) -> dict[str, Any]:
    return {
        "number": number,
        "outcome": outcome,
        "verdict": verdict.verdict(outcome),
        "done": verdict.what_was_done(outcome),
        "zones": (
            *verdict.what_zones_lost(outcome),
            *verdict.what_failed(outcome),
            *packets.what_hosts_saw(outcome.packets),
        ),
        "figures": verdict.figures(outcome),
        "maps": maps(outcome.topology),
        "panels": panels(outcome),
        "lines": lines.lines(outcome),
        "hosts": [
            {"host": host, "probes": packets.probe_rows(host), "flows": packets.flow_rows(host)}
            for host in outcome.packets
        ],
    }


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "seconds": lines.seconds,
        "plain": lines.plain,
        "ids": with_abbreviated_ids,
    }
    environment.globals |= {"clocks": verdict.CLOCKS, "packet_terms": packets.TERMS}
    return environment
