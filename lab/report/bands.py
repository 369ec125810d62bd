"""The zones of a picture: a band each, which tells how the zone leaves and how long it does not.

Where packets flowed, what the zone's private hosts saw stands below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.drills.outcome import joined
from lab.report.frame import PAD, ROW
from lab.report.hosts import Strip, strip
from lab.report.labels import SIZE, Label, Rows, width
from lab.report.lines import seconds
from lab.report.short_ids import short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.drills.host_packets import HostPackets
    from lab.drills.outcome import Outcome, Span
    from lab.report.axis import Axis
    from lab.report.frame import Frame

_THICK = 22.0
_THINNEST = 2.5
"""A bar is never thinner, so that the shortest outage is seen."""

_INSET = 5.0
"""From the ends of a bar to the words in it."""

_HATCHED = 24.0
"""How much of the bar of an outage is to be seen beside its words."""

_MOST_ROWS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A span of a zone; `words` stand in it, and are empty where they do not fit."""

    works: bool
    x: float
    width: float
    title: str
    words: str

    @property
    def words_x(self) -> float:
        """Return where the words begin."""
        return self.x + _INSET

    @property
    def plate(self) -> float:
        """Return how much of the bar the words take, with room around them."""
        return min(width(self.words) + 2 * _INSET, self.width)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """How a zone leaves over time; `labels` name the outages whose bars are too short for words.

    `height` is that of all, `hosts` included.
    """

    zone: str
    name: str
    top: float
    height: float
    bar: float
    bars: tuple[Bar, ...]
    labels: tuple[Label, ...]
    hosts: tuple[Strip, ...]

    @property
    def thick(self) -> float:
        """Return how high a bar is."""
        return _THICK

    def label_y(self, label: Label) -> float:
        """Return the height of a label, which is below the bars."""
        return self.bar + _THICK + (label.row + 0.5) * ROW + SIZE / 2


def bands(outcome: Outcome, frame: Frame, top: float) -> tuple[Band, ...]:
    """Lay out the zones, one below the other, from `top` on."""
    found: list[Band] = []
    for zone, spans in outcome.egress.items():
        found.append(_band(zone, spans, outcome.packets, frame, top))
        top += found[-1].height
    return tuple(found)


def tell(span: Span) -> str:
    """Return in words how and how long a zone left."""
    how = f"leaves through {span.words}" if span.works else f"without internet ({span.words})"
    return f"{how} for {seconds(span.seconds)}, from {seconds(span.start)} to {seconds(span.end)}"


def _band(
    zone: str, spans: Sequence[Span], packets: Sequence[HostPackets], frame: Frame, top: float
) -> Band:
    axis, head = frame.axis, frame.form.head + PAD
    shown = [
        span
        for span in joined(spans)
        if span.end > axis.window.start and span.start < axis.window.end
    ]
    bars = tuple(_bar(span, axis) for span in shown)
    rows = Rows(axis.left, axis.right, _MOST_ROWS)
    labels = [
        rows.place(_loss(span, axis), bar.x, 0)
        for span, bar in zip(shown, bars, strict=True)
        if not (span.works or bar.words)
    ]
    height = head + _THICK + rows.count * ROW + PAD
    hosts: list[Strip] = []
    for host in packets:
        if host.zone == zone:
            hosts.append(strip(host, frame, top + height))
            height += hosts[-1].height
    return Band(
        zone=zone,
        name=frame.form.name_of(zone),
        top=top,
        height=height,
        bar=top + head,
        bars=bars,
        labels=tuple(label for label in labels if label),
        hosts=tuple(hosts),
    )


def _bar(span: Span, axis: Axis) -> Bar:
    first, last = axis.x(span.start), axis.x(span.end)
    size = max(last - first, _THINNEST)
    said = (short(span.words), short(span.through or "")) if span.works else (_loss(span, axis),)
    room = size - 2 * _INSET - (0 if span.works else _HATCHED)
    fitting = (words for words in said if width(words) <= room)
    return Bar(
        works=span.works,
        x=min(first, axis.right - size),
        width=size,
        title=tell(span),
        words=next(fitting, ""),
    )


def _loss(span: Span, axis: Axis) -> str:
    """Return how long a zone was without internet, the part that is outside of the picture too."""
    inside = axis.window.holds(span.start) and axis.window.holds(span.end)
    return f"✗ {seconds(span.seconds)}{'' if inside else ' in all'}"
