"""What a drill does to the stack, as values: named to the person, then executed.

Each is one call of AWS, and what takes it back is another one, or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, assert_never

from nat_failover.actions import DEFAULT_ROUTE_CIDR

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminateNat:
    """Terminate an instance, not through its group, which replaces it."""

    instance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopNat:
    """Stop an instance; its group terminates and replaces it."""

    instance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshGroup:
    """Replace every instance of the group, one after the other."""

    group: str
    instances: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteDefaultRoute:
    """Delete a private table's default route, which leads to an interface."""

    table: str
    interface: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchCheckOn:
    """Switch an instance's source/destination check on."""

    instance: str


FaultAction = TerminateNat | StopNat | RefreshGroup | DeleteDefaultRoute | SwitchCheckOn


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of EC2 that changes something, by the name of its method in boto3."""

    method: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


def describe(action: FaultAction) -> str:
    """Say what is done to what, by which call."""
    match action:
        case TerminateNat():
            return f"terminate the NAT {action.instance} (ec2:TerminateInstances)"
        case StopNat():
            return f"stop the NAT {action.instance} (ec2:StopInstances)"
        case RefreshGroup():
            return (
                f"replace {' and '.join(action.instances)}, one after the other, by an instance"
                f" refresh of the group {action.group} (autoscaling:StartInstanceRefresh)"
            )
        case DeleteDefaultRoute():
            return (
                f"delete the default route of {action.table}, which leads to {action.interface}"
                " (ec2:DeleteRoute)"
            )
        case SwitchCheckOn():
            return (
                f"switch the source/destination check of the NAT {action.instance} on"
                " (ec2:ModifyInstanceAttribute)"
            )
        case _ as never:
            assert_never(never)


def undo(action: FaultAction) -> str:
    """Say what takes it back, as a command for a person whose drill could not."""
    match action:
        case TerminateNat() | StopNat():
            return "nothing: the group replaces the NAT"
        case RefreshGroup():
            return (
                f"aws autoscaling cancel-instance-refresh --auto-scaling-group-name {action.group}"
            )
        case DeleteDefaultRoute():
            return (
                f"aws ec2 create-route --route-table-id {action.table} --destination-cidr-block"
                f" {DEFAULT_ROUTE_CIDR} --network-interface-id {action.interface}"
            )
        case SwitchCheckOn():
            return (
                f"aws ec2 modify-instance-attribute --instance-id {action.instance}"
                " --no-source-dest-check"
            )
        case _ as never:
            assert_never(never)


def victims(action: FaultAction) -> frozenset[str]:
    """Return the instances that do not come back from it."""
    match action:
        case TerminateNat() | StopNat():
            return frozenset({action.instance})
        case RefreshGroup():
            return frozenset(action.instances)
        case DeleteDefaultRoute() | SwitchCheckOn():
            return frozenset()
        case _ as never:
            assert_never(never)


def calls(action: FaultAction) -> tuple[Call | None, Call | None]:
    """Return the call of EC2 that carries it out, and the one that takes it back, if there is one.

    The group's own calls are in `AccountWriter`: they need the id of the refresh.
    """
    match action:
        case TerminateNat():
            return _call("terminate_instances", InstanceIds=[action.instance]), None
        case StopNat():
            return _call("stop_instances", InstanceIds=[action.instance]), None
        case RefreshGroup():
            return None, None
        case DeleteDefaultRoute():
            route = {"RouteTableId": action.table, "DestinationCidrBlock": DEFAULT_ROUTE_CIDR}
            create = _call("create_route", **route, NetworkInterfaceId=action.interface)
            return _call("delete_route", **route), create
        case SwitchCheckOn():
            return _check(action.instance, on=True), _check(action.instance, on=False)
        case _ as never:
            assert_never(never)


def _check(instance: str, *, on: bool) -> Call:
    return _call("modify_instance_attribute", InstanceId=instance, SourceDestCheck={"Value": on})


def _call(method: str, **arguments: object) -> Call:
    return Call(method=method, arguments=arguments)
