"""Which stretches of a drill are drawn: the whole of it, and a close view of each decisive one.

A third of a second decides as much as five minutes do, so one scale cannot show both. A logarithmic
axis could, but then an outage of a second looks as long as one of a minute, and the way home, which
starts minutes after the fault, is no clearer than before. Here every picture is linear, so that a
length is a time wherever one looks: the whole drill, in which the close views are marked, and one
close view for each place where the way out of a zone changed, as wide as the lines around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from lab.report.lines import lines
from lab.report.packets import moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.drills.outcome import Outcome

_NEAR = 1.2
"""Seconds between two lines that always belong together, such as a message and an answer."""

_MOST_LINES = 24
"""How many lines a close view can hold and still be read."""

_MOST_VIEWS = 5

_CLOSE = 0.5
"""A view of more than this part of the drill is no closer than the drill itself."""

_TOGETHER = 10
"""Two views become one that is at most so many times as long as both."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a drill, in seconds since the first fault."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Return how long it is."""
        return self.end - self.start

    def holds(self, time: float) -> bool:
        """Return whether a moment is in it."""
        return self.start <= time <= self.end

    def with_margins(self, part: float) -> Window:
        """Return it longer by a part of itself at each end."""
        margin = self.seconds * part
        return Window(self.start - margin, self.end + margin)


def whole(outcome: Outcome) -> Window:
    """Return the drill from its first fault to its end."""
    ends = [span.end for spans in outcome.egress.values() for span in spans]
    last = max([*ends, *(line.time for line in lines(outcome))], default=0.0)
    return Window(0.0, max(last, 1.0)).with_margins(0.02)


def close_views(outcome: Outcome) -> tuple[Window, ...]:
    """Return a window around each change of a zone's way out that the whole does not show well."""
    everything = whole(outcome)
    told = {line.time for line in lines(outcome)} | set(moments(outcome.packets))
    told |= set(_changes(outcome))
    times = sorted(time for time in told if everything.holds(time))
    longest = _CLOSE * everything.seconds
    views: list[Window] = []
    for change in _changes(outcome):
        if not any(view.holds(change) for view in views):
            view = _around(change, times)
            if 0 < view.seconds < longest:
                views.append(view)
    joined = _joined(views, times, longest)
    return tuple(view.with_margins(0.1) for view in joined[:_MOST_VIEWS])


def _joined(views: Sequence[Window], times: Sequence[float], longest: float) -> list[Window]:
    """Return the views, by time, with those made one that are near enough for it."""
    found = list(views[:1])
    for view in views[1:]:
        last = found[-1]
        both = Window(last.start, max(last.end, view.end))
        legible = sum(both.holds(time) for time in times) <= _MOST_LINES
        if legible and both.seconds <= min(_TOGETHER * (last.seconds + view.seconds), longest):
            found[-1] = both
        else:
            found.append(view)
    return found


def _changes(outcome: Outcome) -> list[float]:
    """Return the moment of the fault and those at which the way out of a zone changed."""
    changes = {after.start for spans in outcome.egress.values() for _, after in pairwise(spans)}
    return sorted({0.0} | changes)


def _around(change: float, times: Sequence[float]) -> Window:
    """Take in the nearest line, again and again, while it is near for how long the window is."""
    before = [time for time in times if time < change]
    after = [time for time in reversed(times) if time > change]
    start = end = change
    for _ in range(_MOST_LINES - 1):
        gap_before = start - before[-1] if before else float("inf")
        gap_after = after[-1] - end if after else float("inf")
        if min(gap_before, gap_after) > max(_NEAR, _CLOSE * (end - start)):
            break
        if gap_before < gap_after:
            start = before.pop()
        else:
            end = after.pop()
    return Window(start, end)
