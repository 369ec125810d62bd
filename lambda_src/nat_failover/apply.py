"""From what is wanted to what was done: writes at the same time, each with a result of its own.

Throttling is retried by botocore (`handler` sets how often). What AWS refuses is a result and not
an exception: the look that follows decides what is left to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, assert_never

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from nat_failover.events import LifecycleAction
from nat_failover.model import (
    AssociateSubnet,
    DisableSourceDestCheck,
    MoveSubnet,
    SetDefaultRoute,
)
from nat_failover.route_tables import DEFAULT_ROUTE_CIDR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nat_failover.observe import Clients


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSubnet:
    """Take away a subnet's association that CloudFormation does not know, so that it can delete."""

    association: str
    subnet: str
    table: str
    reason: str


class Hold(StrEnum):
    """What keeps members of a group from being terminated."""

    PROTECTION = "scale-in protection"
    STANDBY = "standby"
    SUSPENSION = "suspended termination"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftHold:
    """Lift a hold of some members, or of the whole group, so that CloudFormation can delete it."""

    group: str
    hold: Hold
    reason: str
    instances: tuple[str, ...] = ()


Write = (
    SetDefaultRoute
    | MoveSubnet
    | AssociateSubnet
    | DisableSourceDestCheck
    | ReleaseSubnet
    | LiftHold
    | LifecycleAction
)

_BUSY = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "Unavailable",
    }
)
"""Codes that say something of AWS and nothing of what was asked ("Error codes", EC2 API developer
guide; "Common errors", EC2 Auto Scaling API reference)."""


_NO_ROUTE = frozenset({"InvalidParameterValue", "InvalidRoute.NotFound"})
_ROUTE_EXISTS = frozenset({"RouteAlreadyExists"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one write: `error` is AWS's code and words, or None where it was done.

    `association` is the id that AWS gave to a subnet's new association. `refused` says that AWS did
    not want what was asked, other than when it was only busy.
    """

    write: Write
    error: str | None = None
    association: str | None = None
    refused: bool = False

    @property
    def done(self) -> bool:
        """Whether AWS did what was asked."""
        return self.error is None


def apply(clients: Clients, writes: Iterable[Write]) -> tuple[Result, ...]:
    """Make the writes in parallel and return their results in the order of the writes."""
    return tuple(clients.threads.map(partial(_attempt, clients), writes))


def _attempt(clients: Clients, write: Write) -> Result:
    try:
        association = _carry_out(clients, write)
    except ClientError as error:
        said = error.response["Error"]
        refused = said["Code"] not in _BUSY
        return Result(write=write, error=f"{said['Code']}: {said['Message']}", refused=refused)
    except (BotoCoreError, ResponseParserError) as error:
        return Result(write=write, error=f"{type(error).__name__}: {error}")
    return Result(write=write, association=association)


def _carry_out(clients: Clients, write: Write) -> str | None:
    """Make a write; return the id of a subnet's new association, if it made one."""
    ec2 = clients.ec2
    match write:
        case SetDefaultRoute():
            _set_default_route(clients, write)
        case MoveSubnet():
            moved = ec2.replace_route_table_association(
                AssociationId=write.association, RouteTableId=write.table
            )
            return moved.get("NewAssociationId")
        case AssociateSubnet():
            made = ec2.associate_route_table(SubnetId=write.subnet, RouteTableId=write.table)
            return made.get("AssociationId")
        case DisableSourceDestCheck():
            ec2.modify_network_interface_attribute(
                NetworkInterfaceId=write.interface, SourceDestCheck={"Value": False}
            )
        case ReleaseSubnet():
            ec2.disassociate_route_table(AssociationId=write.association)
        case LiftHold():
            _lift(clients, write)
        case LifecycleAction():
            clients.autoscaling.complete_lifecycle_action(
                AutoScalingGroupName=write.group,
                LifecycleHookName=write.hook,
                LifecycleActionToken=write.token,
                InstanceId=write.instance,
                LifecycleActionResult="CONTINUE",
            )
        case _ as never:
            assert_never(never)
    return None


def _set_default_route(clients: Clients, write: SetDefaultRoute) -> None:
    """Replace or create the route; when it came or went since the look, do the other.

    The interface is the target because an instance with two interfaces cannot be one. AWS refuses
    to replace what is missing with InvalidParameterValue, where InvalidRoute.NotFound would be
    expected (getmoto/moto#6425), and to create what exists with RouteAlreadyExists ("Error codes",
    EC2 API developer guide).
    """
    replace = partial(
        clients.ec2.replace_route,
        RouteTableId=write.table,
        DestinationCidrBlock=DEFAULT_ROUTE_CIDR,
        NetworkInterfaceId=write.interface,
    )
    create = partial(clients.ec2.create_route, **replace.keywords)
    first: Callable[[], object] = replace if write.exists else create
    second: Callable[[], object] = create if write.exists else replace
    refusals = _NO_ROUTE if write.exists else _ROUTE_EXISTS
    try:
        first()
    except ClientError as error:
        if error.response["Error"]["Code"] not in refusals:
            raise
        second()


def _lift(clients: Clients, write: LiftHold) -> None:
    autoscaling, instances = clients.autoscaling, list(write.instances)
    match write.hold:
        case Hold.PROTECTION:
            autoscaling.set_instance_protection(
                AutoScalingGroupName=write.group, InstanceIds=instances, ProtectedFromScaleIn=False
            )
        case Hold.STANDBY:
            for instance in instances:
                autoscaling.terminate_instance_in_auto_scaling_group(
                    InstanceId=instance, ShouldDecrementDesiredCapacity=False
                )
        case Hold.SUSPENSION:
            autoscaling.resume_processes(
                AutoScalingGroupName=write.group, ScalingProcesses=["Terminate"]
            )
        case _ as never:
            assert_never(never)


def describe(write: Write) -> str:  # noqa: PLR0911 - one for each kind of write
    """Say a write in words."""
    match write:
        case SetDefaultRoute():
            return f"{write.table}: default route to {write.instance} ({write.interface})"
        case MoveSubnet():
            return f"{write.subnet}: from {write.source} to {write.table}"
        case AssociateSubnet():
            return f"{write.subnet}: associated with {write.table} instead of {write.source}"
        case DisableSourceDestCheck():
            return f"{write.instance}: source/destination check off"
        case ReleaseSubnet():
            return f"{write.subnet}: released from {write.table}"
        case LiftHold():
            return f"{', '.join(write.instances) or write.group}: {write.hold} lifted"
        case LifecycleAction():
            return f"{write.instance}: lifecycle action {write.hook} completed"
        case _ as never:
            assert_never(never)
