"""Every delay of the lab, one row each: what the lab waits, what AWS takes, and who says so.

The lab's clock is compressed: its delays keep the order of AWS's, not their length. No other file
of the lab holds a delay that AWS would have.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Evidence(Enum):
    """How well AWS's value is known."""

    DOCUMENTED = "documented"
    MEASURED = "measured"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """One thing that takes time: seconds in the lab, words for AWS."""

    name: str
    lab: float
    aws: str
    source: str
    evidence: Evidence


INSTANCE_BOOT = Delay(
    name="an instance is pending",
    lab=0.3,
    aws="10 to 30 s",
    source="no figure published",
    evidence=Evidence.ASSUMED,
)
INSTANCE_SHUTDOWN = Delay(
    name="an instance is shutting down (or stopping)",
    lab=1.0,
    aws="some 30 s, up to minutes",
    source="no figure published",
    evidence=Evidence.ASSUMED,
)
INSTANCE_ID_VANISHES = Delay(
    name="a route forgets the id of its terminated instance",
    lab=1.0,
    aws="about 35 s",
    source="github.com/nowakeai/betternat, research 031",
    evidence=Evidence.MEASURED,
)
GROUP_NOTICES = Delay(
    name="a group notices an instance that was killed from outside",
    lab=1.5,
    aws="undocumented; 65 s until the replacement appeared, seen once",
    source="github.com/nowakeai/betternat, research 031",
    evidence=Evidence.MEASURED,
)
TERMINATION_OF_THE_DEAD = Delay(
    name="a termination activity, the instance being dead already",
    lab=0.5,
    aws="3 to 18 s",
    source="sample notifications in public repositories",
    evidence=Evidence.MEASURED,
)
TERMINATION_OF_THE_LIVING = Delay(
    name="a termination activity that the group starts itself",
    lab=1.2,
    aws="82 s",
    source="a sample notification in the EC2 Auto Scaling user guide",
    evidence=Evidence.DOCUMENTED,
)
LAUNCH = Delay(
    name="a launch activity, without launch hook",
    lab=1.0,
    aws="32 to 37 s",
    source="sample notifications in public repositories",
    evidence=Evidence.MEASURED,
)
EVENT_DELIVERY = Delay(
    name="a state change travels from EC2 over EventBridge to Lambda",
    lab=0.3,
    aws="0.3 s",
    source="github.com/MachineDotDev/nat-zero, docs/performance.md",
    evidence=Evidence.MEASURED,
)
SNS_DELIVERY = Delay(
    name="a notification travels from SNS to Lambda",
    lab=0.1,
    aws="typically below 1 s; retried for 23 days",
    source="SNS developer guide for the retries; no figure published for the delay",
    evidence=Evidence.ASSUMED,
)
SCHEDULED_MINUTE = Delay(
    name="a minute of a schedule",
    lab=60.0,
    # Not compressed: a compressed sweep would repair the routes before the notification comes.
    aws="60 s; this one is not compressed",
    source="EventBridge user guide, 'Creating a rule that runs on a schedule'",
    evidence=Evidence.DOCUMENTED,
)
FIRST_RETRY = Delay(
    name="Lambda's first retry of a failed asynchronous invocation",
    lab=1.0,
    aws="1 min",
    source="Lambda developer guide, asynchronous invocation",
    evidence=Evidence.DOCUMENTED,
)
SECOND_RETRY = Delay(
    name="Lambda's second retry",
    lab=2.0,
    aws="2 min",
    source="Lambda developer guide, asynchronous invocation",
    evidence=Evidence.DOCUMENTED,
)
CUSTOM_RESOURCE_LIMIT = Delay(
    name="CloudFormation gives up on a custom resource that does not answer",
    lab=45.0,
    aws="1 h, or the resource's ServiceTimeout",
    source="CloudFormation user guide, custom resources",
    evidence=Evidence.DOCUMENTED,
)
STABILIZATION_LIMIT = Delay(
    name="CloudFormation gives up on a group that does not reach its size",
    lab=30.0,
    aws="minutes to hours",
    source="no figure published",
    evidence=Evidence.ASSUMED,
)

TABLE: tuple[Delay, ...] = (
    INSTANCE_BOOT,
    INSTANCE_SHUTDOWN,
    INSTANCE_ID_VANISHES,
    GROUP_NOTICES,
    TERMINATION_OF_THE_DEAD,
    TERMINATION_OF_THE_LIVING,
    LAUNCH,
    EVENT_DELIVERY,
    SNS_DELIVERY,
    SCHEDULED_MINUTE,
    FIRST_RETRY,
    SECOND_RETRY,
    CUSTOM_RESOURCE_LIMIT,
    STABILIZATION_LIMIT,
)
