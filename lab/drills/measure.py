"""From what was noted and watched to the outcome of a drill."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.drills.boots.watch import CLAIMED
from lab.drills.notifications import PUBLISH, notifications, ringing, subject
from lab.drills.outcome import (
    FAILED,
    CallCount,
    Moment,
    NatSeen,
    Outcome,
    Span,
    TableSeen,
    Topology,
    Write,
    losses,
)
from nat_failover.contract import CLAIM_MARK
from nat_failover.triggers import TriggerKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lab.drills.egress_monitor import Change, EgressMonitor, Seen
    from lab.emulator.journal import Entry
    from lab.emulator.region import Region

BEFORE = 5.0
"""Seconds before the first fault with which a drill's timeline begins."""

_SILENT = frozenset({"resource", "function began"})
_TARGETS = ("RouteTableId", "SubnetId", "AssociationId", "InstanceId", "NetworkInterfaceId")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the function: when it was sent and answered, and in which run."""

    name: str
    sent: float
    at: float
    run: int
    error: str | None
    parameters: Mapping[str, object]

    @property
    def writes(self) -> bool:
        """Return whether it changes something other than what people know and what it remembers."""
        service, _, operation = self.name.partition(":")
        beside = service == "dynamodb" or self.name == PUBLISH
        return not operation.startswith(("Describe", "Get", "List")) and not beside


def measure(  # noqa: PLR0913 - what a drill is known by, each thing by name
    region: Region,
    monitor: EgressMonitor,
    *,
    began: float,
    fault: str,
    strategy: str,
    handler: str,
    seed: int,
) -> Outcome:
    """Return the outcome of a drill that began at a moment and ends now."""
    end = region.clock.now()
    entries = region.journal.entries(since=began - BEFORE)
    calls = [_call(entry) for entry in entries if entry.kind == "call" and entry.at >= began]
    egress = {
        home.zone: _spans(monitor.changes[home], began=began, end=end) for home in monitor.homes
    }
    first = _first_writing_run(calls)
    told = _told(entries, first)
    sent = [call.sent for call in calls if call.run == first and call.writes]
    done = [call.at for call in calls if call.run == first and call.writes]
    return Outcome(
        fault=fault,
        strategy=strategy,
        handler=handler,
        seed=seed,
        clock="virtual" if region.clock.virtual else "real",
        timeline=tuple(_moments(entries, began)),
        egress=egress,
        outage={zone: outage(spans) for zone, spans in egress.items()},
        time_to_detect=None if told is None else told - began,
        time_to_decide=min(sent) - told if sent and told is not None else None,
        time_to_write=max(done) - min(sent) if sent else None,
        time_to_come_home=_home_since(egress, monitor),
        calls=_counts(calls),
        depth=0 if first is None else depth(calls, first),
        writes=tuple(_write(call, began) for call in calls if call.writes),
        topology=_topologies(monitor, egress, began=began, end=end),
        notifications=notifications(entries, began=began, ringing=ringing(region)),
        time_to_notice=_noticed(entries, began),
        recovered=monitor.all_work(),
        home=monitor.at_home(),
    )


def outage(spans: Sequence[Span]) -> float:
    """Return the seconds without egress since the first fault."""
    return sum(losses(spans))


def depth(calls: Sequence[Call], run: int) -> int:
    """Return how many calls a run made one after the other up to its first write, and with it."""
    mine = sorted((call for call in calls if call.run == run), key=lambda call: call.at)
    chain: dict[int, int] = {}
    for number, call in enumerate(mine):
        before = [chain[n] for n, other in enumerate(mine[:number]) if other.at <= call.sent]
        chain[number] = 1 + max(before, default=0)
    return next((chain[number] for number, call in enumerate(mine) if call.writes), 0)


def _call(entry: Entry) -> Call:
    detail = entry.detail
    return Call(
        name=detail["name"],
        sent=float(detail["sent"]),
        at=entry.at,
        run=int(detail["run"]),
        error=detail["error"] or None,
        parameters=json.loads(detail["parameters"]),
    )


def _spans(changes: Sequence[Change], *, began: float, end: float) -> tuple[Span, ...]:
    ends = [change.at for change in changes[1:]] + [end]
    return tuple(
        Span(
            start=max(change.at, began - BEFORE) - began,
            end=until - began,
            works=change.egress.works,
            through=change.egress.through,
            words=change.egress.words,
        )
        for change, until in zip(changes, ends, strict=True)
        if until > began - BEFORE
    )


def _first_writing_run(calls: Iterable[Call]) -> int | None:
    return next((call.run for call in sorted(calls, key=lambda c: c.at) if call.writes), None)


def _told(entries: Iterable[Entry], run: int | None) -> float | None:
    began = (entry for entry in entries if entry.kind == "function began")
    return next((entry.at for entry in began if entry.detail["run"] == str(run)), None)


def _noticed(entries: Iterable[Entry], began: float) -> float | None:
    claims = (entry for entry in entries if entry.kind == CLAIMED and entry.at >= began)
    return next((row.at - began for row in claims if row.detail["wrong"] == "True"), None)


def _home_since(egress: Mapping[str, Sequence[Span]], monitor: EgressMonitor) -> float | None:
    """Return since when each zone leaves through its own NAT for good; None if one does not."""
    if not monitor.at_home():
        return None
    return max(max(0.0, spans[-1].start) for spans in egress.values())


def _counts(calls: Iterable[Call]) -> tuple[CallCount, ...]:
    calls = tuple(calls)
    counts = Counter(call.name for call in calls)
    refused = Counter(call.name for call in calls if call.error)
    return tuple(
        CallCount(name=name, count=count, refused=refused[name])
        for name, count in sorted(counts.items())
    )


def _write(call: Call, began: float) -> Write:
    return Write(
        time=call.at - began,
        name=call.name,
        target=_target(call),
        error=call.error,
        invocation=call.run,
    )


def _target(call: Call) -> str:
    return " ".join(str(call.parameters[key]) for key in _TARGETS if key in call.parameters)


def _moments(entries: Iterable[Entry], began: float) -> Iterable[Moment]:
    for entry in entries:
        if what := words(entry):
            kind = _kind(entry)
            yield Moment(time=entry.at - began, source=entry.who.value, kind=kind, what=what)


def _kind(entry: Entry) -> str:
    if entry.kind != "call":
        return entry.kind
    return "notification" if entry.detail["name"] == PUBLISH else "write"


def words(entry: Entry) -> str | None:
    """Return what a timeline says of an entry; None if it is silent about it."""
    if entry.kind == "call":
        call = _call(entry)
        refused = f": {call.error}" if call.error else ""
        if call.name == PUBLISH:
            return f"{call.name} {subject(call.parameters)}{refused}"
        return f"{call.name} {_target(call)}{refused}".strip() if call.writes else None
    if entry.kind in _SILENT or _is_routine(entry):
        return None
    return entry.what + _trigger(entry) + _exception(entry)


def _is_routine(entry: Entry) -> bool:
    """Return whether an entry only says that a claim arrived, or that nothing followed from one.

    What a NAT claims has an entry of its own, when it is another thing than before.
    """
    if entry.kind == "delivered":
        return CLAIM_MARK in _object(entry.detail.get("message", ""))
    match _answer(entry):
        case {"trigger": [TriggerKind.CLAIM], "did": [], "failure": None}:
            return True
    return False


def _trigger(entry: Entry) -> str:
    """Return what a function says that it was triggered by, if it says so as ours does."""
    match _answer(entry):
        case {"trigger": [*kinds]}:
            return f" (trigger: {', '.join(map(str, kinds))})"
    return ""


def _exception(entry: Entry) -> str:
    """Return why a function failed, as Lambda tells it: the exception's type and message."""
    match _answer(entry) if entry.kind == FAILED else None:
        case {"errorType": kind, "errorMessage": said}:
            return f": {kind}: {said}"
        case {"errorMessage": said}:
            return f": {said}"
    return ""


def _answer(entry: Entry) -> dict[str, object]:
    return _object(entry.detail["payload"]) if entry.kind in ("function answered", FAILED) else {}


def _object(text: str) -> dict[str, object]:
    """Return a JSON object; an empty one if the text is none."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _topologies(
    monitor: EgressMonitor, egress: Mapping[str, Sequence[Span]], *, began: float, end: float
) -> tuple[Topology, ...]:
    moments = {"before": -BEFORE, "during": during(egress), "after": end - began}
    return tuple(
        Topology(
            name=name,
            time=moment,
            nats=tuple(
                _nat(seen)
                for seen in monitor.nats_at(moment + began)
                if name == "during" or seen.state != "terminated"
            ),
            tables=tuple(
                _table(home.table, home.zone, home.subnets, egress[home.zone], moment)
                for home in monitor.homes
            ),
        )
        for name, moment in moments.items()
    )


def during(egress: Mapping[str, Sequence[Span]]) -> float:
    """Return the worst moment: the first at which the most zones were without internet.

    Where none ever was, it is when a zone first left through another NAT than before the first
    fault, or the first fault itself.
    """
    starts = {span.start for spans in egress.values() for span in spans}
    after = [0.0, *sorted(moment for moment in starts if moment > 0)]
    lost = {moment: _lost(egress, moment) for moment in after}
    if worst := max(lost.values()):
        return next(moment for moment in after if lost[moment] == worst)
    return min(_moved(egress), default=0.0)


def _lost(egress: Mapping[str, Sequence[Span]], moment: float) -> int:
    return sum(not _at(spans, moment).works for spans in egress.values())


def _moved(egress: Mapping[str, Sequence[Span]]) -> list[float]:
    return [
        span.start
        for spans in egress.values()
        for span in spans
        if span.start > 0 and span.works and span.through != _at(spans, 0.0).through
    ]


def _at(spans: Sequence[Span], moment: float) -> Span:
    return next((span for span in spans if span.start <= moment < span.end), spans[-1])


def _table(
    table: str, zone: str, subnets: tuple[str, ...], spans: Sequence[Span], moment: float
) -> TableSeen:
    span = _at(spans, moment)
    return TableSeen(
        table=table,
        zone=zone,
        subnets=subnets,
        through=span.through,
        works=span.works,
        words=span.words,
    )


def _nat(seen: Seen) -> NatSeen:
    return NatSeen(instance=seen.instance, zone=seen.zone, state=seen.state, forwards=seen.forwards)
