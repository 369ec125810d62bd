"""The lanes of a picture: one for each actor, with a mark for each line of the timeline.

Each label stands beside its mark, in as many rows as the lane needs, so that none covers another
and none needs a line to its mark. What finds no room stays a tick at the foot of the lane.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.report.frame import PAD, REACH, ROW
from lab.report.labels import Label, Rows
from lab.report.lines import EGRESS, FUNCTION, REFUSED, WRITE, lines, seconds
from lab.report.short_ids import short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.drills.outcome import Moment, Outcome
    from lab.report.frame import Frame

_WRITES = "Writes"
_LAST = (FUNCTION, _WRITES)
_SIGNS = {WRITE: "✓ ", REFUSED: "✗ "}
_TICK = 9.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A line with a label; `kind` is the moment's."""

    kind: str
    x: float
    top: float
    title: str
    label: Label

    @property
    def y(self) -> float:
        """Return the height of the mark."""
        return self.top + (self.label.mark_row + 0.5) * ROW

    @property
    def label_y(self) -> float:
        """Return the height of the label."""
        return self.top + (self.label.row + 0.5) * ROW


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """What one of those who act did; `ticks` are where lines without a label are."""

    name: str
    top: float
    height: float
    marks: tuple[Mark, ...]
    ticks: tuple[int, ...]


def lanes(outcome: Outcome, frame: Frame) -> tuple[Lane, ...]:
    """Lay out the lanes that have a line in the window, one below the other, from 0 on."""
    found: list[Lane] = []
    top = 0.0
    for name, told in _by_lane(outcome, frame).items():
        found.append(_lane(name, told, frame, top))
        top += found[-1].height
    return tuple(found)


def tell(line: Moment) -> str:
    """Return a line of the timeline as a sentence."""
    return f"{seconds(line.time)}, {line.source}: {line.what}"


def _by_lane(outcome: Outcome, frame: Frame) -> dict[str, list[Moment]]:
    """Return the lines in the window by who: first come first, the function and its writes last."""
    found: dict[str, list[Moment]] = {}
    for line in lines(outcome):
        if line.kind != EGRESS and frame.window.holds(line.time):
            found.setdefault(_WRITES if line.kind in _SIGNS else line.source, []).append(line)
    names = sorted(found, key=lambda name: _LAST.index(name) + 1 if name in _LAST else 0)
    return {name: found[name] for name in names}


def _lane(name: str, told: Sequence[Moment], frame: Frame, top: float) -> Lane:
    axis, head = frame.axis, frame.form.head + PAD
    space = Rows(axis.left, axis.right, frame.rows)
    marks: list[Mark] = []
    ticks: set[int] = set()
    for line, words in _said(told, frame):
        x = axis.x(line.time)
        label = space.place(words, x, REACH) if words else None
        if label is None:
            ticks.add(round(x))
        else:
            marks.append(Mark(kind=line.kind, x=x, top=top + head, title=tell(line), label=label))
    height = head + max(space.count, 1) * ROW + _TICK * bool(marks and ticks) + PAD
    return Lane(
        name=frame.form.name_of(name),
        top=top,
        height=height,
        marks=tuple(marks),
        ticks=tuple(sorted(ticks)),
    )


def _said(told: Sequence[Moment], frame: Frame) -> list[tuple[Moment, str]]:
    """Return each line with its label; none where it has one elsewhere or says the same again."""
    times = Counter(line.what for line in told if frame.labels(line))
    said = []
    for line in told:
        count = times.pop(line.what, 0) if frame.labels(line) else 0
        again = f"{count} times: " if count > 1 else ""
        words = f"{_SIGNS.get(line.kind, '')}{again}{short(line.what)}"
        said.append((line, words if count else ""))
    return said
