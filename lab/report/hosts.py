"""What the private hosts of a zone saw, below the zone's band: probes, and breaks of flows.

Each kind of probe has a track, on which lost probes stand as a full block and late ones as a half
one. Each break of a flow has a mark and a label as a line of the timeline has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.report.frame import PAD, REACH, ROW
from lab.report.labels import Rows
from lab.report.lanes import Mark
from lab.report.packets import Event, events, stretch_words

if TYPE_CHECKING:
    from lab.drills.host_packets import HostPackets, Probes, Stretch
    from lab.report.axis import Axis
    from lab.report.frame import Frame

_THICK = 11.0
_THINNEST = 2.0
"""A block is never thinner, so that a single lost probe is seen."""

_FLOWS = "Flows"
_TICK = 9.0
_BESIDE = 11.0
"""The least room between the mark of a break and that of the new connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A stretch of probes that were lost, or else late."""

    lost: bool
    x: float
    width: float
    top: float
    height: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """The probes of a kind over time; its bar begins at `bar`."""

    name: str
    top: float
    bar: float
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowMark(Mark):
    """A break of a flow, at `x`, and its new connection, at `again`; without it, a vain wait."""

    again: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """What a host saw; `flows` is the name of the lane of its flows, empty if none broke here."""

    name: str
    top: float
    height: float
    tracks: tuple[Track, ...]
    flows: str
    flows_top: float
    marks: tuple[FlowMark, ...]
    ticks: tuple[int, ...]

    @property
    def thick(self) -> float:
        """Return how high the bar of a track is."""
        return _THICK

    @property
    def words(self) -> tuple[str, ...]:
        """Return what is drawn of it, as sentences."""
        told = [
            *(block.title for track in self.tracks for block in track.blocks),
            *(mark.title for mark in self.marks),
        ]
        return tuple(f"{self.name}: {title}." for title in told)


def strip(host: HostPackets, frame: Frame, top: float) -> Strip:
    """Lay out a host from `top` on."""
    below = top + PAD + ROW
    tracks: list[Track] = []
    for probes in host.probes:
        tracks.append(_track(probes, frame, below))
        below = tracks[-1].bar + _THICK + PAD
    marks, ticks, rows = _flows(host, frame, below + frame.form.head)
    flows = bool(marks or ticks)
    lane = frame.form.head + max(rows, 1) * ROW + _TICK * bool(marks and ticks)
    return Strip(
        name=frame.form.name_of(host.host),
        top=top,
        height=below - top + lane * flows + PAD,
        tracks=tuple(tracks),
        flows=_FLOWS if flows else "",
        flows_top=below,
        marks=marks,
        ticks=ticks,
    )


def _track(probes: Probes, frame: Frame, top: float) -> Track:
    bar = top + frame.form.head
    blocks = (
        *(_block(probes, each, frame.axis, bar, lost=True) for each in probes.losses),
        *(_block(probes, each, frame.axis, bar, lost=False) for each in probes.delays),
    )
    return Track(
        name=probes.kind,
        top=top,
        bar=bar,
        blocks=tuple(block for block in blocks if block),
    )


def _block(probes: Probes, stretch: Stretch, axis: Axis, bar: float, *, lost: bool) -> Block | None:
    if stretch.end < axis.window.start or stretch.start > axis.window.end:
        return None
    first, last = axis.x(stretch.start), axis.x(stretch.end)
    size = max(last - first, _THINNEST)
    height = _THICK if lost else _THICK / 2
    return Block(
        lost=lost,
        x=min(first, axis.right - size),
        width=size,
        top=bar + _THICK - height,
        height=height,
        title=f"{probes.kind}: {stretch_words(stretch, 'lost' if lost else 'late')}",
    )


def _flows(
    host: HostPackets, frame: Frame, top: float
) -> tuple[tuple[FlowMark, ...], tuple[int, ...], int]:
    """Return the marks with labels, where those without are, and how many rows they take."""
    space = Rows(frame.axis.left, frame.axis.right, frame.rows)
    marks: list[FlowMark] = []
    ticks: set[int] = set()
    for event in events(host):
        if frame.window.holds(event.time):
            mark = None if frame.elsewhere(event.time) else _mark(event, frame.axis, space, top)
            if mark is None:
                ticks.add(round(frame.axis.x(event.time)))
            else:
                marks.append(mark)
    return tuple(marks), tuple(sorted(ticks)), space.count


def _mark(event: Event, axis: Axis, space: Rows, top: float) -> FlowMark | None:
    x = axis.x(event.time)
    beside = min(x + _BESIDE, axis.right)
    again = None if event.again is None else max(axis.x(event.again), beside)
    last = again or x
    label = space.place(event.words, (x + last) / 2, (last - x) / 2 + REACH)
    if label is None:
        return None
    return FlowMark(kind=event.kind, x=x, again=again, top=top, title=event.sentence, label=label)
