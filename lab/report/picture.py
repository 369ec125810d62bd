"""A stretch of a drill as a picture: lanes, bands and an axis, laid out in the picture's own units.

Everything is computed here; the template only draws it.
"""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase
from typing import TYPE_CHECKING

from lab.report.bands import Band, bands
from lab.report.frame import FORMATS, PAD, ROW, Frame
from lab.report.labels import SIZE, Label, Rows
from lab.report.lanes import Lane, lanes
from lab.report.lines import plain
from lab.report.windows import Window, close_views, whole

if TYPE_CHECKING:
    from lab.drills.outcome import Outcome

_ROWS_CLOSE = 48
_AXIS = 24.0
_THINNEST = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A close view as it is marked in the picture of the whole."""

    x: float
    width: float
    label: Label

    @property
    def y(self) -> float:
        """Return the height of the label."""
        return (self.label.row + 0.5) * ROW + SIZE / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A laid out picture; lanes and bands begin below `top`, the axis is at `foot`."""

    frame: Frame
    top: float
    foot: float
    lanes: tuple[Lane, ...]
    bands: tuple[Band, ...]
    views: tuple[View, ...]

    @property
    def height(self) -> float:
        """Return how high it is."""
        return self.foot + _AXIS

    @property
    def words(self) -> tuple[str, ...]:
        """Return what it tells, as sentences."""
        zones = (
            f"{band.zone}: {'; '.join(bar.title for bar in band.bars)}." for band in self.bands
        )
        acts = (f"{mark.title}." for lane in self.lanes for mark in lane.marks)
        seen = (words for band in self.bands for host in band.hosts for words in host.words)
        more = ("More lines stand in the table.",) if any(lane.ticks for lane in self.lanes) else ()
        return (*zones, *acts, *seen, *more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A window under its heading: the same picture in each format."""

    heading: str
    pictures: tuple[Picture, ...]


def panels(outcome: Outcome) -> tuple[Panel, ...]:
    """Return the whole drill, then its close views, which are named A, B and so on."""
    everything, views = whole(outcome), close_views(outcome)
    return (
        _panel(outcome, "The whole drill", everything, views),
        *(
            _panel(outcome, f"{name}: {_reach(view, everything)}", view)
            for name, view in zip(ascii_uppercase, views, strict=False)
        ),
    )


def picture(outcome: Outcome, frame: Frame) -> Picture:
    """Lay out a window of a drill."""
    views = _views(frame)
    acts = lanes(outcome, frame)
    below = sum(lane.height for lane in acts)
    zones = bands(outcome, frame, below)
    top = PAD + ROW * (1 + max((view.label.row for view in views), default=-1))
    foot = top + below + sum(zone.height for zone in zones)
    return Picture(frame=frame, top=top, foot=foot, lanes=acts, bands=zones, views=views)


def _panel(outcome: Outcome, heading: str, window: Window, views: tuple[Window, ...] = ()) -> Panel:
    frames = (
        Frame(window=window, form=form, rows=form.rows if views else _ROWS_CLOSE, views=views)
        for form in FORMATS
    )
    return Panel(heading=heading, pictures=tuple(picture(outcome, frame) for frame in frames))


def _views(frame: Frame) -> tuple[View, ...]:
    axis = frame.axis
    rows = Rows(axis.left, axis.right, len(frame.views))
    found = []
    for name, view in zip(ascii_uppercase, frame.views, strict=False):
        x = axis.x(view.start)
        size = max(axis.x(view.end) - x, _THINNEST)
        if label := rows.place(name, x, 2):
            found.append(View(x=x, width=size, label=label))
    return tuple(found)


def _reach(view: Window, everything: Window) -> str:
    times = everything.seconds / view.seconds
    return f"{plain(view.start)} s to {plain(view.end)} s, enlarged {times:.0f} times"
