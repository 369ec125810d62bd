"""The pictures of a drill below each other, in a file that pages show without the report."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from lab.report.frame import FORMATS
from lab.report.lines import seconds
from lab.report.picture import panels
from lab.report.topology import maps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.drills.outcome import Outcome
    from lab.report.picture import Panel, Picture
    from lab.report.topology import Map

MARGIN = 16.0
"""The room around the drawing, and between two of its parts."""

HEADING = 22.0
"""The height of the words above a part."""

_WIDE = FORMATS[0]
_SHOWN = 2  # timelines: the whole, and the close view of what the fault began


@dataclass(frozen=True, slots=True, kw_only=True)
class MapPart:
    """A map under its heading, at a place of the drawing and reduced to its scale."""

    heading: str
    x: float
    scale: float
    map: Map


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelinePart:
    """A stretch of the drill under its heading, at a height of the drawing."""

    heading: str
    y: float
    picture: Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """All parts: the maps side by side on top, and the timelines below them."""

    height: float
    maps: tuple[MapPart, ...]
    timelines: tuple[TimelinePart, ...]

    @property
    def width(self) -> float:
        """Return how wide it is: a desk's picture between its margins."""
        return _WIDE.width + 2 * MARGIN


def drawing(outcome: Outcome) -> Drawing:
    """Lay out the pictures of a drill."""
    beside = _maps(maps(outcome.topology))
    below = MARGIN + max((HEADING + part.map.height * part.scale for part in beside), default=0.0)
    shown = panels(outcome)[:_SHOWN]
    pictures = [panel.pictures[0] for panel in shown]
    ends = list(accumulate((HEADING + p.height + MARGIN for p in pictures), initial=below + MARGIN))
    return Drawing(height=ends[-1], maps=beside, timelines=_timelines(shown, pictures, ends))


def _maps(found: Sequence[Map]) -> tuple[MapPart, ...]:
    room = (_WIDE.width + MARGIN) / max(len(found), 1)
    return tuple(
        MapPart(
            heading=f"{each.name.capitalize()}, at {seconds(each.time)}",
            x=MARGIN + number * room,
            scale=min(1.0, (room - MARGIN) / each.width),
            map=each,
        )
        for number, each in enumerate(found)
    )


def _timelines(
    drawn: Sequence[Panel], pictures: Sequence[Picture], starts: Sequence[float]
) -> tuple[TimelinePart, ...]:
    return tuple(
        TimelinePart(heading=panel.heading, y=y, picture=picture)
        for panel, picture, y in zip(drawn, pictures, starts, strict=False)
    )
