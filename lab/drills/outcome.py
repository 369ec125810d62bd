"""What came of a drill, as values; `as_json` is the one object that `drill --json` prints.

Times are seconds since the first fault of the drill, by the drill's clock; what happened before has
negative times.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from lab.drills.host_packets import HostPackets  # noqa: TC001 - a kept outcome is read by its types
from lab.drills.rounding import rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

FAILED = "function failed"
"""The kind of the timeline's line that says that a run of the function failed, and why."""

_DIGITS = 3  # of a second: a millisecond


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line of the timeline: who did what, when. `kind` groups lines for the picture."""

    time: float
    source: str
    kind: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From a moment to another, the private subnets of a zone left in this way, or not at all.

    `through` is the instance that the default route led to, or None; `words` say the same for
    people.
    """

    start: float
    end: float
    works: bool
    through: str | None
    words: str

    @property
    def seconds(self) -> float:
        """Return how long it lasted."""
        return self.end - self.start


def joined(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Return the spans with one for each outage: without internet is so for whatever reason."""
    found: list[Span] = []
    for span in spans:
        if found and not (found[-1].works or span.works):
            before = found[-1]
            words = before.words if span.words in before.words else f"{before.words}, {span.words}"
            found[-1] = replace(before, end=span.end, words=words)
        else:
            found.append(span)
    return tuple(found)


def losses(spans: Sequence[Span]) -> tuple[float, ...]:
    """Return how long each outage lasted since the first fault."""
    lost = (span for span in joined(spans) if not span.works and span.end > 0)
    return tuple(span.end - max(span.start, 0.0) for span in lost)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCount:
    """How often the function called an operation of AWS ("ec2:ReplaceRoute"), refused ones too."""

    name: str
    count: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One call that changes something: when it took effect, on what, and AWS's error if it did not.

    `invocation` numbers the runs of the function from 1.
    """

    time: float
    name: str
    target: str
    error: str | None
    invocation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What subscribers of the notifications topic got: from the function, or from an alarm."""

    time: float
    source: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NatSeen:
    """A NAT instance in the topology: its zone, and its state in EC2's words."""

    instance: str
    zone: str
    state: str
    forwards: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSeen:
    """A private route table in the topology: where its subnets' traffic goes."""

    table: str
    zone: str
    subnets: tuple[str, ...]
    through: str | None
    works: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The NATs and the private tables at a moment; `name` is before, during or after."""

    name: str
    time: float
    nats: tuple[NatSeen, ...]
    tables: tuple[TableSeen, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A drill from its faults to its end.

    `outage` is the seconds without egress per zone, `egress` how each zone left over time. The
    times to detect (from the first fault until the first run that writes gets its message), to
    decide (from there to its first write), to write (from there to the answer to its last write)
    and to come home (from the first fault until each zone leaves through its own NAT for good) are
    seconds, or None where it did not happen. `depth` is how many calls that run made one after the
    other, each after the answer to another, up to its first write. `notifications` are what people
    got (None in an account, where the lab does not subscribe), `time_to_notice` is when a NAT first
    claimed that something is wrong, `packets` what each private host saw, where packets flowed.
    """

    fault: str
    strategy: str
    handler: str
    seed: int
    clock: str
    timeline: tuple[Moment, ...]
    egress: dict[str, tuple[Span, ...]]
    outage: dict[str, float]
    time_to_detect: float | None
    time_to_decide: float | None
    time_to_write: float | None
    time_to_come_home: float | None
    calls: tuple[CallCount, ...]
    depth: int
    writes: tuple[Write, ...]
    topology: tuple[Topology, ...]
    recovered: bool
    home: bool
    notifications: tuple[Notification, ...] | None = None
    time_to_notice: float | None = None
    packets: tuple[HostPackets, ...] = ()

    @property
    def refused(self) -> tuple[Write, ...]:
        """Return the writes that AWS refused."""
        return tuple(write for write in self.writes if write.error)

    @property
    def failures(self) -> tuple[str, ...]:
        """Return why runs of the function failed, in order: its exceptions, or a time limit."""
        return tuple(line.what for line in self.timeline if line.kind == FAILED)

    @property
    def worst(self) -> float:
        """Return the outage of the zone that had the longest."""
        return max(self.outage.values(), default=0.0)

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values, times rounded to the millisecond."""
        plain: dict[str, Any] = rounded(asdict(self), _DIGITS)
        plain["refused"] = [row for row in plain["writes"] if row["error"]]
        return plain
