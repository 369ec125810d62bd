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
VOLUME_FAILS = Delay(
    "a pending instance ends because its volumes cannot be encrypted",
    2,
    8,
    _ASSUMED,
    "no figure published",
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
ADDRESS_TAKES_EFFECT = Delay(
    "packets have the Elastic IP that was associated",
    3,
    6,
    _MEASURED,
    "NGINX documentation, 'Active-Passive HA on AWS with keepalived': 5 to 6 s in most tests; the"
    " shorter is assumed",
)
NAT_GATEWAY_CREATION = Delay(
    "a NAT gateway is pending",
    60,
    120,
    _MEASURED,
    "github.com/go-to-k/cdkd, pull request 123: 1 to 2 minutes",
)
NAT_GATEWAY_DELETION = Delay("a NAT gateway is deleting", 30, 60, _ASSUMED, "no figure published")
NAT_GATEWAY_VANISHES = Delay(
    "a deleted NAT gateway is described",
    3600,
    3600,
    _DOCUMENTED,
    "VPC user guide, 'Work with NAT gateways': about an hour",
)
READ_LAGS = Delay(
    "a described route lags what was written",
    0,
    1,
    _ASSUMED,
    "EC2 API guide, 'Eventual consistency', gives no figure",
)
STATUS_CHECK = Delay(
    "EC2's status checks see that an instance is impaired",
    0,
    60,
    _DOCUMENTED,
    "EC2 user guide, 'Status checks for Amazon EC2 instances': every minute",
)
GROUP_NOTICES = Delay(
    "a group notices an instance that was killed from outside",
    30,
    60,
    _MEASURED,
    "github.com/nowakeai/betternat, research 031: 65 s until the replacement appeared, seen once",
)
GROUP_GIVES_UP = Delay(
    "a group waits for an impaired instance to recover before it replaces it",
    120,
    300,
    _ASSUMED,
    "EC2 Auto Scaling user guide, 'Health checks for Auto Scaling instances', says a few minutes",
)
REPLACEMENT = Delay(
    "a group begins to launch a replacement after it began to terminate",
    5,
    31,
    _MEASURED,
    "31 s: a pair of sample notifications in a public repository; the shorter is assumed",
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
LAUNCH_HOOK = Delay(
    "a group's new instance enters Pending:Wait",
    3,
    10,
    _ASSUMED,
    "no figure published; before the launch activity would end",
)
LAUNCH_PROCEEDS = Delay(
    "an instance enters service after its last launch hook",
    1,
    5,
    _ASSUMED,
    "no figure published",
)
LAUNCH_FAILS = Delay(
    "a launch activity for which there is no capacity", 1, 5, _ASSUMED, "no figure published"
)
LAUNCH_RETRY = Delay(
    "a group tries again after it could launch in no zone", 60, 120, _ASSUMED, "no figure published"
)
REBALANCING = Delay(
    "a group begins to mend the balance of its zones",
    30,
    180,
    _ASSUMED,
    "EC2 Auto Scaling user guide, 'Rebalancing activities', says that it takes a few minutes",
)
LIFETIME_PAUSE = Delay(
    "a group pauses before it replaces the next member that has become too old",
    60,
    600,
    _ASSUMED,
    "EC2 Auto Scaling user guide, 'Replace instances based on maximum instance lifetime': a pause,"
    " without a figure",
)
REFRESH_LOOKS = Delay(
    "an instance refresh looks whether it can go on", 5, 20, _ASSUMED, "no figure published"
)
EVENT_DELIVERY = Delay(
    "an event of EC2 travels over EventBridge to Lambda",
    0.3,
    0.3,
    _MEASURED,
    "github.com/MachineDotDev/nat-zero, docs/performance.md",
)
SNS_DELIVERY = Delay(
    "a notification travels from SNS to Lambda", 0.05, 0.5, _ASSUMED, "no figure published"
)
OVERTAKEN = Delay(
    "a message that others overtake is held up, under a fault",
    0,
    120,
    _ASSUMED,
    "no figure published; SNS and EventBridge promise no order",
)
LATE = Delay(
    "a late message is held up, under a fault",
    60,
    300,
    _ASSUMED,
    "no figure published; SNS goes on trying to reach a function for 23 days",
)
SECOND_COPY = Delay(
    "the second copy of a message follows the first, under a fault",
    0,
    30,
    _ASSUMED,
    "no figure published; SNS and EventBridge promise delivery at least once",
)
EVENT_AGE = Delay(
    "EventBridge tries to hand an event over, if the target does not say otherwise",
    86400,
    86400,
    _DOCUMENTED,
    "EventBridge user guide, 'How EventBridge retries delivering events'",
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
ASYNCHRONOUS_AGE = Delay(
    "Lambda gives up an asynchronous event, if the function does not say otherwise",
    21600,
    21600,
    _DOCUMENTED,
    "Lambda developer guide, 'Asynchronous invocation'",
)
FIRST_BACK_OFF = Delay(
    "Lambda's first wait for concurrency; each one is twice as long as the one before",
    1,
    1,
    _DOCUMENTED,
    "Lambda developer guide, 'Asynchronous invocation'; that it doubles is assumed",
)
LONGEST_BACK_OFF = Delay(
    "Lambda's longest wait for concurrency",
    300,
    300,
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
METRIC_MINUTE = Delay(
    "a minute of a metric",
    60,
    60,
    _DOCUMENTED,
    "EC2 user guide, 'CloudWatch metrics'; SQS developer guide, 'CloudWatch metrics'",
)
ALARM_LAG = Delay(
    "an alarm sees a minute's datapoint after the end of the minute",
    5,
    30,
    _ASSUMED,
    "no figure published",
)
STABILIZATION_LIMIT = Delay(
    "CloudFormation gives up on a group that does not reach its size",
    1800,
    1800,
    _ASSUMED,
    "no figure published",
)
GROUP_DELETION_LIMIT = Delay(
    "CloudFormation gives up on deleting a group that does not become empty",
    14400,
    14400,
    _DOCUMENTED,
    "CloudFormation's resource schema of AWS::AutoScaling::AutoScalingGroup: 240 minutes",
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
TABLE_CREATION = Delay(
    "CloudFormation creates a table of DynamoDB",
    10,
    30,
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
