"""The drill's writes: the only place of the lab that changes anything in a real account.

Before each write it checks whether what it is about to touch carries the stack's tag. What is
executed is not repeated when AWS does not answer, so that nothing happens twice; what is reverted
is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lab.account.errors import RealDrillError
from lab.account.fault_actions import DeleteDefaultRoute, RefreshGroup, calls, undo
from nat_failover.contract import FLEET_TAG

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lab.account.fault_actions import Call, FaultAction
    from nat_failover.clients import Clients

WARMUP_S = 300
"""What an instance refresh gives a new NAT to boot before it replaces the next: as long as the
stack's own rolling update does (`BOOT_PAUSE` in cdk_nat_failover/instances/nat_fleet.py)."""

_ACTIVE = ("Pending", "InProgress", "Baking")
"""States of an instance refresh that can be cancelled (EC2 Auto Scaling API, InstanceRefresh)."""

_ALLOWED = "DryRunOperation"
"""How EC2 answers a dry run that would have been allowed (EC2 API reference, DryRun)."""

_TOO_LATE = (
    "RouteAlreadyExists",
    "InvalidInstanceID.NotFound",
    "IncorrectInstanceState",
    "ActiveInstanceRefreshNotFound",
)
"""How AWS says that what is to be put back is back, or gone for good (error codes of the APIs)."""


class AccountWriter:
    """Writes to one stack: `once` executes actions, `patient` reverts them."""

    def __init__(self, *, stack: str, once: Clients, patient: Clients) -> None:
        self._stack = stack
        self._once = once
        self._patient = patient
        self._refresh: str | None = None

    def dry_run(self, action: FaultAction) -> None:
        """Let EC2 say whether it would allow the action and what takes it back; change nothing.

        Auto Scaling has no dry run, so there is none of an instance refresh.

        Raises:
            RealDrillError: when what the action touches does not carry the stack's tag.
            botocore.exceptions.ClientError: when AWS would refuse.

        """
        self.check(action)
        for call in calls(action):
            if call:
                self._dry_run(call)

    def check(self, action: FaultAction) -> None:
        """Raise RealDrillError when what an action touches is not the stack's."""
        name, tags = self._tags(action)
        if tags.get(FLEET_TAG) != self._stack:
            message = (
                f"{name} has the tag {FLEET_TAG}={tags.get(FLEET_TAG)!r} and only what has"
                f" {self._stack!r} is touched: deploy the stack again, which tags what is its own"
            )
            raise RealDrillError(message)

    def execute(self, action: FaultAction) -> None:
        """Do it, after `check`; a ClientError means that AWS refused and nothing was changed."""
        call, _ = calls(action)
        if call:
            getattr(self._once.ec2, call.method)(**call.arguments)
        elif isinstance(action, RefreshGroup):
            self._start_refresh(action)

    def revert(self, action: FaultAction) -> str | None:
        """Take back what can be taken back; say how, or None where nothing was left to do.

        It does not observe first whether it is still needed: a read may lag behind the action (EC2
        API guide, "eventual consistency"), and a write that comes too late is refused or changes
        nothing.
        """
        try:
            self.check(action)
            done = self._revert(action)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _TOO_LATE:
                raise
            return None
        return undo(action) if done else None

    def _revert(self, action: FaultAction) -> bool:
        _, call = calls(action)
        if call:
            getattr(self._patient.ec2, call.method)(**call.arguments)
            return True
        return isinstance(action, RefreshGroup) and self._cancel_refresh(action)

    def _dry_run(self, call: Call) -> None:
        try:
            getattr(self._patient.ec2, call.method)(**call.arguments, DryRun=True)
        except ClientError as error:
            if error.response["Error"]["Code"] != _ALLOWED:
                raise

    def _start_refresh(self, action: RefreshGroup) -> None:
        """Replace one at a time: half of the group stays, and a new one gets time to boot."""
        started = self._once.autoscaling.start_instance_refresh(
            AutoScalingGroupName=action.group,
            Preferences={"MinHealthyPercentage": 50, "InstanceWarmup": WARMUP_S},
        )
        self._refresh = started["InstanceRefreshId"]

    def _cancel_refresh(self, action: RefreshGroup) -> bool:
        """Cancel the refresh that this drill started, and no other."""
        if self._refresh is None:
            return False
        found = self._patient.autoscaling.describe_instance_refreshes(
            AutoScalingGroupName=action.group, InstanceRefreshIds=[self._refresh]
        )
        if found["InstanceRefreshes"][0]["Status"] not in _ACTIVE:
            return False
        self._patient.autoscaling.cancel_instance_refresh(AutoScalingGroupName=action.group)
        return True

    def _tags(self, action: FaultAction) -> tuple[str, Mapping[str, str]]:
        ec2, autoscaling = self._patient.ec2, self._patient.autoscaling
        if isinstance(action, DeleteDefaultRoute):
            tables = ec2.describe_route_tables(RouteTableIds=[action.table])
            return action.table, _by_key(tables["RouteTables"])
        if isinstance(action, RefreshGroup):
            groups = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[action.group])
            return action.group, _by_key(groups["AutoScalingGroups"])
        found = ec2.describe_instances(InstanceIds=[action.instance])["Reservations"]
        return action.instance, _by_key(row for rows in found for row in rows["Instances"])


def _by_key(described: Iterable[Any]) -> Mapping[str, str]:
    """Return the tags of the one thing that was described."""
    return {tag["Key"]: tag["Value"] for thing in described for tag in thing.get("Tags", [])}
