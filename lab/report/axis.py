"""Seconds to the left edge of a picture and back to words: linear, with round ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.report.labels import width
from lab.report.lines import plain

if TYPE_CHECKING:
    from lab.report.windows import Window

MARGIN = 9.0
"""The room on both sides of an axis."""

_APART = 24.0
"""The least room between the labels of two ticks."""

_STEPS = tuple(digit * 10.0**power for power in range(-4, 7) for digit in (1, 2, 5))
"""Round numbers of seconds, from less than a millisecond to more than a day."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the axis, and its label, which is empty where it would leave the picture."""

    x: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A window laid out between two edges of a picture."""

    window: Window
    left: float
    right: float

    def x(self, time: float) -> float:
        """Return where a moment is; what is outside is at the nearer edge."""
        part = (time - self.window.start) / self.window.seconds
        return self.left + min(max(part, 0.0), 1.0) * (self.right - self.left)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """Return ticks at round seconds."""
        step = next(step for step in _STEPS if self._has_room(step))
        first = math.ceil(self.window.start / step)
        last = math.floor(self.window.end / step)
        return tuple(self._tick(number * step, step) for number in range(first, last + 1))

    def _has_room(self, step: float) -> bool:
        """Return whether labels so many seconds apart do not touch."""
        most = max(width(_label(time, step)) for time in (self.window.start, self.window.end))
        return step * (self.right - self.left) >= (most + _APART) * self.window.seconds

    def _tick(self, time: float, step: float) -> Tick:
        x, words = self.x(time), _label(time, step)
        room = min(x - self.left, self.right - x) + MARGIN
        return Tick(x, words if width(words) / 2 <= room else "")


def _label(time: float, step: float) -> str:
    return f"{plain(time, max(0, -math.floor(math.log10(step))))} s"
