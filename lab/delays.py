"""Every delay of the lab, one row each: how long AWS takes, who says so, and how well it is known.

Seconds, of AWS's clock. Between the two bounds all values are equally likely. No other file of the
lab holds a delay that AWS would have.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Evidence(Enum):
    """How well AWS's value is known."""

    DOCUMENTED = "documented"
    MEASURED = "measured"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class Delay:
    """One thing that takes time: from `low` to `high` seconds."""

    name: str
    low: float
    high: float
    evidence: Evidence
    source: str

    def __str__(self) -> str:
        """Return the seconds as a person writes them."""
        return f"{self.low:g} s" if self.low == self.high else f"{self.low:g} to {self.high:g} s"


_DOCUMENTED, _MEASURED, _ASSUMED = Evidence

INSTANCE_BOOT = Delay("an instance is pending", 10, 20, _ASSUMED, "no figure published")
BOOT_SCRIPT = Delay(
    "a running instance boots until it forwards",
    20,
    45,
    _ASSUMED,
    "no figure published; the system's start and the installation of nftables",
)
INSTANCE_SHUTDOWN = Delay(
    "an instance is shutting down or stopping", 25, 60, _ASSUMED, "no figure published"
)
FORWARDS_ON = Delay(
    "an instance forwards on after TerminateInstances or StopInstances",
    3,
    4,
    _MEASURED,
    "github.com/nowakeai/betternat, research 031",
)
INSTANCE_ID_VANISHES = Delay(
    "a route forgets the id of its terminated instance",
    35,
    35,
    _MEASURED,
    "github.com/nowakeai/betternat, research 031",
)
ROUTE_TAKES_EFFECT = Delay(
    "a written route or association takes effect for packets",
    0.05,
    0.44,
    _MEASURED,
    "github.com/nowakeai/betternat, research 040, for the longer; the shorter is assumed",
)
READ_LAGS = Delay(
    "a described route lags what was written",
    0,
    1,
    _ASSUMED,
    "EC2 API guide, 'Eventual consistency', gives no figure",
)
GROUP_NOTICES = Delay(
    "a group notices an instance that was killed from outside",
    30,
    60,
    _MEASURED,
    "github.com/nowakeai/betternat, research 031: 65 s until the replacement appeared, seen once",
)
TERMINATION_OF_THE_DEAD = Delay(
    "a termination activity, the instance being dead already",
    3,
    18,
    _MEASURED,
    "sample notifications in public repositories",
)
TERMINATION_OF_THE_LIVING = Delay(
    "a termination activity that the group starts itself",
    82,
    82,
    _DOCUMENTED,
    "a sample notification in the EC2 Auto Scaling user guide",
)
LAUNCH = Delay(
    "a launch activity, without launch hook",
    32,
    37,
    _MEASURED,
    "sample notifications in public repositories",
)
EVENT_DELIVERY = Delay(
    "a state change travels from EC2 over EventBridge to Lambda",
    0.3,
    0.3,
    _MEASURED,
    "github.com/MachineDotDev/nat-zero, docs/performance.md",
)
SNS_DELIVERY = Delay(
    "a notification travels from SNS to Lambda", 0.05, 0.5, _ASSUMED, "no figure published"
)
SCHEDULED_MINUTE = Delay(
    "a minute of a schedule",
    60,
    60,
    _DOCUMENTED,
    "EventBridge user guide, 'Creating a rule that runs on a schedule'",
)
COLD_START = Delay(
    "a cold start of a function, until it gets its event",
    0.6,
    1.2,
    _ASSUMED,
    "no figure published for this function",
)
WARM_START = Delay(
    "a warm function, until it gets its event", 0.005, 0.02, _ASSUMED, "no figure published"
)
ENVIRONMENT_IDLE = Delay(
    "an idle execution environment is kept",
    300,
    900,
    _ASSUMED,
    "undocumented; public measurements say 5 to 15 minutes",
)
READ_CALL = Delay(
    "a call that reads, from the function and back", 0.04, 0.15, _ASSUMED, "no figure published"
)
WRITE_CALL = Delay(
    "a call that writes, from the function and back", 0.08, 0.3, _ASSUMED, "no figure published"
)
FIRST_RETRY = Delay(
    "Lambda's first retry of a failed asynchronous invocation",
    60,
    60,
    _DOCUMENTED,
    "Lambda developer guide, 'Asynchronous invocation'",
)
SECOND_RETRY = Delay(
    "Lambda's second retry",
    120,
    120,
    _DOCUMENTED,
    "Lambda developer guide, 'Asynchronous invocation'",
)
CUSTOM_RESOURCE_LIMIT = Delay(
    "CloudFormation gives up on a custom resource without a ServiceTimeout",
    3600,
    3600,
    _DOCUMENTED,
    "CloudFormation user guide, 'Custom resources'",
)
STABILIZATION_LIMIT = Delay(
    "CloudFormation gives up on a group that does not reach its size",
    1800,
    1800,
    _ASSUMED,
    "no figure published",
)
RESOURCE_STEP = Delay(
    "CloudFormation creates, updates or deletes most resources",
    1,
    4,
    _ASSUMED,
    "no figure published",
)
SLOW_CREATION = Delay(
    "CloudFormation creates a role, an internet gateway or a VPC endpoint",
    15,
    20,
    _ASSUMED,
    "no figure published; stack events in public reports",
)
INSTANCE_PROFILE_CREATION = Delay(
    "CloudFormation creates an instance profile",
    120,
    130,
    _ASSUMED,
    "no figure published; stack events in public reports",
)
DEPENDENCY_RETRY = Delay(
    "CloudFormation tries again to delete what something depends on",
    15,
    30,
    _ASSUMED,
    "no figure published",
)
DEPENDENCY_LIMIT = Delay(
    "CloudFormation gives up on deleting what something depends on",
    900,
    900,
    _ASSUMED,
    "no figure published; 15 to 20 minutes in public reports",
)

TABLE: tuple[Delay, ...] = tuple(row for row in globals().values() if isinstance(row, Delay))
"""All rows, in the order of this file."""
