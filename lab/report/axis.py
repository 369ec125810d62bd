"""Seconds to the left edge of a picture and back to words: linear, with round ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.report.labels import width
from lab.report.lines import plain

if TYPE_CHECKING:
    from lab.report.windows import Window

_APART = 84.0
"""The least room between two ticks, so that their labels do not touch."""

_ROUND = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the axis, and its label."""

    x: float
    words: str
    anchor: str


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
        step = self._step()
        first = math.ceil(self.window.start / step)
        last = math.floor(self.window.end / step)
        decimals = max(0, -math.floor(math.log10(step)))
        return tuple(
            self._tick(number * step, f"{plain(number * step, decimals)} s")
            for number in range(first, last + 1)
        )

    def _tick(self, time: float, words: str) -> Tick:
        """Return a tick with its label in the middle, unless that would go over the edge."""
        x = self.x(time)
        over = x + width(words) / 2 > self.right
        return Tick(x, words, "end" if over else "middle")

    def _step(self) -> float:
        """Return the smallest round number of seconds that keeps ticks apart."""
        least = self.window.seconds * _APART / (self.right - self.left)
        size = 10.0 ** math.floor(math.log10(least))
        return next(digit * size for digit in _ROUND if digit * size >= least * 0.999)
