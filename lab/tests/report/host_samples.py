"""What private hosts saw of a drill that nobody ran."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lab.drills.host_packets import Break, Flow, HostPackets, Probes, Stretch
from lab.tests.report.failover_sample import HERE, THERE

RESET = "Connection reset by peer"


def any_probes(kind: str = "TCP", **facts: Any) -> Probes:  # noqa: ANN401 - Probes's fields
    """Return probes of which none was lost or late except for the facts given."""
    probes = Probes(kind=kind, sent=18_500, lost=0, late=0, losses=(), delays=())
    return replace(probes, **facts)


def any_flow(
    name: str = "chatty",
    *breaks: tuple[float, float | None],
    error: str = RESET,
    waits_since: float | None = None,
) -> Flow:
    """Return a flow that broke when its client learned it and connected again at these times."""
    return Flow(
        name=name,
        breaks=tuple(
            Break(learned=learned, error=error, reconnected=again) for learned, again in breaks
        ),
        waits_since=waits_since,
    )


def any_host(zone: str = THERE, **facts: Any) -> HostPackets:  # noqa: ANN401 - HostPackets's fields
    """Return a host that saw nothing except for the facts given."""
    host = HostPackets(
        host="10.0.144.10",
        zone=zone,
        probes=tuple(any_probes(kind) for kind in ("TCP", "UDP", "ICMP")),
        flows=tuple(
            any_flow(name) for name in ("chatty", "idle", "download", "upload", "keep-alive")
        ),
    )
    return replace(host, **facts)


def lost(kind: str, *stretches: tuple[float, float], late: tuple[float, float] | None) -> Probes:
    """Return probes of which all were lost in these stretches, and some were late in one."""
    losses = tuple(_stretch(*reach) for reach in stretches)
    delays = (_stretch(*late),) if late else ()
    return any_probes(
        kind,
        lost=sum(each.count for each in losses),
        late=sum(each.count for each in delays),
        losses=losses,
        delays=delays,
    )


def _stretch(start: float, end: float) -> Stretch:
    return Stretch(start=start, end=end, count=round((end - start) * 100))


HIT = any_host(
    HERE,
    host="10.0.128.10",
    probes=(
        lost("TCP", (3.4, 3.83), (116.42, 161.6), late=(161.6, 161.66)),
        lost("UDP", (3.4, 3.83), (116.42, 161.6), late=None),
        lost("ICMP", (3.4, 3.82), (60.0, 60.01), (116.42, 161.6), late=None),
    ),
    flows=(
        any_flow("chatty", (3.84, 3.845), (161.9, 161.91)),
        any_flow("idle", (9.2, 9.21), (169.3, 169.31)),
        any_flow("download", waits_since=3.4),
        any_flow("upload", (4.1, 4.11), (161.7, None)),
        any_flow("keep-alive", (5.3, 5.31), (162.4, 162.41), error="Connection timed out"),
    ),
)
"""The host of the zone whose NAT was killed."""

WELL = any_host()
"""The host of the other zone."""
