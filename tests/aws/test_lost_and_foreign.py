"""Subnets, tables, routes and instances that are lost, foreign or doubled, against the AWS API."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from nat_failover.actions import DEFAULT_ROUTE_CIDR
from nat_failover.contract import FLEET_TAG, Strategy
from tests.aws import messages
from tests.aws.conftest import at_rest
from tests.aws.region import Region

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.aws.conftest import Deploy, Function


ALL_BUT_PRIVATE = (
    *("0.0.0.0/5", "8.0.0.0/7", "11.0.0.0/8", "12.0.0.0/6", "16.0.0.0/4", "32.0.0.0/3"),
    *("64.0.0.0/2", "128.0.0.0/1"),
)
"""Everything but 10.0.0.0/8."""


@pytest.fixture
def swapping(region: Region, deploy: Deploy) -> Function:
    """Return the function with the strategy that moves subnets."""
    return deploy(replace(region.settings, strategy=Strategy.SWAP_ROUTE_TABLE))


def _disassociate(region: Region, table: str) -> str:
    """Take a table's subnet out of it, as a person does; return the subnet."""
    subnet, association = min(region.associations(table).items())
    region.ec2.disassociate_route_table(AssociationId=association)
    return subnet


def _now(returned: dict[str, Any], **subject: str) -> dict[str, Any]:
    """Return what the run's last observation led to for one table or subnet."""
    rows: list[dict[str, Any]] = returned["now"]
    return next(row for row in rows if subject.items() <= row.items())


def _internet_gateway(region: Region) -> str:
    gateway = region.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    region.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=region.vpc)
    return gateway


def test_subnet_that_is_in_no_table_is_associated_again(region: Region, swapping: Function) -> None:
    """It fell to the VPC's main table, which leads nowhere."""
    subnet = _disassociate(region, "a")

    returned = swapping(messages.SWEEP)

    assert swapping.wire.written() == ["AssociateRouteTable"]
    assert subnet in region.associations("a")
    assert returned["failure"] is None


def test_subnet_that_is_in_no_table_is_reported_when_the_strategy_may_not_associate_it(
    region: Region, function: Function, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    """Nothing is written, and it counts as without egress."""
    subnet = _disassociate(region, "a")

    returned = function(messages.SWEEP)

    assert function.wire.writes == []
    assert _now(returned, subnet=subnet)["verdict"] == "no egress"
    assert [line["NoEgress"] for line in logged() if line["message"] == "run"] == [1]


def test_subnet_that_is_in_no_table_gets_another_one_when_aws_refuses_its_own(
    region: Region, swapping: Function
) -> None:
    """Within the run, so that it has internet; it fails back in a later one."""
    (subnet,) = region.homes["a"].private
    (association,) = region.associations("a").values()
    region.ec2.disassociate_route_table(AssociationId=association)
    swapping.wire.fail(
        "AssociateRouteTable", "UnauthorizedOperation", mentions=region.homes["a"].table
    )

    returned = swapping(messages.SWEEP)

    assert subnet in region.associations("b")
    assert returned["failure"] == "AWS refused a write; UnauthorizedOperation: any words of AWS"


def test_other_zones_are_repaired_when_a_private_table_was_deleted(
    region: Region, function: Function
) -> None:
    """The missing table is reported, and its subnet with it."""
    subnet = _disassociate(region, "a")
    region.ec2.delete_route_table(RouteTableId=region.homes["a"].table)
    region.kill(region.nats["b"])

    returned = function(messages.SWEEP)

    route = region.default_route("b")
    assert route
    assert route["InstanceId"] == region.nats["a"]
    assert _now(returned, table=region.homes["a"].table)["verdict"] == "missing"
    assert _now(returned, subnet=subnet)["verdict"] == "no egress"


def test_subnet_gets_another_table_when_its_own_was_deleted(
    region: Region, swapping: Function
) -> None:
    """With the strategy that moves subnets, a deleted table costs nobody the internet."""
    subnet = _disassociate(region, "a")
    region.ec2.delete_route_table(RouteTableId=region.homes["a"].table)

    returned = swapping(messages.SWEEP)

    assert subnet in region.associations("b")
    assert returned["failure"] is None


@pytest.mark.parametrize("adopt", [False, True])
def test_subnet_leaves_a_foreign_table_with_adopt_only(
    region: Region, deploy: Deploy, *, adopt: bool
) -> None:
    """Somebody put it there, so it is reported."""
    settings = replace(region.settings, strategy=Strategy.SWAP_ROUTE_TABLE, adopt=adopt)
    function = deploy(settings)
    table = region.ec2.create_route_table(VpcId=region.vpc)["RouteTable"]["RouteTableId"]
    subnet, association = min(region.associations("a").items())
    region.ec2.replace_route_table_association(AssociationId=association, RouteTableId=table)

    returned = function(messages.SWEEP)

    assert (subnet in region.associations("a")) == adopt
    if not adopt:
        assert function.wire.writes == []
        assert _now(returned, subnet=subnet)["verdict"] == "not ours"


def test_table_leaves_a_nat_that_lost_its_public_address(
    region: Region, function: Function
) -> None:
    """Nothing that it forwards would come back, though it runs and passes every check."""
    nat = region.nats["a"]

    def take_away(answer: Any) -> None:  # noqa: ANN401 - a parsed answer
        for reservation in answer["Reservations"]:
            for instance in reservation["Instances"]:
                if instance["InstanceId"] == nat:
                    del instance["PublicIpAddress"]

    function.wire.edit("DescribeInstances", take_away)

    function(messages.SWEEP)

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}


@pytest.mark.parametrize("leads", ["nowhere", "into a blackhole", "to a NAT"])
def test_table_leaves_a_nat_whose_subnet_has_no_way_out(
    leads: str, region: Region, function: Function
) -> None:
    """Its routes say so; the other NAT serves until they are as they were."""
    table = region.homes["b"].table
    if leads != "to a NAT":
        table = region.ec2.create_route_table(VpcId=region.vpc)["RouteTable"]["RouteTableId"]
    if leads == "into a blackhole":
        region.ec2.create_route(
            RouteTableId=table,
            DestinationCidrBlock=DEFAULT_ROUTE_CIDR,
            NatGatewayId="nat-0123456789abcdef0",
        )
        function.wire.edit("DescribeRouteTables", _blackhole(table))
    region.use(table, region.homes["a"].public)

    returned = function(messages.SWEEP)

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    sick = {nat["nat"]: nat["reason"] for nat in returned["saw"] if nat["health"] == "sick"}
    assert sick == {region.nats["a"]: "no route leads from its subnet to the internet"}


def _blackhole(table: str) -> Callable[[Any], None]:
    """Return what lets every written route of a table lead nowhere in an answer."""

    def edit(answer: Any) -> None:  # noqa: ANN401 - a parsed answer
        for row in answer["RouteTables"]:
            for route in row["Routes"]:
                if row["RouteTableId"] == table and route["Origin"] == "CreateRoute":
                    route["State"] = "blackhole"

    return edit


def test_deployment_waits_when_a_private_table_uses_an_internet_gateway(
    region: Region, function: Function, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    """No private host gets out by it, so the subnet is not served, and the route is left alone."""
    region.point("a", GatewayId=_internet_gateway(region))

    returned = function(messages.SWEEP)

    assert function.wire.writes == []
    row = _now(returned, table=region.homes["a"].table)
    assert row["verdict"] == "not ours"
    assert row["reason"].endswith("and no way out for a host without a public address")
    assert [line["NoEgress"] for line in logged() if line["message"] == "run"] == [1]


@pytest.mark.parametrize(
    ("state", "target", "cut"),
    [
        ("active", {"NatGatewayId": "nat-any"}, 0),
        ("active", {"GatewayId": "igw-any"}, 1),
        ("blackhole", {"NatGatewayId": "nat-any"}, 1),
    ],
)
@pytest.mark.parametrize(
    "cidrs",
    [
        ("0.0.0.0/1", "128.0.0.0/1"),
        ("0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3"),
        ALL_BUT_PRIVATE,
    ],
)
def test_routes_that_cover_the_internet_are_reported(  # noqa: PLR0913, PLR0917 - fixtures and rows
    cidrs: tuple[str, ...],
    state: str,
    target: dict[str, str],
    cut: int,
    region: Region,
    function: Function,
    logged: Callable[[], list[dict[str, Any]]],
) -> None:
    """Multicast and private networks may be missing; what leads nowhere is no way out."""
    routes = [{"DestinationCidrBlock": cidr, "State": state, **target} for cidr in cidrs]
    function.wire.edit("DescribeRouteTables", _with_routes(region, *routes))

    returned = function(messages.SWEEP)

    assert function.wire.writes == []
    assert _now(returned, table=region.homes["a"].table)["verdict"] == "not ours"
    assert [line["NoEgress"] for line in logged() if line["message"] == "run"] == [cut]


def test_route_to_another_interface_of_a_nat_is_repaired(
    region: Region, function: Function
) -> None:
    """That interface forwards nothing: its check is on."""
    nat = region.nats["a"]
    beside = {
        "DestinationCidrBlock": DEFAULT_ROUTE_CIDR,
        "NetworkInterfaceId": "eni-any",
        "InstanceId": nat,
    }
    function.wire.edit(
        "DescribeRouteTables", _with_routes(region, {**beside, "State": "active"}, instead=True)
    )

    function(messages.SWEEP)

    assert {
        (call.operation, call.parameters["NetworkInterfaceId"]) for call in function.wire.writes
    } == {("ReplaceRoute", region.interface(nat))}


def test_routes_that_are_filtered_count_for_nothing(region: Region, function: Function) -> None:
    """EC2 shows what a route server advertises and it does not install (RouteState)."""
    table = region.homes["a"].table

    def filtered(answer: Any) -> None:  # noqa: ANN401 - a parsed answer
        (row,) = [row for row in answer["RouteTables"] if row["RouteTableId"] == table]
        row["Routes"] += [
            {"DestinationCidrBlock": half, "State": "filtered", "Origin": "Advertisement"}
            for half in ("0.0.0.0/1", "128.0.0.0/1")
        ]

    function.wire.edit("DescribeRouteTables", filtered)
    region.kill(region.nats["a"])

    function(messages.SWEEP)

    assert region.served_by()["a"] == region.nats["b"]


def test_public_subnet_that_a_lag_shows_in_two_tables_counts_as_in_the_better_one(
    region: Region, function: Function
) -> None:
    """Nothing moves for a moment in which EC2 shows both."""
    empty = region.ec2.create_route_table(VpcId=region.vpc)["RouteTable"]["RouteTableId"]
    region.ec2.associate_route_table(RouteTableId=empty, SubnetId=region.subnet("eu-west-1a"))

    def twice(answer: Any) -> None:  # noqa: ANN401 - a parsed answer
        (row,) = [row for row in answer["RouteTables"] if row["RouteTableId"] == empty]
        row["Associations"][0]["SubnetId"] = region.homes["a"].public

    function.wire.edit("DescribeRouteTables", twice)

    returned = function(messages.SWEEP)

    assert {nat["health"] for nat in returned["saw"]} == {"usable"}
    assert function.wire.writes == []


def test_route_of_a_route_server_is_left_alone(region: Region, function: Function) -> None:
    """It may name nothing but the next hop's address."""
    hop = {
        "DestinationCidrBlock": DEFAULT_ROUTE_CIDR,
        "IpAddress": "10.0.0.9",
        "Origin": "Advertisement",
    }
    function.wire.edit(
        "DescribeRouteTables", _with_routes(region, {**hop, "State": "active"}, instead=True)
    )

    returned = function(messages.SWEEP)

    assert function.wire.writes == []
    assert _now(returned, table=region.homes["a"].table)["verdict"] == "not ours"


def _with_routes(
    region: Region, *routes: dict[str, str], instead: bool = False
) -> Callable[[Any], None]:
    """Return what adds routes to a table in EC2's answer, or puts them in place of its default."""

    def edit(answer: Any) -> None:  # noqa: ANN401 - a parsed answer
        for table in answer["RouteTables"]:
            if table["RouteTableId"] == region.homes["a"].table:
                kept = [
                    route
                    for route in table["Routes"]
                    if not instead or route["DestinationCidrBlock"] != DEFAULT_ROUTE_CIDR
                ]
                table["Routes"] = [*kept, *routes]

    return edit


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("origin", ["EnableVgwRoutePropagation", "Advertisement"])
def test_written_route_counts_when_a_table_has_a_propagated_one_too(
    origin: str, region: Region, function: Function, *, first: bool
) -> None:
    """A dead written route is repaired, whatever the order of the answer."""
    propagated = {
        "DestinationCidrBlock": DEFAULT_ROUTE_CIDR,
        "GatewayId": "vgw-any",
        "Origin": origin,
        "State": "active",
    }

    def add(answer: dict[str, Any]) -> None:
        for table in answer["RouteTables"]:
            if table["RouteTableId"] == region.homes["a"].table:
                table["Routes"].insert(0 if first else len(table["Routes"]), propagated)

    function.wire.edit("DescribeRouteTables", add)
    region.kill(region.nats["a"])

    function(messages.SWEEP)

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}


def test_route_is_written_once_when_observations_lag_behind_it(
    region: Region, function: Function
) -> None:
    """What AWS answered is known for the rest of the run."""
    answers: list[dict[str, Any]] = []

    def lag(answer: dict[str, Any]) -> None:
        answers.append(copy.deepcopy(answer))
        answer["RouteTables"] = copy.deepcopy(answers[0]["RouteTables"])

    region.kill(region.nats["a"])
    function.wire.edit("DescribeRouteTables", lag)

    returned = function(messages.terminated(region, region.nats["a"]))

    assert function.wire.written() == ["ReplaceRoute"]
    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    assert (returned["failure"], returned["observations"]) == (None, 2)


def test_subnet_is_moved_once_when_observations_lag_behind_it(
    region: Region, swapping: Function
) -> None:
    """The same of associations."""
    answers: list[dict[str, Any]] = []

    def lag(answer: dict[str, Any]) -> None:
        answers.append(copy.deepcopy(answer))
        answer["RouteTables"] = copy.deepcopy(answers[0]["RouteTables"])

    region.kill(region.nats["a"])
    swapping.wire.edit("DescribeRouteTables", lag)

    returned = swapping(messages.terminated(region, region.nats["a"]))

    assert swapping.wire.written() == ["ReplaceRouteTableAssociation"]
    assert returned["failure"] is None


def test_instance_with_the_stacks_tag_is_left_alone_when_it_is_not_in_the_group(
    region: Region, function: Function
) -> None:
    """Anybody can write that tag; its check stays on and it gets no table."""
    made = region.ec2.run_instances(
        ImageId="ami-00000000000000000",
        SubnetId=region.homes["a"].public,
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[
            {
                "ResourceType": "instance",
                "Tags": [{"Key": FLEET_TAG, "Value": region.stack}],
            }
        ],
    )
    theirs = made["Instances"][0]["InstanceId"]
    region.kill(region.nats["a"])

    returned = function(messages.SWEEP)

    assert theirs not in {nat["nat"] for nat in returned["saw"]}
    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    written = str([call.parameters for call in function.wire.writes])
    assert made["Instances"][0]["NetworkInterfaces"][0]["NetworkInterfaceId"] not in written


def test_member_is_not_usable_when_it_is_in_another_vpc(region: Region, deploy: Deploy) -> None:
    """No route of this VPC could lead to it."""
    elsewhere = at_rest(Region(stack="other"))
    function = deploy(replace(region.settings, group=elsewhere.group))

    returned = function(messages.SWEEP)

    assert {(nat["health"], nat["reason"]) for nat in returned["saw"]} == {
        ("gone", "EC2 describes no such member in this VPC")
    }
    assert function.wire.writes == []


def test_check_goes_off_when_an_instance_has_two_interfaces(
    region: Region, function: Function
) -> None:
    """The primary interface's check counts, and it alone is switched."""
    nat = region.nats["a"]
    second = region.ec2.create_network_interface(SubnetId=region.homes["a"].public)
    interface = second["NetworkInterface"]["NetworkInterfaceId"]
    region.ec2.attach_network_interface(DeviceIndex=1, InstanceId=nat, NetworkInterfaceId=interface)
    region.check(nat, on=True)

    function(messages.SWEEP)
    region.settle()
    region.know_each_other()
    function(messages.SWEEP)

    (write,) = [
        call.parameters
        for call in function.wire.writes
        if call.operation == "ModifyNetworkInterfaceAttribute"
    ]
    assert write == {
        "NetworkInterfaceId": region.interface(nat),
        "SourceDestCheck": {"Value": False},
    }
    assert region.served_by() == region.nats
