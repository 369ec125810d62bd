"""Outcomes of drills that nobody ran: what a report is to be made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lab.drills.host_packets import Stretch
from lab.drills.outcome import CallCount, Moment, Outcome, Span, Topology, Write
from lab.tests.report.failover_sample import (
    AFTER,
    BEFORE,
    DEAD,
    DURING,
    HERE,
    NEW,
    OTHER,
    TABLE_HERE,
    THERE,
    TIMELINE,
    any_nat,
    any_table,
)
from lab.tests.report.host_samples import HIT, WELL, any_flow, any_host, any_probes

MARKUP = "<script>alert('x')</script><b>\"&amp;"
"""What must never reach a browser as markup."""


def any_moment(time: float = 0.0, source: str = "EC2", **facts: str) -> Moment:
    """Return a line that does not matter except for the facts given."""
    return Moment(time=time, source=source, **{"kind": "any", "what": "something", **facts})


def any_span(start: float, end: float, through: str | None = OTHER, words: str = "") -> Span:
    """Return a span that works if it leads through an instance."""
    said = words or (f"{through} (zone b)" if through else "blackhole")
    return Span(start=start, end=end, works=through is not None, through=through, words=said)


def any_write(time: float = 1.0, error: str | None = None, **facts: Any) -> Write:  # noqa: ANN401 - Write's fields
    """Return a write that does not matter except for the facts given."""
    write = Write(time=time, name="ec2:ReplaceRoute", target=TABLE_HERE, error=error, invocation=1)
    return replace(write, **facts)


def any_outcome(**facts: Any) -> Outcome:  # noqa: ANN401 - Outcome's fields
    """Return a drill in which nothing happened but the facts given."""
    outcome = Outcome(
        fault="nothing",
        strategy="replace-route",
        handler="nat_failover.do",
        seed=1,
        clock="virtual",
        timeline=(),
        egress={HERE: (any_span(-1, 60),), THERE: (any_span(-1, 60),)},
        outage={HERE: 0.0, THERE: 0.0},
        time_to_detect=None,
        time_to_decide=None,
        time_to_write=None,
        time_to_come_home=None,
        calls=(),
        depth=0,
        writes=(),
        topology=(),
        recovered=True,
        home=True,
    )
    return replace(outcome, **facts)


def failover_and_home(**facts: Any) -> Outcome:  # noqa: ANN401 - Outcome's fields
    """Return the drill of a killed NAT, with a second outage during failback."""
    outcome = any_outcome(
        fault="terminate",
        seed=7,
        timeline=TIMELINE,
        egress={
            HERE: (
                any_span(-5, 3.4, DEAD, f"{DEAD} (zone a)"),
                any_span(3.4, 3.83, None, f"{DEAD} (zone a, shutting-down)"),
                any_span(3.83, 116.42, OTHER, f"{OTHER} (zone b)"),
                any_span(116.42, 161.6, None, f"{NEW} (zone a, running, not forwarding yet)"),
                any_span(161.6, 180, NEW, f"{NEW} (zone a)"),
            ),
            THERE: (any_span(-5, 180, OTHER, f"{OTHER} (zone b)"),),
        },
        outage={HERE: 45.61, THERE: 0.0},
        time_to_detect=0.3,
        time_to_decide=3.45,
        time_to_write=0.08,
        time_to_come_home=161.6,
        calls=(
            CallCount(name="autoscaling:DescribeAutoScalingGroups", count=12, refused=0),
            CallCount(name="ec2:DescribeInstances", count=12, refused=0),
            CallCount(name="ec2:DescribeRouteTables", count=12, refused=0),
            CallCount(name="ec2:ModifyInstanceAttribute", count=1, refused=0),
            CallCount(name="ec2:ReplaceRoute", count=3, refused=1),
        ),
        depth=4,
        writes=(
            any_write(3.75, "RequestLimitExceeded: Request limit exceeded."),
            any_write(3.83),
            any_write(116.1, name="ec2:ModifyInstanceAttribute", target=NEW, invocation=4),
            any_write(116.42, invocation=4),
        ),
        topology=(BEFORE, DURING, AFTER),
    )
    return replace(outcome, **facts)


def with_packets() -> Outcome:
    """Return the drill of a killed NAT in which packets flowed, with two hosts in one zone."""
    return failover_and_home(packets=(HIT, replace(HIT, host="10.0.128.11"), WELL), clock="real")


def never_recovered() -> Outcome:
    """Return a drill in which a function may not write, and tries again every minute."""
    times = [0.9 + 60 * n for n in range(10)]
    return any_outcome(
        fault="terminate",
        handler="somebody.elses.handler",
        strategy="",
        clock="account",
        timeline=(
            any_moment(0, "You", kind="killed", what=f"kill {DEAD}"),
            any_moment(0.02, kind="instance state", what=f"{DEAD} is shutting-down"),
            *(any_moment(t - 0.5, "EventBridge", what="runs the schedule") for t in times),
            *(
                any_moment(t + 0.1, "Lambda", kind="function answered", what=f"failed after {t} ms")
                for t in times
            ),
        ),
        egress={HERE: (any_span(-1, 0.02, DEAD), any_span(0.02, 600, None)), THERE: _WELL},
        outage={HERE: 599.98, THERE: 0.0},
        time_to_detect=0.4,
        time_to_decide=0.5,
        time_to_write=0.0,
        writes=tuple(
            any_write(t, "UnauthorizedOperation", invocation=n) for n, t in enumerate(times, 1)
        ),
        topology=(BEFORE, DURING, replace(DURING, name="after", time=600)),
        recovered=False,
        home=False,
    )


def very_many_lines() -> Outcome:
    """Return a drill with something three times a second."""
    sources = ("EC2", "Auto Scaling", "Lambda", "SNS", "EventBridge")
    return failover_and_home(
        timeline=tuple(
            any_moment(0.3 * n, sources[n * n % 5], what=f"line {n} of {DEAD}") for n in range(600)
        )
    )


def markup_everywhere() -> Outcome:
    """Return a drill in which every text would be markup if it were not escaped."""
    span = any_span(0, 1, MARKUP, MARKUP)
    return any_outcome(
        fault=MARKUP,
        handler=MARKUP,
        strategy=MARKUP,
        clock=MARKUP,
        timeline=(any_moment(0.1, MARKUP, what=MARKUP), any_moment(0, "You", what=MARKUP)),
        egress={MARKUP: (span, replace(span, start=1, end=2, works=False))},
        outage={MARKUP: 1.0},
        calls=(CallCount(name=MARKUP, count=1, refused=1),),
        writes=(any_write(0.5, MARKUP, name=MARKUP, target=MARKUP),),
        topology=(
            Topology(
                name=MARKUP,
                time=0,
                nats=(any_nat(MARKUP, MARKUP, MARKUP, forwards=False),),
                tables=(any_table(MARKUP, MARKUP, MARKUP, works=False),),
            ),
        ),
        packets=(
            any_host(
                MARKUP,
                host=MARKUP,
                probes=(any_probes(MARKUP, losses=(Stretch(start=0, end=1, count=2),)),),
                flows=(any_flow(MARKUP, (0.5, 0.6), error=MARKUP, waits_since=1.0),),
            ),
        ),
    )


def three_zones() -> Outcome:
    """Return a drill in three zones: a NAT gateway, no route, and two NATs of which one works."""
    zones = (HERE, THERE, "us-east-1c")
    return any_outcome(
        egress={zone: (any_span(0, 60),) for zone in zones},
        outage=dict.fromkeys(zones, 0.0),
        topology=(
            Topology(
                name="before",
                time=0,
                nats=(*AFTER.nats, any_nat("i-0c0c0c0c0c0c0c0c0", zones[2], "stopping")),
                tables=(
                    any_table(TABLE_HERE, HERE, OTHER),
                    any_table("rtb-0b0b0b0b0b0b0b0b0", THERE, "nat-0b0b0b0b0b0b0b0b0"),
                    any_table("rtb-0c0c0c0c0c0c0c0c0", zones[2], None, works=False),
                ),
            ),
        ),
    )


def comparison() -> tuple[Outcome, ...]:
    """Return the drills of two handlers with three faults."""
    slow: dict[str, Any] = {"handler": "another", "strategy": "", "outage": {HERE: 81.7}}
    hung = replace(never_recovered(), fault="hang", clock="virtual")
    return (
        failover_and_home(fault="terminate"),
        failover_and_home(fault="terminate", outage={HERE: 45.81}, seed=8),
        failover_and_home(fault="stop", outage={HERE: 0.43}, writes=(any_write(),)),
        replace(hung, handler="nat_failover.do", strategy="replace-route"),
        failover_and_home(fault="terminate", **slow),
        failover_and_home(fault="stop", **slow, home=False),
        replace(hung, handler="another"),
    )


_WELL = (any_span(-1, 600, OTHER),)
