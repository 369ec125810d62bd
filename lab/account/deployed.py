"""The deployed stack, found through CloudFormation and what its function was told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lab.account.errors import RealDrillError
from nat_failover.contract import Settings, SettingsError

if TYPE_CHECKING:
    from lab.account.connections import Connections

_COMPLETE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")
"""The states of a stack at rest that is there (CloudFormation user guide, stack status codes)."""

_GROUP = "AWS::AutoScaling::AutoScalingGroup"
_FUNCTION = "AWS::Lambda::Function"
_LOG = "AWS::Logs::LogGroup"
_TABLE = "AWS::EC2::RouteTable"

_REPLACING = frozenset({"Launch", "Terminate", "HealthCheck", "ReplaceUnhealthy"})
"""The processes with which a group replaces a lost instance (EC2 Auto Scaling user guide)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """A stack of this app: where it is, who drills it, and what its function was told."""

    name: str
    account: str
    caller: str
    region: str
    group: str
    log_group: str
    handler: str
    settings: Settings

    @property
    def zones(self) -> tuple[str, ...]:
        """Return the zones of its private subnets, in order."""
        return tuple(sorted(home.zone for home in self.settings.tables))


def find(connections: Connections, stack: str) -> Deployed:
    """Return the stack.

    Raises:
        RealDrillError: when there is none of the name that this app deployed and that is at rest.
        botocore.exceptions.ClientError: when AWS refuses a read.

    """
    caller = connections.identity.get_caller_identity()
    name = _at_rest(connections, stack)
    ids = _resources(connections, name)
    function = connections.functions.get_function_configuration(
        FunctionName=_the_one(ids, _FUNCTION, name)
    )
    settings = _settings(function, name)
    if settings.observes_subnets:
        message = (
            f"the stack {name} serves {settings.vpc}, which it did not make, and what others made"
            " is not drilled: deploy this app with a VPC of its own beside it, and drill that one"
        )
        raise RealDrillError(message)
    if settings.stack != name or not {home.id for home in settings.tables} <= set(ids[_TABLE]):
        raise RealDrillError(_not_ours(name, "its function looks after another stack's tables"))
    return Deployed(
        name=name,
        account=caller["Account"],
        caller=caller["Arn"],
        region=connections.region,
        group=_the_one(ids, _GROUP, name),
        log_group=_the_one(ids, _LOG, name),
        handler=function.get("Handler", ""),
        settings=settings,
    )


def must_replace(connections: Connections, deployed: Deployed) -> None:
    """Check that the group replaces what it loses.

    Raises:
        RealDrillError: when somebody suspended what does that.

    """
    found = connections.patient.autoscaling.describe_auto_scaling_groups(
        AutoScalingGroupNames=[deployed.group]
    )
    suspended = {
        row.get("ProcessName", "")
        for group in found["AutoScalingGroups"]
        for row in group["SuspendedProcesses"]
    }
    if stopped := sorted(suspended & _REPLACING):
        message = (
            f"the group {deployed.group} would not replace a NAT, because its processes"
            f" {', '.join(stopped)} are suspended: resume them"
        )
        raise RealDrillError(message)


def _at_rest(connections: Connections, stack: str) -> str:
    """Return the name of the stack, which may have been given by its id."""
    try:
        found = connections.cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" not in error.response["Error"]["Message"]:
            raise
        found = []
    if not found:
        message = (
            f"there is no stack {stack!r} in {connections.region}: give the name of a deployed one"
            " with --stack, and its Region with --region"
        )
        raise RealDrillError(message)
    name, status = found[0]["StackName"], found[0]["StackStatus"]
    if status not in _COMPLETE:
        message = (
            f"the stack {name} is {status}, and a drill needs it to be {', '.join(_COMPLETE[:-1])}"
            f" or {_COMPLETE[-1]}: wait until it is, or deploy it again"
        )
        raise RealDrillError(message)
    return name


def _resources(connections: Connections, name: str) -> dict[str, list[str]]:
    """Return the physical ids of the stack's resources, by type."""
    ids: dict[str, list[str]] = {_GROUP: [], _FUNCTION: [], _LOG: [], _TABLE: []}
    pages = connections.cloudformation.get_paginator("list_stack_resources")
    for page in pages.paginate(StackName=name):
        for row in page["StackResourceSummaries"]:
            ids.setdefault(row["ResourceType"], []).append(row.get("PhysicalResourceId", ""))
    return ids


def _the_one(ids: dict[str, list[str]], kind: str, stack: str) -> str:
    if len(ids[kind]) != 1:
        raise RealDrillError(_not_ours(stack, f"it has {len(ids[kind])} resources of type {kind}"))
    return ids[kind][0]


def _settings(function: Any, stack: str) -> Settings:  # noqa: ANN401 - JSON
    try:
        return Settings.from_env(function.get("Environment", {}).get("Variables", {}))
    except SettingsError as error:
        said = "; ".join(str(error).splitlines())
        raise RealDrillError(_not_ours(stack, said)) from error


def _not_ours(stack: str, why: str) -> str:
    return (
        f"the stack {stack} is not one of this app as it is here ({why}): give the name of one with"
        " --stack, or deploy it again"
    )
