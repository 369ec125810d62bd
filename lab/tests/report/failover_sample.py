"""What is seen and told when a NAT is killed, fails over, and comes home with a second outage."""

from __future__ import annotations

from lab.drills.outcome import Moment, NatSeen, TableSeen, Topology

HERE, THERE = "us-east-1a", "us-east-1b"
DEAD, OTHER, NEW = "i-10d846a1b2c3d4e5f", "i-a94beb0f1e2d3c4b5", "i-f827de9a8b7c6d5e4"
TABLE_HERE, TABLE_THERE = "rtb-c66de1a0b1c2d3e4f", "rtb-07b2f4c5d6e7f8a9b"


def any_nat(instance: str, zone: str, state: str = "running", *, forwards: bool = True) -> NatSeen:
    """Return a NAT that forwards except for the facts given."""
    return NatSeen(instance=instance, zone=zone, state=state, forwards=forwards)


def any_table(table: str, zone: str, through: str | None, *, works: bool = True) -> TableSeen:
    """Return a private table with one subnet that gets out except for the facts given."""
    return TableSeen(
        table=table,
        zone=zone,
        subnets=(f"subnet-0a1b2c{table[-8:]}",),
        through=through,
        works=works,
        words=f"{through}" if works else f"{through} (shutting-down)",
    )


BEFORE = Topology(
    name="before",
    time=-1,
    nats=(any_nat(DEAD, HERE), any_nat(OTHER, THERE)),
    tables=(any_table(TABLE_HERE, HERE, DEAD), any_table(TABLE_THERE, THERE, OTHER)),
)
DURING = Topology(
    name="during",
    time=3.5,
    nats=(any_nat(DEAD, HERE, "shutting-down", forwards=False), any_nat(OTHER, THERE)),
    tables=(any_table(TABLE_HERE, HERE, DEAD, works=False), any_table(TABLE_THERE, THERE, OTHER)),
)
AFTER = Topology(
    name="after",
    time=180,
    nats=(
        any_nat(DEAD, HERE, "terminated", forwards=False),
        any_nat(OTHER, THERE),
        any_nat(NEW, HERE),
    ),
    tables=(any_table(TABLE_HERE, HERE, NEW), any_table(TABLE_THERE, THERE, OTHER)),
)

TIMELINE = tuple(
    Moment(time=time, source=source, kind=kind, what=what)
    for time, source, kind, what in (
        (-62.0, "EventBridge", "scheduled", "runs the schedule"),
        (-61.9, "Lambda", "function answered", "nat_failover.do answered after 95 ms"),
        (0.0, "You", "killed", f"kill {DEAD}"),
        (0.01, "EC2", "instance state", f"{DEAD} is shutting-down"),
        (0.3, "EventBridge", "delivered", f"tells the function that {DEAD} is shutting-down"),
        (3.4, "EC2", "egress", f"private subnets of {HERE} leave through {DEAD} (shutting-down)"),
        (3.83, "EC2", "egress", f"private subnets of {HERE} leave through {OTHER} (zone b)"),
        (
            3.95,
            "Lambda",
            "function answered",
            "nat_failover.do answered after 3648 ms (trigger: state change)",
        ),
        (33.2, "EC2", "instance state", f"{DEAD} is terminated"),
        (58.0, "EventBridge", "scheduled", "runs the schedule"),
        (58.1, "Lambda", "function answered", "nat_failover.do answered after 96 ms"),
        (65.0, "Auto Scaling", "noticed", f"notices that {DEAD} is terminated"),
        (80.0, "Auto Scaling", "published", f"publishes EC2_INSTANCE_TERMINATE {DEAD}"),
        (80.0, "Auto Scaling", "launching", f"launches {NEW} in {HERE}"),
        (80.0, "EC2", "instance state", f"{NEW} is pending"),
        (80.2, "SNS", "delivered", "hands the message to the subscribed function"),
        (80.4, "Lambda", "function answered", "nat_failover.do answered after 92 ms"),
        (100.0, "EC2", "instance state", f"{NEW} is running"),
        (115.6, "Auto Scaling", "published", f"publishes EC2_INSTANCE_LAUNCH {NEW}"),
        (115.8, "SNS", "delivered", "hands the message to the subscribed function"),
        (116.42, "EC2", "egress", f"private subnets of {HERE} leave through {NEW} (not yet)"),
        (116.5, "Lambda", "function answered", "nat_failover.do answered after 680 ms"),
        (118.0, "EventBridge", "scheduled", "runs the schedule"),
        (118.1, "Lambda", "function answered", "nat_failover.do answered after 97 ms"),
        (161.6, "EC2", "egress", f"private subnets of {HERE} leave through {NEW} (zone a)"),
        (178.0, "EventBridge", "scheduled", "runs the schedule"),
        (178.1, "Lambda", "function answered", "nat_failover.do answered after 94 ms"),
    )
)
