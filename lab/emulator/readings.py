"""Readings of what AWS leaves open: each enumeration is one question, each value one answer to it.

A region plays one reading of each question. The first value of an enumeration is the pessimistic
one, which a region plays unless it is told otherwise: what must not happen does not happen under
any of them. A question leaves this file when AWS's documents settle it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, fields
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class AbandonedLaunch(Enum):
    """What becomes of a group's creation when one of its first launches is abandoned.

    CloudFormation waits for the instances to be in service, and reports the last scaling activity
    when it gives up. That an activity which ended as `Cancelled` is final is not documented, nor
    that it is not. Pessimistic is the failure for a boot that would succeed the second time, and
    the waiting for an image that never boots: there, only a creation policy ends the wait.
    Source: CloudFormation's "Group did not stabilize. The last scaling activity: …", in public
    issue reports.
    """

    FAILS_THE_CREATION = "an abandoned launch fails the group's creation at once"
    IS_TRIED_AGAIN = "the group launches again, and CloudFormation waits for as long as it may"


class HeldLaunch(Enum):
    """Whether a rolling update waits for launches that a hook holds.

    An update without signals went on while hooks held its launches
    (github.com/awslabs/amazon-eks-ami, issue 66); in public event logs "New instance(s) added"
    comes when the instances are in service.
    """

    GOES_ON = "a rolling update goes on after its pause, or its signals"
    IS_WAITED_FOR = "a rolling update waits until the group has its size in service"


class RolledBackTemplate(Enum):
    """Whether the rollback of a launch template makes the members of its former version obsolete.

    A rollback of a template in place makes a new version, says
    github.com/aws-cloudformation/cloudformation-coverage-roadmap, issue 1912. In an event log of
    2024 (github.com/guardian/testing-asg-rolling-update, "healthy-to-unhealthy-fully-scaled-v2")
    the rollback called obsolete only the one instance that the failed update had launched.
    """

    IS_A_NEW_VERSION = "all members are obsolete: the rollback made another version"
    IS_THE_FORMER_ONE = "members that were launched from the same content are not obsolete"


class MovedSubnets(Enum):
    """Which members a rolling update replaces because the group's subnets changed.

    Documented is only that such a change starts one (CloudFormation template reference,
    "UpdatePolicy attribute").
    """

    REPLACE_ALL = "every member is obsolete"
    REPLACE_THOSE_ELSEWHERE = "members in a subnet that the group still has are not obsolete"


class LaunchFirst(Enum):
    """Whether a group may exceed its maximum size to launch before it terminates.

    Documented is that it may exceed its *desired* capacity (EC2 Auto Scaling API reference,
    RefreshPreferences), and, for rebalancing alone, its maximum by 10 percent or one.
    """

    WITHIN_THE_MAXIMUM = "a group at its maximum size terminates first"
    BEYOND_THE_MAXIMUM = "a group at its maximum size launches first all the same"


class ReplacementZone(Enum):
    """In which zone a group launches a replacement that comes before the member goes.

    Documented is that it tries the zone with the fewest instances (EC2 Auto Scaling user guide,
    "Availability Zone distribution"), not whether the member that is to go counts as one. Where it
    does, a tie may unbalance the zones, and a rebalancing follows.
    """

    COUNTS_THE_LEAVING = "a replacement's zone is chosen as if the member that leaves would stay"
    WITHOUT_THE_LEAVING = "a replacement's zone is chosen as if the member that leaves were gone"


class LifetimePause(Enum):
    """When a group goes on to the next member that has reached its maximum lifetime.

    Documented is that it usually replaces one at a time, with a pause in between (EC2 Auto Scaling
    user guide, "Replace Auto Scaling instances based on maximum instance lifetime"): neither how
    long the pause is, nor whether a member counts as replaced while a hook still holds it.
    """

    NONE = "the next old member is replaced as soon as the group has its size in service"
    UNTIL_IT_IS_GONE = "the next old member stays until the former one has left, and for a while"


class LifetimeChange(Enum):
    """Whether a group replaces members before their time when its maximum lifetime was changed.

    It might have to start right after the change, in some situations, to avoid replacing all
    instances at the same time (same page, "Limitations").
    """

    WAITS_FOR_THE_END = "after a change of the lifetime each member is replaced at its end"
    SPREADS_AT_ONCE = "after a change of the lifetime all members but one are replaced at once"


@dataclass(slots=True, kw_only=True)
class Readings:
    """One reading of each question; the defaults are the pessimistic ones."""

    abandoned_launch: AbandonedLaunch = AbandonedLaunch.FAILS_THE_CREATION
    held_launch: HeldLaunch = HeldLaunch.GOES_ON
    rolled_back_template: RolledBackTemplate = RolledBackTemplate.IS_A_NEW_VERSION
    moved_subnets: MovedSubnets = MovedSubnets.REPLACE_ALL
    launch_first: LaunchFirst = LaunchFirst.WITHIN_THE_MAXIMUM
    replacement_zone: ReplacementZone = ReplacementZone.COUNTS_THE_LEAVING
    lifetime_pause: LifetimePause = LifetimePause.NONE
    lifetime_change: LifetimeChange = LifetimeChange.WAITS_FOR_THE_END

    def __str__(self) -> str:
        """Return the readings in words."""
        return "; ".join(answer.value for answer in self.answers)

    @property
    def answers(self) -> tuple[Enum, ...]:
        """Return the reading of each question, in the order of the questions."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def become(self, others: Readings) -> None:
        """Play other readings from now on, in a region that runs already."""
        for field in fields(self):
            setattr(self, field.name, getattr(others, field.name))


def every(*questions: type[Enum]) -> Iterator[Readings]:
    """Yield the full cross of the readings of some questions, or of all; the pessimistic one first.

    The other questions keep their pessimistic reading.
    """
    names = {type(answer): field for answer, field in _fields()}
    asked = questions or tuple(names)
    for answers in itertools.product(*asked):
        readings = Readings()
        for answer in answers:
            setattr(readings, names[type(answer)], answer)
        yield readings


def _fields() -> Iterator[tuple[Enum, str]]:
    pessimistic = Readings()
    yield from ((getattr(pessimistic, field.name), field.name) for field in fields(pessimistic))
