"""The drill's writes: the only place of the lab that changes anything in a real account.

Before each write it looks whether what it is about to touch carries the stack's tag. What is
carried out is not repeated when AWS does not answer, so that nothing happens twice; what is put
back is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lab.account.deeds import DeleteDefaultRoute, RefreshGroup, calls, undo
from lab.account.errors import RealDrillError
from nat_failover.contract import FLEET_TAG

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lab.account.deeds import Call, Deed
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


class Hands:
    """Writes to one stack: `once` carries deeds out, `patient` puts back what they did."""

    def __init__(self, *, stack: str, once: Clients, patient: Clients) -> None:
        self._stack = stack
        self._once = once
        self._patient = patient
        self._refresh: str | None = None

    def rehearse(self, deed: Deed) -> None:
        """Let EC2 say whether it would allow the deed and what takes it back; change nothing.

        Auto Scaling has no dry run, so an instance refresh is not rehearsed.

        Raises:
            RealDrillError: when what the deed touches does not carry the stack's tag.
            botocore.exceptions.ClientError: when AWS would refuse.

        """
        self.check(deed)
        for call in calls(deed):
            if call:
                self._rehearse(call)

    def check(self, deed: Deed) -> None:
        """Look whether what a deed touches is the stack's; raise RealDrillError if it is not."""
        name, tags = self._tags(deed)
        if tags.get(FLEET_TAG) != self._stack:
            message = (
                f"{name} has the tag {FLEET_TAG}={tags.get(FLEET_TAG)!r} and only what has"
                f" {self._stack!r} is touched: deploy the stack again, which tags what is its own"
            )
            raise RealDrillError(message)

    def carry_out(self, deed: Deed) -> None:
        """Do it, after `check`; a ClientError means that AWS refused and nothing was changed."""
        call, _ = calls(deed)
        if call:
            getattr(self._once.ec2, call.method)(**call.arguments)
        elif isinstance(deed, RefreshGroup):
            self._start_refresh(deed)

    def put_back(self, deed: Deed) -> str | None:
        """Take back what can be taken back; say how, or None where nothing was left to do.

        It does not look first whether it is still needed: a look may lag behind the deed (EC2 API
        guide, "eventual consistency"), and a write that comes too late is refused or changes
        nothing.
        """
        try:
            self.check(deed)
            done = self._put_back(deed)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _TOO_LATE:
                raise
            return None
        return undo(deed) if done else None

    def _put_back(self, deed: Deed) -> bool:
        _, call = calls(deed)
        if call:
            getattr(self._patient.ec2, call.method)(**call.arguments)
            return True
        return isinstance(deed, RefreshGroup) and self._cancel_refresh(deed)

    def _rehearse(self, call: Call) -> None:
        try:
            getattr(self._patient.ec2, call.method)(**call.arguments, DryRun=True)
        except ClientError as error:
            if error.response["Error"]["Code"] != _ALLOWED:
                raise

    def _start_refresh(self, deed: RefreshGroup) -> None:
        """Replace one at a time: half of the group stays, and a new one gets time to boot."""
        started = self._once.autoscaling.start_instance_refresh(
            AutoScalingGroupName=deed.group,
            Preferences={"MinHealthyPercentage": 50, "InstanceWarmup": WARMUP_S},
        )
        self._refresh = started["InstanceRefreshId"]

    def _cancel_refresh(self, deed: RefreshGroup) -> bool:
        """Cancel the refresh that this drill started, and no other."""
        if self._refresh is None:
            return False
        found = self._patient.autoscaling.describe_instance_refreshes(
            AutoScalingGroupName=deed.group, InstanceRefreshIds=[self._refresh]
        )
        if found["InstanceRefreshes"][0]["Status"] not in _ACTIVE:
            return False
        self._patient.autoscaling.cancel_instance_refresh(AutoScalingGroupName=deed.group)
        return True

    def _tags(self, deed: Deed) -> tuple[str, Mapping[str, str]]:
        ec2, autoscaling = self._patient.ec2, self._patient.autoscaling
        if isinstance(deed, DeleteDefaultRoute):
            tables = ec2.describe_route_tables(RouteTableIds=[deed.table])
            return deed.table, _by_key(tables["RouteTables"])
        if isinstance(deed, RefreshGroup):
            groups = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[deed.group])
            return deed.group, _by_key(groups["AutoScalingGroups"])
        found = ec2.describe_instances(InstanceIds=[deed.instance])["Reservations"]
        return deed.instance, _by_key(row for rows in found for row in rows["Instances"])


def _by_key(described: Iterable[Any]) -> Mapping[str, str]:
    """Return the tags of the one thing that was described."""
    return {tag["Key"]: tag["Value"] for thing in described for tag in thing.get("Tags", [])}
