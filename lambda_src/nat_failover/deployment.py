"""What CloudFormation asks of the function.

Creating or updating the resource `Custom::Network`, which is there for a network that the stack did
not make and comes before the group, takes that the network is as it was named.

Creating or updating the resource `Custom::DefaultRoutes`, the last of the stack, takes until every
private subnet has a working default route, so that no deployment reports success before that.
Deleting it, the first deletion of a stack, lifts what would keep the group from being deleted:
CloudFormation scales it to nothing, and hangs on instances that are protected from
scale-in, in standby, or in a group that may not terminate (EC2 Auto Scaling user guide, "Scale-in
protection", "Temporarily remove instances", "Suspend and resume processes"). It also ends the
drain of members that wait in it, which the deletion would wait for. Before that, while the NATs
still serve, tables that were taken over are given back to what they led to; that the stack ends is
remembered, so that no other run takes them over again.

Deleting the resource `Custom::PrivateAssociations`, which outlives the NATs and the sweep, takes
away the associations of the private subnets with the stack's own tables that the function made with
the strategy swap-route-table, now or once, or a person by hand: CloudFormation does not know their
ids, and EC2 refuses to delete a table that still has one (CloudFormation resource handler contract;
EC2 API reference, DeleteRouteTable). Other subnets' associations stay.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from nat_failover.actions import (
    CompleteLifecycleAction,
    MarkEnding,
    ReleaseSubnet,
    ResumeTermination,
    TerminateMember,
    UnprotectMember,
)
from nat_failover.apply import apply
from nat_failover.contract import DRAIN_HOOK, Resource
from nat_failover.deadline import Deadline
from nat_failover.gateways import read_gateways
from nat_failover.memory import FAULTS
from nat_failover.network_check import problems
from nat_failover.observe import observe_tables, read_route_tables
from nat_failover.reconcile import Run, reconcile
from nat_failover.route_tables import IncompleteError, RouteTables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nat_failover.actions import Action
    from nat_failover.clients import Clients
    from nat_failover.contract import Settings
    from nat_failover.model import Table
    from nat_failover.recall import Recall
    from nat_failover.triggers import Deployment, Trigger

LIFT_LIMIT_S = 480.0
"""How long the function tries to lift holds: what is launching is in service or gone by then, and a
refusal that lasts is a person's to read."""

_STANDBY = ("EnteringStandby", "Standby")

_BECAUSE = "CloudFormation is about to delete the group"


class LaunchingError(Exception):
    """A member is protected before it is in service, when its protection cannot be lifted.

    Auto Scaling refuses SetInstanceProtection then (infrahouse/infrahouse-toolkit#223).
    """


class ServingError(Exception):
    """Subnets are not released while the stack has NATs that may serve them."""


def serve(  # noqa: PLR0913 - what a run is made of, each thing by name
    deployment: Deployment,
    clients: Clients,
    settings: Settings,
    trigger: Trigger,
    *,
    seconds: float,
    recall: Recall | None = None,
) -> Run:
    """Do what CloudFormation asks for; requests that need nothing are done at once."""
    own = not settings.observes_subnets
    match deployment.resource, deployment.request:
        case Resource.DEFAULT_ROUTES, "Delete":
            return _end(clients, settings, trigger, min(seconds, LIFT_LIMIT_S), recall)
        case Resource.DEFAULT_ROUTES, ("Create" | "Update") as request:
            first = request == "Create"
            return _deploy(clients, settings, trigger, seconds, recall, first=first)
        case Resource.NETWORK, "Create" | "Update":
            return Run(trigger=trigger, failure=_unfit(deployment, clients, settings))
        case Resource.PRIVATE_ASSOCIATIONS, "Delete" if own and not deployment.associations:
            return Run(trigger=trigger, failure="the request names no association to keep")
        case Resource.PRIVATE_ASSOCIATIONS, "Delete" if own:
            unknown = partial(_unknown, deployment, clients, settings)
            return _until_none_is_left(clients, trigger, seconds, unknown)
    return Run(trigger=trigger)


def _deploy(  # noqa: PLR0913 - what a run is made of, and whether it is the first
    clients: Clients,
    settings: Settings,
    trigger: Trigger,
    seconds: float,
    recall: Recall | None,
    *,
    first: bool,
) -> Run:
    """Serve every private subnet, and take over or give back what the settings say.

    Of a stack that is being made nothing is remembered that matters, unless it takes tables over or
    has a standby gateway.
    """
    named = trigger.deployment is not None and trigger.deployment.new_gateway
    unfit = _unfit_gateway(clients, settings) if named else None
    if mistake := _unknown_tables(settings) or unfit:
        return Run(trigger=trigger, failure=mistake)
    return reconcile(
        clients,
        settings,
        trigger,
        seconds=seconds,
        until_served=True,
        first=first,
        recall=None if first and not settings.minds_gateways else recall,
    )


def _unknown_tables(settings: Settings) -> str | None:
    """Say which tables are to be taken over that are not the stack's, or None."""
    ours = {table.id for table in settings.tables}
    if not (unknown := set(settings.listed) - ours):
        return None
    return (
        f"failover.adopt names {', '.join(sorted(unknown))}, no private route table of the stack;"
        f" allowed: {', '.join(sorted(ours))}"
    )


def _unfit_gateway(clients: Clients, settings: Settings) -> str | None:
    """Say what is wrong with a standby gateway that is named anew, or None.

    One that was lost since is told, and keeps no deployment from succeeding, nor its rollback.
    An internet gateway drops what comes from a private one ("NAT gateways", VPC user guide). A
    regional one is in no subnet, and has routes of its own ("Regional NAT gateways").
    """
    if settings.standby_gateway is None:
        return None
    try:
        there = {each["NatGatewayId"]: each for each in read_gateways(clients, settings)}
        tables = RouteTables(read_route_tables(clients, settings), settings)
    except (*FAULTS, IncompleteError) as error:
        return f"the standby gateway could not be read: {type(error).__name__}: {error}"
    found = there.get(settings.standby_gateway)
    subnet = (found or {}).get("SubnetId")
    rows = (
        (found is None, f"is not in {settings.vpc}"),
        (found and found["State"] != "available", f"is {(found or {}).get('State')}"),
        (found and found.get("ConnectivityType") == "private", "is a private one"),
        (
            subnet and not tables.may_lead_out(subnet),
            f"is in {subnet}, from which no route leads out",
        ),
    )
    if not (why := next((why for holds, why in rows if holds), None)):
        return None
    return (
        f"failover.standby_gateway is {settings.standby_gateway}, which {why}; allowed: null, or a"
        f" public NAT gateway of {settings.vpc} that is available"
    )


def _end(
    clients: Clients, settings: Settings, trigger: Trigger, seconds: float, recall: Recall | None
) -> Run:
    """Give back what was taken over, and lift what keeps the group from being deleted."""
    deadline = Deadline(seconds)
    given = _give_back(clients, settings, trigger, deadline, recall)
    if given.failure:
        return given
    holds = partial(_holds, clients, settings)
    lifted = _until_none_is_left(clients, trigger, deadline.seconds_left, holds)
    return lifted.after(given)


def _give_back(
    clients: Clients,
    settings: Settings,
    trigger: Trigger,
    deadline: Deadline,
    recall: Recall | None,
) -> Run:
    """Give every table back that was taken over, and release those of a VPC that stays.

    Of a memory that somebody deleted nothing is, and in a VPC that is gone there is no table.
    """
    nothing = Run(trigger=trigger)
    if recall is None or not settings.gives_back:
        return nothing
    while True:
        (marked,) = apply(clients, [MarkEnding(reason="the stack is being deleted")])
        if (marked.error or "").startswith("ResourceNotFoundException"):
            return nothing
        run = reconcile(
            clients, settings, trigger, seconds=deadline.seconds_left, ending=True, recall=recall
        )
        failure = marked.error or run.failure or _not_given_back(run)
        if failure and run.blind and _vpc_is_gone(clients, settings):
            return nothing
        if not failure or not deadline.pause():
            return replace(run, failure=failure)


def _not_given_back(run: Run) -> str | None:
    """Say which tables are remembered still, or that it is not known."""
    left = run.observation.takeovers if run.observation else None
    if left is None:
        return "what tables led to before they were taken over could not be read"
    names = ", ".join(f"{each.table} to {each.target}" for each in sorted(left))
    return f"not given back yet: {names}" if left else None


def _vpc_is_gone(clients: Clients, settings: Settings) -> bool:
    try:
        return not observe_tables(clients, settings)
    except (ClientError, BotoCoreError, ResponseParserError, IncompleteError):
        return False


def _unfit(deployment: Deployment, clients: Clients, settings: Settings) -> str | None:
    """Return what is wrong with the network that the stack is given, if anything is."""
    try:
        found = problems(deployment.network, clients, settings)
    except (ClientError, BotoCoreError, ResponseParserError, IncompleteError) as error:
        return f"{type(error).__name__}: {error}"
    return "; ".join(found) or None


def _until_none_is_left(
    clients: Clients, trigger: Trigger, seconds: float, find: Callable[[], tuple[Action, ...]]
) -> Run:
    """Write what is found, until nothing is found or time is up."""
    run, deadline = Run(trigger=trigger), Deadline(seconds)
    while True:
        run = replace(run, observations=run.observations + 1, failure=None)
        try:
            left = tuple(action for action in find() if action not in _asked(run))
        except (
            ClientError,
            BotoCoreError,
            ResponseParserError,
            IncompleteError,
            LaunchingError,
            ServingError,
            KeyError,
            TypeError,
        ) as error:
            run = replace(run, failure=f"{type(error).__name__}: {error}")
        else:
            if not left:
                return run
            results = apply(clients, left)
            run = replace(run, results=run.results + results)
            failed = {r.error for r in results if r.error and r.write not in _asked(run)}
            run = replace(run, failure="; ".join(sorted(failed)) or None)
        if (run.failure or run.observations > 1) and not deadline.pause():
            return replace(run, failure=run.failure or f"time was up with {len(left)} left to do")


def _asked(run: Run) -> set[Action]:
    """Return the ends of drains that AWS has answered: a refusal says that there is none any more.

    A drain ends by itself, and a member may go on waiting in a hook that is not the stack's.
    """
    return {
        result.write
        for result in run.results
        if isinstance(result.write, CompleteLifecycleAction) and (result.done or result.refused)
    }


def _unknown(deployment: Deployment, clients: Clients, settings: Settings) -> tuple[Action, ...]:
    """Return the private subnets' associations that CloudFormation does not know.

    Those of tables that NATs serve are in use: CloudFormation deletes their group first.
    """
    tables = observe_tables(clients, settings)
    served = any(t.route and t.route.interface and not t.route.blackhole for t in tables)
    groups = _groups(clients, settings) if served else []
    if members := [row["InstanceId"] for group in groups for row in group["Instances"]]:
        message = f"{settings.group} still has members ({', '.join(sorted(members)[:5])})"
        raise ServingError(message)
    return tuple(_releases(deployment, tables, settings))


def _releases(
    deployment: Deployment, tables: frozenset[Table], settings: Settings
) -> Iterator[ReleaseSubnet]:
    private = {subnet for table in settings.tables for subnet in table.subnets}
    for table in sorted(tables, key=lambda table: table.id):
        for association in sorted(table.associations):
            if association.id not in deployment.associations and association.subnet in private:
                yield ReleaseSubnet(
                    association=association.id,
                    subnet=association.subnet,
                    table=table.id,
                    reason="CloudFormation is about to delete the table",
                )


def _holds(clients: Clients, settings: Settings) -> tuple[Action, ...]:
    """Return what lifts what keeps members from being terminated; of no group, nothing does.

    Each member by a call of its own, so that one refusal is not everyone's.

    An instance in standby is terminated: it could not return to a group that is at its maximum
    size, and a deletion of the stack wants none of it (that the call takes instances in standby:
    github.com/keikoproj/upgrade-manager/pull/49).
    """
    for group in _groups(clients, settings):
        members = group.get("Instances", [])
        drains = tuple(_drains(members, settings))
        suspended = {process.get("ProcessName") for process in group.get("SuspendedProcesses", [])}
        if "Terminate" in suspended:
            return (*drains, ResumeTermination(group=settings.group, reason=_BECAUSE))
        standby = _ids(m for m in members if m["LifecycleState"] in _STANDBY)
        if standby:
            ends = (TerminateMember(instance=i, reason=_BECAUSE) for i in standby)
            return (*drains, *ends)
        protected = [m for m in members if m.get("ProtectedFromScaleIn") and not _leaves(m)]
        launched = _ids(m for m in protected if m["LifecycleState"] == "InService")
        if protected and not launched:
            message = (
                f"{_ids(iter(protected))[0]} is protected from scale-in and not yet in service"
            )
            raise LaunchingError(message)
        lifted = (
            UnprotectMember(group=settings.group, instance=instance, reason=_BECAUSE)
            for instance in launched
        )
        return (*drains, *lifted)
    return ()


def _drains(members: list[Any], settings: Settings) -> Iterator[CompleteLifecycleAction]:
    """Yield the end of each drain: the flows that it waits for end with the stack."""
    for instance in _ids(m for m in members if m["LifecycleState"] == "Terminating:Wait"):
        yield CompleteLifecycleAction(
            group=settings.group, hook=DRAIN_HOOK, instance=instance, reason=_BECAUSE
        )


def _groups(clients: Clients, settings: Settings) -> list[Any]:
    """Return the stack's group, or none."""
    answer = clients.autoscaling.describe_auto_scaling_groups(
        AutoScalingGroupNames=[settings.group]
    )
    return list(answer["AutoScalingGroups"])


def _leaves(member: Any) -> bool:  # noqa: ANN401 - boto3's shape
    """Say whether a member is on its way out, so that nothing holds it any more."""
    return str(member["LifecycleState"]).startswith(("Terminat", "Detach"))


def _ids(members: Iterator[Any]) -> list[str]:
    return sorted(member["InstanceId"] for member in members)
