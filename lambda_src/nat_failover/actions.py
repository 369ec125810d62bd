"""What the function writes: a class for each kind of write, with all that there is to say of it.

A new write is a class here. The planner makes those of `Planned` as data and never carries them
out; log, report and the drills of accounts read the fields that all have in common.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from nat_failover.contract import (
    MEMORY_ENDING,
    MEMORY_KEY,
    MEMORY_REPLACED,
    MEMORY_STANDBYS,
    Item,
)
from nat_failover.model import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from nat_failover.clients import Clients
    from nat_failover.model import Peer, Standby, Takeover

DEFAULT_ROUTE_CIDR = "0.0.0.0/0"

_NO_ROUTE = frozenset({"InvalidParameterValue", "InvalidRoute.NotFound"})
_ROUTE_EXISTS = frozenset({"RouteAlreadyExists"})


class Action(ABC):
    """A write: what it is for, and how it is carried out.

    `calls` are the API calls that it may make, as IAM names them, `target` is what it changes, by
    ids, `reason` says in words why.
    """

    __slots__ = ()
    calls: ClassVar[tuple[str, ...]]
    reason: str

    @property
    def moved(self) -> tuple[str, str] | None:
        """The private table whose traffic moves and what it moves to, if one's does."""
        return None

    @property
    def call(self) -> str:
        """The API call, as IAM names it."""
        return self.calls[0]

    @property
    @abstractmethod
    def target(self) -> str:
        """The ids of what is written, that of what changes first."""

    @abstractmethod
    def carry_out(self, clients: Clients) -> str | None:
        """Make the call; return the id of a subnet's new association, if it made one.

        Raises:
            botocore.exceptions.BotoCoreError: when the call cannot be made.
            botocore.exceptions.ClientError: when AWS refuses it.

        """


class _RouteWriter:
    """What writes a table's default route; `exists` says whether the table has one now."""

    __slots__ = ()
    calls: ClassVar[tuple[str, ...]] = ("ec2:ReplaceRoute", "ec2:CreateRoute")
    table: str
    exists: bool

    @property
    def call(self) -> str:
        """The call that is made first: the other one follows if the route came or went."""
        return self.calls[0 if self.exists else 1]

    def _write(self, clients: Clients, target: Any) -> None:  # noqa: ANN401 - a parameter
        """Replace or create the route; when it came or went since the observation, do the other.

        AWS refuses to replace what is missing with InvalidParameterValue, where
        InvalidRoute.NotFound would be expected (getmoto/moto#6425), and to create what exists with
        RouteAlreadyExists ("Error codes", EC2 API developer guide). Where the other call is refused
        because the table is as it was observed, the first refusal was about something else.
        """
        replace = partial(
            clients.ec2.replace_route,
            RouteTableId=self.table,
            DestinationCidrBlock=DEFAULT_ROUTE_CIDR,
            **target,
        )
        create = partial(clients.ec2.create_route, **replace.keywords)
        first: Callable[[], object] = replace if self.exists else create
        second: Callable[[], object] = create if self.exists else replace
        try:
            first()
        except clients.ec2.exceptions.ClientError as error:
            refusals = _NO_ROUTE if self.exists else _ROUTE_EXISTS
            if error.response["Error"]["Code"] not in refusals:
                raise
            try:
                second()
            except clients.ec2.exceptions.ClientError as again:
                as_observed = _ROUTE_EXISTS if self.exists else _NO_ROUTE
                if again.response["Error"]["Code"] in as_observed:
                    raise error from again
                raise


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SetDefaultRoute(_RouteWriter, Action):
    """Point a table's default route to an interface; `exists` says whether it has one now.

    The interface is the target because an instance with two interfaces cannot be one.
    """

    table: str
    interface: str
    instance: str
    exists: bool
    reason: str

    @property
    def moved(self) -> tuple[str, str]:
        """The table, and the instance that serves it then."""
        return self.table, self.instance

    @property
    def target(self) -> str:
        """The table, and where it leads."""
        return f"{self.table} {self.interface} {self.instance}"

    def carry_out(self, clients: Clients) -> None:
        """Replace or create the route."""
        self._write(clients, {"NetworkInterfaceId": self.interface})


_TARGETS = {
    "eni-": "NetworkInterfaceId",
    "i-": "InstanceId",
    "nat-": "NatGatewayId",
    "tgw-": "TransitGatewayId",
    "igw-": "GatewayId",
    "vgw-": "GatewayId",
    "vpce-": "VpcEndpointId",
    "pcx-": "VpcPeeringConnectionId",
    "lgw-": "LocalGatewayId",
    "cagw-": "CarrierGatewayId",
}
"""The parameter of ReplaceRoute for each kind of target, by how its id begins. EC2 describes an
endpoint of a Gateway Load Balancer as `GatewayId` (EC2 API reference, ReplaceRoute and Route;
hashicorp/terraform-provider-aws, flattenRoute)."""

_ARNS = {"networkmanager": "CoreNetworkArn", "odb": "OdbNetworkArn"}
"""The same of targets that have an ARN, by its service."""


def target_parameter(target: str) -> str | None:
    """Return the parameter with which a route is led to a target, None of what nobody can name."""
    if target.startswith("arn:"):
        return _ARNS.get(target.split(":")[2])
    return next((name for begin, name in _TARGETS.items() if target.startswith(begin)), None)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RestoreRoute(_RouteWriter, Action):
    """Point a table's default route to what it led to before, or to the standby gateway.

    `exists` says whether the table has a written default route now.
    """

    table: str
    to: str
    exists: bool
    reason: str

    @property
    def moved(self) -> tuple[str, str]:
        """The table, and what it leads to then."""
        return self.table, self.to

    @property
    def target(self) -> str:
        """The table, and where it leads."""
        return f"{self.table} {self.to}"

    def carry_out(self, clients: Clients) -> None:
        """Replace or create the route."""
        self._write(clients, {target_parameter(self.to): self.to})


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class DeleteDefaultRoute(Action):
    """Delete a table's default route: what it led to is gone, or was not written into the table."""

    calls: ClassVar[tuple[str, ...]] = ("ec2:DeleteRoute",)
    table: str
    reason: str

    @property
    def moved(self) -> tuple[str, str]:
        """The table, and that it leads nowhere, or to what is propagated to it."""
        return self.table, "no written route"

    @property
    def target(self) -> str:
        """The table."""
        return self.table

    def carry_out(self, clients: Clients) -> None:
        """Delete the route; one that is gone already was all that was wanted.

        EC2 answers InvalidRoute.NotFound then ("Error codes", EC2 API developer guide).
        """
        try:
            clients.ec2.delete_route(
                RouteTableId=self.table, DestinationCidrBlock=DEFAULT_ROUTE_CIDR
            )
        except clients.ec2.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "InvalidRoute.NotFound":
                raise


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RememberTakeover(Action):
    """Remember what a table leads to, or that it was taken over, over what was `found` of it."""

    calls: ClassVar[tuple[str, ...]] = ("dynamodb:UpdateItem",)
    takeover: Takeover
    found: Takeover | None
    reason: str

    @property
    def table(self) -> str:
        """The table."""
        return self.takeover.table

    @property
    def target(self) -> str:
        """The table, and what it led to."""
        return f"{self.takeover.table} {self.takeover.target}"

    def carry_out(self, clients: Clients) -> None:
        """Write it; what another run wrote meanwhile stays, and this one is refused."""
        found: Any = {":found": {"S": takeover_text(self.found)}} if self.found else {}
        clients.memory.client.update_item(
            **_takeover_key(clients),
            UpdateExpression="SET #table = :takeover",
            ConditionExpression="#table = :found" if found else "attribute_not_exists(#table)",
            ExpressionAttributeNames={"#table": self.takeover.table},
            ExpressionAttributeValues={":takeover": {"S": takeover_text(self.takeover)}, **found},
        )


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ForgetTakeover(Action):
    """Forget what a table led to: it leads there again, or what it led to is gone."""

    calls: ClassVar[tuple[str, ...]] = ("dynamodb:UpdateItem",)
    found: Takeover
    reason: str

    @property
    def table(self) -> str:
        """The table."""
        return self.found.table

    @property
    def target(self) -> str:
        """The table, and what it led to."""
        return f"{self.found.table} {self.found.target}"

    def carry_out(self, clients: Clients) -> None:
        """Remove it; what another run wrote meanwhile stays, and this one is refused."""
        clients.memory.client.update_item(
            **_takeover_key(clients),
            UpdateExpression="REMOVE #table",
            ConditionExpression="#table = :found",
            ExpressionAttributeNames={"#table": self.found.table},
            ExpressionAttributeValues={":found": {"S": takeover_text(self.found)}},
        )


class _StandbyWriter:
    """What remembers or forgets that the function led a table to the standby gateway."""

    __slots__ = ()
    calls: ClassVar[tuple[str, ...]] = ("dynamodb:UpdateItem",)
    standby: Standby

    @property
    def table(self) -> str:
        """The table."""
        return self.standby.table

    @property
    def target(self) -> str:
        """The table and the gateway."""
        return f"{self.standby.table} {self.standby.gateway}"

    def _write(self, clients: Clients, verb: str) -> None:
        """Add it to a set or take it out: neither needs to know what other runs write."""
        clients.memory.client.update_item(
            **_takeover_key(clients),
            UpdateExpression=f"{verb} #standbys :standby",
            ExpressionAttributeNames={"#standbys": MEMORY_STANDBYS},
            ExpressionAttributeValues={":standby": {"SS": [standby_text(self.standby)]}},
        )


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RememberStandby(_StandbyWriter, Action):
    """Remember that the function leads a table to the standby gateway, and nobody else does."""

    standby: Standby
    reason: str

    def carry_out(self, clients: Clients) -> None:
        """Write it."""
        self._write(clients, "ADD")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ForgetStandby(_StandbyWriter, Action):
    """Forget that the function led a table to the standby gateway: it does not lead there now."""

    standby: Standby
    reason: str

    def carry_out(self, clients: Clients) -> None:
        """Write it."""
        self._write(clients, "DELETE")


def standby_text(standby: Standby) -> str:
    """Return what is stored of a table on standby; equal ones have equal texts."""
    return json.dumps(asdict(standby), separators=(",", ":"), sort_keys=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkEnding(Action):
    """Remember that the stack is being deleted: every run then gives back what was taken over."""

    calls: ClassVar[tuple[str, ...]] = ("dynamodb:UpdateItem",)
    reason: str

    @property
    def target(self) -> str:
        """What is remembered."""
        return MEMORY_ENDING

    def carry_out(self, clients: Clients) -> None:
        """Write it."""
        clients.memory.client.update_item(
            **_takeover_key(clients),
            UpdateExpression="SET #ending = :ending",
            ExpressionAttributeNames={"#ending": MEMORY_ENDING},
            ExpressionAttributeValues={":ending": {"BOOL": True}},
        )


def _takeover_key(clients: Clients) -> Any:  # noqa: ANN401 - of DynamoDB
    return {"TableName": clients.memory.table, "Key": {MEMORY_KEY: {"S": Item.TAKEOVERS}}}


def takeover_text(takeover: Takeover) -> str:
    """Return what is stored of a takeover; equal ones have equal texts, which writes compare."""
    return json.dumps(asdict(takeover), separators=(",", ":"), sort_keys=True)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class MoveSubnet(Action):
    """Associate a subnet with another table."""

    calls: ClassVar[tuple[str, ...]] = ("ec2:ReplaceRouteTableAssociation",)
    association: str
    subnet: str
    source: str
    table: str
    reason: str

    @property
    def moved(self) -> tuple[str, str]:
        """The table that the subnet leaves, and the one that it uses then."""
        return self.source, self.table

    @property
    def target(self) -> str:
        """The subnet, and its tables before and after."""
        return f"{self.subnet} {self.source} {self.table}"

    def carry_out(self, clients: Clients) -> str | None:
        """Replace the association."""
        moved = clients.ec2.replace_route_table_association(
            AssociationId=self.association, RouteTableId=self.table
        )
        return moved.get("NewAssociationId")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class AssociateSubnet(Action):
    """Associate a subnet that has no association, and so uses the main table, with a table."""

    calls: ClassVar[tuple[str, ...]] = ("ec2:AssociateRouteTable",)
    subnet: str
    source: str
    table: str
    reason: str

    @property
    def target(self) -> str:
        """The subnet, and its tables before and after."""
        return f"{self.subnet} {self.source} {self.table}"

    def carry_out(self, clients: Clients) -> str | None:
        """Make the association."""
        made = clients.ec2.associate_route_table(SubnetId=self.subnet, RouteTableId=self.table)
        return made.get("AssociationId")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class DisableSourceDestCheck(Action):
    """Let an instance forward what is not addressed to it, by its primary interface.

    An instance with several interfaces has no check of its own to switch ("InvalidInstanceID", EC2
    API error codes).
    """

    calls: ClassVar[tuple[str, ...]] = ("ec2:ModifyNetworkInterfaceAttribute",)
    instance: str
    interface: str
    reason: str

    @property
    def target(self) -> str:
        """The interface and its instance."""
        return f"{self.interface} {self.instance}"

    def carry_out(self, clients: Clients) -> None:
        """Switch the check off."""
        clients.ec2.modify_network_interface_attribute(
            NetworkInterfaceId=self.interface, SourceDestCheck={"Value": False}
        )


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class AssociateAddress(Action):
    """Give a NAT an Elastic IP, at its primary private address.

    It replaces the public address that the NAT had ("Elastic IP addresses", EC2 user guide).
    """

    calls: ClassVar[tuple[str, ...]] = ("ec2:AssociateAddress",)
    allocation: str
    interface: str
    address: str
    instance: str
    reason: str

    @property
    def target(self) -> str:
        """The Elastic IP's allocation, the interface and its instance."""
        return f"{self.allocation} {self.interface} {self.instance}"

    def carry_out(self, clients: Clients) -> None:
        """Associate it; one that is associated meanwhile is not taken (AllowReassociation)."""
        clients.ec2.associate_address(
            AllocationId=self.allocation,
            NetworkInterfaceId=self.interface,
            PrivateIpAddress=self.address,
            AllowReassociation=False,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSubnet(Action):
    """Take away a subnet's association that CloudFormation does not know, so that it can delete."""

    calls: ClassVar[tuple[str, ...]] = ("ec2:DisassociateRouteTable",)
    association: str
    subnet: str
    table: str
    reason: str

    @property
    def target(self) -> str:
        """The subnet and its table."""
        return f"{self.subnet} {self.table}"

    def carry_out(self, clients: Clients) -> None:
        """Take the association away."""
        clients.ec2.disassociate_route_table(AssociationId=self.association)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnprotectMember(Action):
    """Lift a member's protection from scale-in, so that its group can be deleted."""

    calls: ClassVar[tuple[str, ...]] = ("autoscaling:SetInstanceProtection",)
    group: str
    instance: str
    reason: str

    @property
    def target(self) -> str:
        """The instance."""
        return self.instance

    def carry_out(self, clients: Clients) -> None:
        """Lift the protection."""
        clients.autoscaling.set_instance_protection(
            AutoScalingGroupName=self.group,
            InstanceIds=[self.instance],
            ProtectedFromScaleIn=False,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminateMember(Action):
    """Terminate a member in standby, so that its group can be deleted."""

    calls: ClassVar[tuple[str, ...]] = ("autoscaling:TerminateInstanceInAutoScalingGroup",)
    instance: str
    reason: str

    @property
    def target(self) -> str:
        """The instance."""
        return self.instance

    def carry_out(self, clients: Clients) -> None:
        """Terminate it; the group's size stays."""
        clients.autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=self.instance, ShouldDecrementDesiredCapacity=False
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeTermination(Action):
    """Let a group terminate instances again, so that it can be deleted."""

    calls: ClassVar[tuple[str, ...]] = ("autoscaling:ResumeProcesses",)
    group: str
    reason: str

    @property
    def target(self) -> str:
        """The group."""
        return self.group

    def carry_out(self, clients: Clients) -> None:
        """Resume the process."""
        clients.autoscaling.resume_processes(
            AutoScalingGroupName=self.group, ScalingProcesses=["Terminate"]
        )


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class _LifecycleActionWriter:
    """What is about an instance that a hook holds: its id names the action.

    EC2 Auto Scaling API reference, CompleteLifecycleAction and RecordLifecycleActionHeartbeat.
    """

    group: str
    hook: str
    instance: str
    reason: str

    @property
    def target(self) -> str:
        """The instance and the hook."""
        return f"{self.instance} {self.hook}"

    @property
    def _named(self) -> Any:  # noqa: ANN401 - parameters
        return {
            "AutoScalingGroupName": self.group,
            "LifecycleHookName": self.hook,
            "InstanceId": self.instance,
        }


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class CompleteLifecycleAction(_LifecycleActionWriter, Action):
    """Let the group go on with an instance whose termination its hook holds."""

    calls: ClassVar[tuple[str, ...]] = ("autoscaling:CompleteLifecycleAction",)

    def carry_out(self, clients: Clients) -> None:
        """Complete the action."""
        clients.autoscaling.complete_lifecycle_action(
            **self._named, LifecycleActionResult="CONTINUE"
        )


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RecordLifecycleActionHeartbeat(_LifecycleActionWriter, Action):
    """Let the group wait anew for the heartbeat timeout of a hook that holds a termination.

    AWS bounds how often: an action lasts 48 hours or 100 timeouts at most, whichever is less
    (EC2 Auto Scaling API reference, RecordLifecycleActionHeartbeat and PutLifecycleHook).
    """

    calls: ClassVar[tuple[str, ...]] = ("autoscaling:RecordLifecycleActionHeartbeat",)

    def carry_out(self, clients: Clients) -> None:
        """Record the heartbeat."""
        clients.autoscaling.record_lifecycle_action_heartbeat(**self._named)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class MarkUnhealthy(Action):
    """Tell the group that a member does not forward, so that it replaces it.

    The memory is told first, and refuses if that happened after `not_since`: so of runs that
    overlap one tells the group, whatever each of them has seen, and where AWS refuses the call the
    group is told later. `at` is the time of the observation.
    """

    calls: ClassVar[tuple[str, ...]] = ("autoscaling:SetInstanceHealth", "dynamodb:UpdateItem")
    instance: str
    at: float
    not_since: float
    reason: str

    @property
    def target(self) -> str:
        """The instance."""
        return self.instance

    def carry_out(self, clients: Clients) -> None:
        """Set its health; a grace period of the group would let it stay."""
        clients.memory.client.update_item(
            TableName=clients.memory.table,
            Key={MEMORY_KEY: {"S": Item.CLAIMS}},
            UpdateExpression="SET #replaced = :at",
            ConditionExpression="attribute_not_exists(#replaced) OR #replaced <= :not_since",
            ExpressionAttributeNames={"#replaced": MEMORY_REPLACED},
            ExpressionAttributeValues={
                ":at": {"N": repr(self.at)},
                ":not_since": {"N": repr(self.not_since)},
            },
        )
        clients.autoscaling.set_instance_health(
            InstanceId=self.instance, HealthStatus="Unhealthy", ShouldRespectGracePeriod=False
        )


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PublishRing(Action):
    """Write the ring of NATs where their watches read it, over the version that was read.

    `at` is the time of the observation, `found` the version that it had, 0 if there was none.
    What is `UNREADABLE` is written over, whatever it is.
    """

    calls: ClassVar[tuple[str, ...]] = ("dynamodb:PutItem",)
    members: tuple[Peer, ...]
    found: int
    at: float
    reason: str

    @property
    def version(self) -> int:
        """The version that is written."""
        return max(self.found, 0) + 1

    @property
    def target(self) -> str:
        """The version, and the instances in their order."""
        return " ".join((f"version {self.version}:", *(peer.instance for peer in self.members)))

    def carry_out(self, clients: Clients) -> None:
        """Write it; where another run was faster, the next observation shows what that wrote."""
        memory = clients.memory
        condition: Any = {
            "ConditionExpression": "attribute_not_exists(version) OR version = :found",
            "ExpressionAttributeValues": {":found": {"N": str(self.found)}},
        }
        with suppress(memory.client.exceptions.ConditionalCheckFailedException):
            memory.client.put_item(
                TableName=memory.table,
                Item={
                    MEMORY_KEY: {"S": Item.PEERS},
                    "ring": {"S": json.dumps([asdict(peer) for peer in self.members])},
                    "version": {"N": str(self.version)},
                    "written": {"N": str(int(self.at))},
                },
                **({} if self.found == UNREADABLE else condition),
            )


Move = MoveSubnet | AssociateSubnet
Planned = (
    SetDefaultRoute
    | RestoreRoute
    | DeleteDefaultRoute
    | RememberTakeover
    | ForgetTakeover
    | RememberStandby
    | ForgetStandby
    | Move
    | DisableSourceDestCheck
    | AssociateAddress
    | MarkUnhealthy
    | PublishRing
    | CompleteLifecycleAction
    | RecordLifecycleActionHeartbeat
)
"""What a plan may ask for."""
