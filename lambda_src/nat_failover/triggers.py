"""What made the function run, as values: every trigger says only "observe".

Beyond that it may say that instances are leaving or wait in the drain hook, bring what NATs claim
of themselves and their peers, or ask for an answer to CloudFormation.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nat_failover.claim_messages import ClaimMessage
    from nat_failover.contract import Resource


class TriggerKind(StrEnum):
    """What kind of message a trigger was."""

    SWEEP = "sweep"
    LAUNCHED = "launched"
    LAUNCH_FAILED = "launch failed"
    TERMINATED = "terminated"
    TERMINATE_FAILED = "terminate failed"
    TEST = "test"
    LIFECYCLE = "lifecycle action"
    STATE_CHANGE = "state change"
    ALARM = "alarm"
    CLAIM = "claim"
    DEPLOYMENT = "deployment"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenNetwork:
    """What a stack is given of a network that it did not make, besides its VPC and its tables.

    `cidrs` are the VPC's IPv4 networks, `public_subnets` the ids of those for NATs, `served_cidrs`
    networks elsewhere whose hosts may use the NATs too.
    """

    cidrs: tuple[str, ...] = ()
    public_subnets: tuple[str, ...] = ()
    served_cidrs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """CloudFormation's request, to be answered at `response_url`.

    `resource` is the type of the custom resource, `associations` the ids of those that
    CloudFormation made and will delete itself, `network` what is to be checked, and
    `new_gateway` says that another standby gateway is named than before.
    """

    resource: Resource
    request: str
    response_url: str
    stack: str
    request_id: str
    logical_id: str
    physical_id: str
    associations: frozenset[str] = frozenset()
    network: GivenNetwork = GivenNetwork()
    new_gateway: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What an event means, all its records together.

    `leaving` are instances of which EC2's own event says so, `waiting` those of which a hook's
    message says that they wait to be terminated: the observation has to show that. `problems` are
    the parts not believed.
    """

    kinds: frozenset[TriggerKind] = frozenset()
    leaving: frozenset[str] = frozenset()
    waiting: frozenset[str] = frozenset()
    claims: frozenset[ClaimMessage] = frozenset()
    deployment: Deployment | None = None
    problems: tuple[str, ...] = ()

    def __or__(self, other: Trigger) -> Trigger:
        """Join what two messages mean."""
        return Trigger(
            kinds=self.kinds | other.kinds,
            leaving=self.leaving | other.leaving,
            waiting=self.waiting | other.waiting,
            claims=self.claims | other.claims,
            deployment=self.deployment or other.deployment,
            problems=self.problems + other.problems,
        )
