"""What the private hosts saw, in words, for the page and for the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.packets.probes.record import LATE
from lab.packets.probes.series import EVERY, PATIENCE
from lab.report.lines import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lab.drills.host_packets import Break, Flow, HostPackets, Probes, Stretch

PROBES: Mapping[str, str] = {
    "TCP": "New TCP connections",
    "UDP": "New UDP exchanges",
    "ICMP": "ICMP echoes",
}
"""What a kind of probe is, in words."""

FLOWS: Mapping[str, str] = {
    "chatty": "asks every 0.1 s",
    "idle": "asks every 10 s, silent in between",
    "download": "receives all the time",
    "upload": "sends all the time",
    "keep-alive": "silent except for the kernel's keep-alive probes, every 2 s",
}
"""What the client of a standing flow does."""

TERMS: Mapping[str, str] = {
    "Probes": f"Each private host sends one of each kind every {1000 * EVERY:g} ms, to a server on"
    f" the internet. Lost: no answer within {PATIENCE:g} s. Late: an answer after more than"
    f" {LATE:g} s.",
    "Flows": "TCP connections that were open before the fault, without a time limit of the"
    " application: "
    + "; ".join(f"{name} {what}" for name, what in FLOWS.items())
    + ". A client learns that its connection broke when its system says so.",
}
"""What the words of the tables mean."""

_SHORT: Mapping[str, str] = {
    "Connection reset by peer": "reset",
    "Connection timed out": "timed out",
}
"""What the common errors are called where there is little room."""

LEARNED, WAITS = "learned", "waits"
_MOST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A flow that broke, and when it had a new connection; or one that hangs."""

    kind: str
    time: float
    again: float | None
    words: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRow:
    """A row of the table of probes."""

    name: str
    sent: int
    lost: int
    late: int
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRow:
    """A row of the table of flows: a break, or that there was none.

    `after` says how long after it learned the client had a new connection; empty if it never did.
    """

    name: str
    learned: float | None
    what: str
    after: str


def events(host: HostPackets) -> tuple[Event, ...]:
    """Return what came of the flows of a host, by time."""
    found = [_broke(flow, each) for flow in host.flows for each in flow.breaks]
    found += [_waits(flow, flow.waits_since) for flow in host.flows if flow.waits_since is not None]
    return tuple(sorted(found, key=lambda event: event.time))


def moments(hosts: Iterable[HostPackets]) -> tuple[float, ...]:
    """Return when flows broke or began to hang."""
    return tuple(event.time for host in hosts for event in events(host))


def what_hosts_saw(hosts: Iterable[HostPackets]) -> tuple[str, ...]:
    """Return a sentence for each host: the probes it lost, and the flows that broke or hang."""
    return tuple(
        f"{host.host}, a private host in {host.zone}, {_lost(host)}; {_ended(host)}."
        for host in hosts
    )


def probe_rows(host: HostPackets) -> tuple[ProbeRow, ...]:
    """Return the rows of the table of probes."""
    return tuple(
        ProbeRow(
            name=PROBES.get(probes.kind, probes.kind),
            sent=probes.sent,
            lost=probes.lost,
            late=probes.late,
            when=_when(probes),
        )
        for probes in host.probes
    )


def flow_rows(host: HostPackets) -> tuple[FlowRow, ...]:
    """Return the rows of the table of flows."""
    return tuple(row for flow in host.flows for row in _rows(flow))


def stretch_words(stretch: Stretch, how: str) -> str:
    """Return a stretch of lost or late probes in words."""
    return f"{stretch.count} {how}, {_reach(stretch)}"


def _lost(host: HostPackets) -> str:
    lost, sent = sum(row.lost for row in host.probes), sum(row.sent for row in host.probes)
    return f"lost {lost or 'none'} of {sent} probes"


def _ended(host: HostPackets) -> str:
    broken = sum(bool(flow.breaks) for flow in host.flows)
    hanging = sum(flow.waits_since is not None for flow in host.flows)
    said = f"{broken or 'none'} of its {len(host.flows)} open connections broke"
    return f"{said}, and {hanging} hung at the end" if hanging else said


def _reach(stretch: Stretch) -> str:
    return f"{seconds(stretch.start)} to {seconds(stretch.end)}"


def _when(probes: Probes) -> str:
    """Return the longest stretches of lost probes, by time, and how many more there are."""
    longest = sorted(probes.losses, key=lambda each: each.start - each.end)[:_MOST]
    by_time = sorted(longest, key=lambda each: each.start)
    said = [f"{_reach(each)} ({each.count})" for each in by_time]
    more = len(probes.losses) - len(said)
    return ", ".join([*said, *([f"{more} shorter ones"] if more else [])])


def _rows(flow: Flow) -> Sequence[FlowRow]:
    rows = [
        FlowRow(name=flow.name, learned=each.learned, what=each.error, after=_after(each))
        for each in flow.breaks
    ]
    if flow.waits_since is not None:
        what = f"hangs from {seconds(flow.waits_since)} on"
        rows.append(FlowRow(name=flow.name, learned=None, what=what, after=""))
    return rows or [FlowRow(name=flow.name, learned=None, what="did not break", after="")]


def _after(each: Break) -> str:
    if each.reconnected is None:
        return ""
    after = each.reconnected - each.learned
    return seconds(after) if round(after, 3) else "< 0.001 s"


def _broke(flow: Flow, each: Break) -> Event:
    after = _after(each)
    again = f"new after {after}" if after else "no new one"
    return Event(
        kind=LEARNED,
        time=each.learned,
        again=each.reconnected,
        words=f"{flow.name}: {_SHORT.get(each.error, each.error)}, {again}",
        sentence=f"{seconds(each.learned)}, {flow.name}: {each.error}, {again}",
    )


def _waits(flow: Flow, since: float) -> Event:
    words = f"{flow.name}: hangs"
    return Event(
        kind=WAITS,
        time=since,
        again=None,
        words=words,
        sentence=f"{words} from {seconds(since)} on",
    )
