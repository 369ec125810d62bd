"""The frame of a picture: its window, its width, and the measures that lanes and bands share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lab.emulator.journal import Who
from lab.report.axis import MARGIN, Axis
from lab.report.labels import cut

if TYPE_CHECKING:
    from lab.drills.outcome import Moment
    from lab.report.windows import Window

ROW = 19.0
"""The height of a row of labels."""

PAD = 5.0
"""The room between two things that do not belong together."""

REACH = 9.0
"""From the middle of a mark to its label."""

_BOLD = 1.1
"""How much wider bold letters are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A width for pictures, how much of it the names of lanes take, and how many rows a lane has.

    Without room for names at the side (0) they stand above their lanes. A close view may have more
    rows.
    """

    name: str
    width: float
    names: float
    rows: int

    def name_of(self, name: str) -> str:
        """Return as much of a lane's name as there is room for; its letters are bold."""
        return cut(name, (self.names or self.width) / _BOLD)

    @property
    def head(self) -> float:
        """Return how much higher a lane is for its name."""
        return 0.0 if self.names else ROW


FORMATS = (
    Format(name="wide", width=860, names=118, rows=4),  # a desk, or a sheet of paper
    Format(name="narrow", width=350, names=0, rows=6),  # a phone
)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A window to be drawn in a format, with so many rows in a lane at most.

    What happens in one of the `views` has a picture of its own and is not labelled here.
    """

    window: Window
    form: Format
    rows: int
    views: tuple[Window, ...] = ()

    @cached_property
    def axis(self) -> Axis:
        """Return the window between the edges that are left to it."""
        return Axis(
            window=self.window, left=self.form.names + MARGIN, right=self.form.width - MARGIN
        )

    def labels(self, line: Moment) -> bool:
        """Return whether a line may have a label here; what was done to the region always may."""
        return line.source == Who.YOU.value or not self.elsewhere(line.time)

    def elsewhere(self, time: float) -> bool:
        """Return whether a moment is in a picture of its own."""
        return any(view.holds(time) for view in self.views)
