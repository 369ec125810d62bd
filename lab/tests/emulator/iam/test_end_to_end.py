"""The function's own reads and writes, through botocore and HTTP, by its deployed policies."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lab.emulator.iam.callers import Caller
from lab.emulator.iam.permissions import Permissions
from lab.emulator.isolation import ACCOUNT, REGION
from lab.tests.emulator.factories import eventually
from lab.tests.emulator.iam.guard import guarded
from lab.tests.emulator.iam.things import Things, attach, things_of
from nat_failover.actions import (
    Action,
    AssociateAddress,
    AssociateSubnet,
    CompleteLifecycleAction,
    DeleteDefaultRoute,
    DisableSourceDestCheck,
    ForgetStandby,
    ForgetTakeover,
    MarkEnding,
    MarkUnhealthy,
    MoveSubnet,
    PublishRing,
    RecordLifecycleActionHeartbeat,
    ReleaseSubnet,
    RememberStandby,
    RememberTakeover,
    RestoreRoute,
    ResumeTermination,
    SetDefaultRoute,
    TerminateMember,
    UnprotectMember,
)
from nat_failover.apply import apply
from nat_failover.clients import Clients, Memory
from nat_failover.contract import HomeTable, Settings
from nat_failover.model import Standby, Takeover
from nat_failover.observe import observe
from tests.factories import any_function_settings
from tests.iam import SIMULATOR, role_policies

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from lab.emulator.region import Region
    from lab.tests.emulator.iam.guard import Client

KEY = "ASIAFUNCTION00000001"
OURS = "NatFailover"  # the stack for which the policies were reviewed
SWAPS = {AssociateSubnet, MoveSubnet}
NEVER_ASKED_FOR = {AssociateAddress, DeleteDefaultRoute}
"""Writes that other settings allow: Elastic IPs, and tables that are given back."""
REFUSED = ("UnauthorizedOperation", "AccessDenied")


def writes_to(things: Things) -> tuple[Action, ...]:
    """Return every kind of write that the function makes, on a stack's things."""
    why = "any reason"
    table, other = things.tables
    stands = Standby(table=table, gateway="nat-any", written=1000.0)
    taken = Takeover(table=table, target="nat-any", times=1, done=False, written=1000.0)
    return (
        SetDefaultRoute(
            table=table, interface=things.interface, instance=things.nat, exists=False, reason=why
        ),
        SetDefaultRoute(
            table=table, interface=things.interface, instance=things.nat, exists=True, reason=why
        ),
        DisableSourceDestCheck(instance=things.nat, interface=things.interface, reason=why),
        AssociateSubnet(subnet=things.subnets[0], source=table, table=other, reason=why),
        MoveSubnet(
            association=things.associations[0],
            subnet=things.subnets[0],
            source=table,
            table=other,
            reason=why,
        ),
        ReleaseSubnet(
            association=things.associations[1],
            subnet=things.subnets[1],
            table=other,
            reason=why,
        ),
        UnprotectMember(group=things.group, instance=things.nat, reason=why),
        TerminateMember(instance=things.nat, reason=why),
        ResumeTermination(group=things.group, reason=why),
        CompleteLifecycleAction(group=things.group, hook="any", instance=things.nat, reason="any"),
        RecordLifecycleActionHeartbeat(
            group=things.group, hook="any", instance=things.nat, reason=why
        ),
        MarkUnhealthy(instance=things.nat, at=2000.0, not_since=1000.0, reason=why),
        PublishRing(members=(), found=0, at=1000.0, reason=why),
        RestoreRoute(table=table, to="nat-00000000000000000", exists=True, reason=why),
        DeleteDefaultRoute(table=table, reason=why),
        RememberTakeover(takeover=taken, found=None, reason=why),
        ForgetTakeover(found=taken, reason=why),
        RememberStandby(standby=stands, reason=why),
        ForgetStandby(standby=stands, reason=why),
        MarkEnding(reason=why),
        AssociateAddress(
            allocation="eipalloc-00000000000000000",
            interface=things.interface,
            instance=things.nat,
            address="10.0.0.4",
            reason=why,
        ),
    )


def settings_of(things: Things) -> Settings:
    """Return what a stack's function is told."""
    homes = zip(things.tables, things.subnets, strict=True)
    return any_function_settings(
        stack=things.stack,
        vpc=things.vpc,
        group=things.group,
        tables=tuple(HomeTable(id=table, zone="any", subnets=(subnet,)) for table, subnet in homes),
        outcome_topic=things.topic,
    )


@pytest.fixture
def ours(region: Region) -> Things:
    """Return what our stack has."""
    return things_of(region, OURS)


@pytest.fixture
def client(region: Region, ours: Things, variant: str) -> Iterator[Client]:
    """Return what makes a client with the role of our function."""
    iam = region.client("iam")
    role = iam.create_role(RoleName="any", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    public = ours.subnets[0]  # where the NAT is
    homes = [
        (table, subnet, public) for table, subnet in zip(ours.tables, ours.subnets, strict=True)
    ]
    memory = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{ours.memory}"
    for policy in role_policies(
        variant, region=REGION, homes=homes, topic=ours.topic, memory=memory
    ):
        iam.put_role_policy(
            RoleName="any", PolicyName="Failover", PolicyDocument=json.dumps(policy)
        )
    with guarded(Permissions(SIMULATOR), {KEY: Caller(role, "any-function")}) as client:
        yield client


def _clients(client: Client, threads: Executor, things: Things) -> Clients:
    return Clients(
        ec2=client("ec2", KEY),
        autoscaling=client("autoscaling", KEY),
        memory=Memory(client=client("dynamodb", KEY), table=things.memory),
        threads=threads,
    )


def carried_out(client: Client, region: Region, things: Things) -> dict[Action, str]:
    """Make every write on a stack's things, one after the other; return AWS's errors."""
    attach(region, things)
    with ThreadPoolExecutor(1) as threads:
        clients = _clients(client, threads, things)
        results = apply(clients, writes_to(things))
    return {result.write: result.error or "" for result in results}


def associations_of(region: Region, things: Things) -> set[str]:
    """Return the associations that EC2 shows for a stack's tables."""
    reply = region.client("ec2").describe_route_tables(RouteTableIds=list(things.tables))
    rows = [row for table in reply["RouteTables"] for row in table["Associations"]]
    return {row["RouteTableAssociationId"] for row in rows}


@pytest.mark.parametrize("variant", ["default", "swap-route-table"])
def test_role_allows_what_its_strategy_writes_to_its_own_stack(
    client: Client, region: Region, ours: Things, variant: str
) -> None:
    """Only the settings that need a write allow it; every kind is tried."""
    errors = carried_out(client, region, ours)
    kinds = {kind.__name__ for kind in Action.__subclasses__()}
    assert {type(write).__name__ for write in errors} == kinds
    refused = {type(write) for write, error in errors.items() if error.startswith(REFUSED)}
    assert refused == NEVER_ASKED_FOR | (SWAPS if variant == "default" else set())


@pytest.mark.parametrize("variant", ["default", "swap-route-table"])
def test_role_refuses_every_write_to_another_stack(client: Client, region: Region) -> None:
    """Other tables, subnets and tags; what is refused is not done."""
    theirs = things_of(region, "Other")
    errors = carried_out(client, region, theirs)
    assert [error for error in errors.values() if not error.startswith(REFUSED)] == []
    assert eventually(region, lambda: associations_of(region, theirs) == set(theirs.associations))


@pytest.mark.parametrize("variant", ["default"])
def test_role_allows_to_look_and_to_tell(client: Client, ours: Things) -> None:
    """A look reads instances, groups and tables; news go to the stack's own topic only."""
    with ThreadPoolExecutor(3) as threads:
        clients = _clients(client, threads, ours)
        seen = observe(clients, settings_of(ours))
    assert {table.id for table in seen.tables} == set(ours.tables)
    people = client("sns", KEY)
    people.publish(TopicArn=ours.topic, Message="any")
    with pytest.raises(ClientError, match=r"\(AuthorizationError\).*Other-outcome"):
        people.publish(TopicArn=ours.topic.replace(OURS, "Other"), Message="any")


@pytest.mark.parametrize("variant", ["default"])
def test_role_allows_the_check_to_be_switched_off_where_the_nats_are_and_nothing_else(
    client: Client, region: Region, ours: Things
) -> None:
    """Neither on again, nor another attribute, nor an interface of another subnet."""
    ec2 = client("ec2", KEY)
    ec2.modify_network_interface_attribute(
        NetworkInterfaceId=ours.interface, SourceDestCheck={"Value": False}
    )
    theirs = things_of(region, "Other")
    for interface, attribute in (
        (theirs.interface, {"SourceDestCheck": {"Value": False}}),
        (ours.interface, {"SourceDestCheck": {"Value": True}}),
        (ours.interface, {"Description": {"Value": "any"}}),
        (ours.interface, {"Groups": ["sg-any"], "SourceDestCheck": {"Value": False}}),
    ):
        with pytest.raises(ClientError, match=r"\(UnauthorizedOperation\)"):
            ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, **attribute)


@pytest.mark.parametrize("variant", ["default", "swap-route-table"])
def test_association_is_not_found_when_it_is_gone(client: Client) -> None:
    """What is gone belongs to nobody: who may release some is told so, with either strategy."""
    with pytest.raises(ClientError, match=r"\(InvalidAssociationID\.NotFound\)"):
        client("ec2", KEY).disassociate_route_table(AssociationId="rtbassoc-00000000000000000")
