"""A network that the stack did not make: its subnets are observed, and its own word is checked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from nat_failover.contract import HomeTable
from tests.aws import messages
from tests.aws.conftest import SHORT

if TYPE_CHECKING:
    from collections.abc import Callable

    from nat_failover.contract import Settings
    from tests.aws.cloudformation import CloudFormation
    from tests.aws.conftest import Deploy
    from tests.aws.region import Region

CIDRS = ["10.0.0.0/16"]
NOWHERE = "subnet-00000000000000000"


def named_by_ids(region: Region, *more: str) -> Settings:
    """Return what the function is told of private tables that were there before the stack."""
    ids = (*(home.table for home in region.homes.values()), *more)
    return replace(region.settings, tables=tuple(HomeTable(id=id_) for id_ in ids))


def table_of(region: Region, *subnets: str) -> str:
    """Make a route table for subnets; return its id."""
    table = region.ec2.create_route_table(VpcId=region.vpc)["RouteTable"]["RouteTableId"]
    for subnet in subnets:
        region.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    return table


def main_table(region: Region) -> str:
    """Return the VPC's main table."""
    rows = region.ec2.describe_route_tables(
        Filters=[
            {"Name": "vpc-id", "Values": [region.vpc]},
            {"Name": "association.main", "Values": ["true"]},
        ]
    )
    return rows["RouteTables"][0]["RouteTableId"]


def nat_of(region: Region, table: str) -> str | None:
    """Return the instance to which a table leads."""
    (answer,) = region.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
    return next((r["InstanceId"] for r in answer["Routes"] if r.get("InstanceId")), None)


def test_tables_fail_over_and_back_by_the_zones_of_the_subnets_that_use_them(
    region: Region, deploy: Deploy
) -> None:
    """As those that the stack made: notifications name zone and subnets."""
    function = deploy(named_by_ids(region))
    private = region.homes["a"].private[0]
    dead = region.nats["a"]
    region.kill(dead)
    function(messages.SWEEP)
    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    ((subject, text),) = region.notifications()
    assert "(eu-west-1a)" in subject
    assert f"of eu-west-1a ({private}) to" in text

    region.replace(dead)
    function(messages.SWEEP)
    region.settle()
    function(messages.SWEEP)

    assert region.served_by() == {"a": region.nats["a"], "b": region.nats["b"]}


def test_several_subnets_and_tables_of_a_zone_are_served(region: Region, deploy: Deploy) -> None:
    """By the zone's NAT; a subnet that joins a table is served from then on."""
    second = table_of(region, region.subnet("eu-west-1a"), region.subnet("eu-west-1a"))
    joined = region.subnet("eu-west-1b")
    region.ec2.associate_route_table(RouteTableId=region.homes["b"].table, SubnetId=joined)

    deploy(named_by_ids(region, second))(messages.SWEEP)

    assert nat_of(region, second) == region.nats["a"]
    assert region.notifications() == []


def test_table_with_subnets_in_several_zones_never_fails_back(
    region: Region, deploy: Deploy
) -> None:
    """Any usable NAT serves it, and a dead one's replacement does not get it back."""
    shared = table_of(region, region.subnet("eu-west-1a"), region.subnet("eu-west-1b"))
    function = deploy(named_by_ids(region, shared))
    function(messages.SWEEP)
    first = nat_of(region, shared)
    table = next(table for table, nat in region.nats.items() if nat == first)
    other = region.nats["b" if table == "a" else "a"]
    region.kill(str(first))
    function(messages.SWEEP)
    assert nat_of(region, shared) == other

    region.replace(str(first))
    function(messages.SWEEP)
    region.settle()
    returned = function(messages.SWEEP)

    (decision,) = [row for row in returned["now"] if row.get("table") == shared]
    assert (decision["verdict"], decision["nat"]) == ("keep", other)
    assert decision["zone"] == "eu-west-1a and eu-west-1b"
    assert region.served_by()[table] == region.nats[table]


def test_table_of_a_zone_without_nats_gets_one_and_nobody_is_told(
    region: Region, deploy: Deploy
) -> None:
    """It has no home that it could have lost."""
    lonely = table_of(region, region.subnet("eu-west-1c"))
    function = deploy(named_by_ids(region, lonely))

    returned = function(messages.SWEEP)
    function(messages.SWEEP)

    assert nat_of(region, lonely) in region.nats.values()
    (decision,) = [row for row in returned["decided"] if row.get("table") == lonely]
    assert decision["reason"] == (
        "there is no default route; it has no home, and any usable NAT serves it"
    )
    assert region.notifications() == []


def test_subnets_on_the_main_table_are_served_when_it_is_named(
    region: Region, deploy: Deploy
) -> None:
    """They have no association."""
    main, subnet = main_table(region), region.subnet("eu-west-1b")
    function = deploy(named_by_ids(region, main))
    region.kill(region.nats["b"])
    region.leave_group(region.nats["b"])

    function(messages.SWEEP)
    assert nat_of(region, main) == region.nats["a"]
    texts = [text for _, text in region.notifications()]
    assert [f"{main} of eu-west-1b ({subnet})" in text for text in texts] == [True]


def test_other_routes_of_a_table_stay_as_they_are(region: Region, deploy: Deploy) -> None:
    """A peering's and a gateway's are nobody's default."""
    gateway = region.ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    table = table_of(region, region.subnet("eu-west-1a"))
    region.ec2.create_route(
        RouteTableId=table, DestinationCidrBlock="192.168.0.0/16", GatewayId=gateway
    )

    deploy(named_by_ids(region, table))(messages.SWEEP)

    (answer,) = region.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
    routes = {r["DestinationCidrBlock"]: r.get("GatewayId") for r in answer["Routes"]}
    assert routes == {"10.0.0.0/16": "local", "192.168.0.0/16": gateway, "0.0.0.0/0": None}


def test_halves_of_the_internet_are_left_alone_and_told(region: Region, deploy: Deploy) -> None:
    """They win over any default route, so that a NAT would get nothing."""
    gateway = region.ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    table = table_of(region, region.subnet("eu-west-1a"))
    for half in ("0.0.0.0/1", "128.0.0.0/1"):
        region.ec2.create_route(RouteTableId=table, DestinationCidrBlock=half, GatewayId=gateway)

    deploy(named_by_ids(region, table))(messages.SWEEP)

    assert nat_of(region, table) is None
    ((_, text),) = region.notifications()
    assert "more specific routes than the default cover every address" in text


def test_nothing_is_written_when_subnets_cannot_be_read(region: Region, deploy: Deploy) -> None:
    """Without them nobody knows whose home a table is."""
    function = deploy(named_by_ids(region))
    function.wire.fail("DescribeSubnets", "UnauthorizedOperation")
    region.kill(region.nats["a"])

    returned = function(messages.SWEEP, seconds=SHORT)

    assert "UnauthorizedOperation" in returned["failure"]
    assert function.wire.writes == []


def test_deletion_leaves_the_tables_without_a_default_route(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """As they were: nothing is left that would lead to a NAT that is not there any more.

    One that leads elsewhere by now is somebody else's, and no later sweep brings a route back.
    """
    gateway = region.ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    region.point("b", GatewayId=gateway)
    function = deploy(named_by_ids(region))

    function(messages.deployment("Delete", cloudformation.url))
    function(messages.SWEEP)

    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]
    assert region.default_route("a") is None
    theirs = region.default_route("b")
    assert theirs is not None
    assert theirs["GatewayId"] == gateway


# --- What a deployment is told ------------------------------------------------------------------


@pytest.fixture
def check(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> Callable[..., dict[str, Any]]:
    """Return a callable that has CloudFormation ask of a network; it returns the answer."""

    def ask(*more: str, named: Settings | None = None, **given: list[str]) -> dict[str, Any]:
        function = deploy(named or named_by_ids(region, *more))
        public = [home.public for home in region.homes.values()]
        function(
            messages.network(
                cloudformation.url, **{"Cidrs": CIDRS, "PublicSubnets": public, **given}
            )
        )
        assert function.wire.writes == []
        return cloudformation.answers[-1]

    return ask


def test_network_is_accepted_when_it_is_as_it_was_named(
    check: Callable[..., dict[str, Any]],
) -> None:
    """Nothing is written by the question."""
    assert check()["Status"] == "SUCCESS"


def test_leaving_the_check_needs_nothing(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """A stack is deleted whatever has become of the network."""
    function = deploy(named_by_ids(region))
    function({**messages.network(cloudformation.url), "RequestType": "Delete"})
    assert function.wire.calls == []
    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]


def test_every_mistake_has_a_sentence_of_its_own(
    region: Region, check: Callable[..., dict[str, Any]]
) -> None:
    """All of them come at once, with what is there and how to mend it."""
    private, other = region.homes["a"].private[0], region.subnet("eu-west-1b")
    answer = check("rtb-0", region.public, PublicSubnets=[private, other, NOWHERE])
    home, main, vpc = region.homes["a"].table, main_table(region), region.vpc
    (gateway,) = (g["InternetGatewayId"] for g in _gateways(region))
    expected = {
        f"rtb-0 is not a route table of {vpc}: name one that is",
        (
            f"{region.public} leads to the internet gateway {gateway}, so it is the table of public"
            " subnets: name tables of private ones"
        ),
        (
            f"{private}, in which NATs are to be, uses {home}, which is to lead to them: give it a"
            " table of its own that leads to an internet gateway"
        ),
        (
            f"no route leads from {other}, in which NATs are to be, to the internet: add one to an"
            f" internet gateway to {main}"
        ),
        f"{NOWHERE} is not a subnet of {vpc}: name one that is",
    }
    assert answer["Status"] == "FAILED"
    assert set(answer["Reason"].split("; ")) == expected


def _gateways(region: Region) -> list[Any]:
    answer = region.ec2.describe_internet_gateways(
        Filters=[{"Name": "attachment.vpc-id", "Values": [region.vpc]}]
    )
    return list(answer["InternetGateways"])


def test_networks_are_compared_with_those_of_the_vpc(
    region: Region, check: Callable[..., dict[str, Any]]
) -> None:
    """Whatever order they are named in; one that is missing, or too many, is told."""
    region.ec2.associate_vpc_cidr_block(VpcId=region.vpc, CidrBlock="100.64.0.0/16")
    both = ["100.64.0.0/16", *CIDRS]
    assert check(Cidrs=both)["Status"] == "SUCCESS"
    assert check()["Reason"] == (
        f"{region.vpc} has the IPv4 networks 10.0.0.0/16, 100.64.0.0/16, but 10.0.0.0/16 is named:"
        " name all that it has, since hosts of no other may use the NATs"
    )


def test_network_that_the_vpc_had_is_none_that_it_has(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """EC2 shows one that was disassociated for a while."""
    function = deploy(named_by_ids(region))

    def gone(answer: dict[str, Any]) -> None:
        block = {"CidrBlock": "100.64.0.0/16", "CidrBlockState": {"State": "disassociated"}}
        for vpc in answer["Vpcs"]:
            vpc["CidrBlockAssociationSet"].append(block)

    function.wire.edit("DescribeVpcs", gone)
    function(messages.network(cloudformation.url, Cidrs=CIDRS))
    assert cloudformation.answers[-1]["Status"] == "SUCCESS"


def test_vpc_that_is_not_there_is_told_alone(
    region: Region, check: Callable[..., dict[str, Any]]
) -> None:
    """Nothing else of it can be known."""
    elsewhere = replace(named_by_ids(region), vpc="vpc-00000000000000000")
    assert check(named=elsewhere)["Reason"] == (
        "vpc-00000000000000000 is not a VPC of account 123456789012 in eu-west-1: name one that is"
    )


def test_shared_vpc_is_refused(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """Its participants see it and may not write its routes."""
    function = deploy(named_by_ids(region))

    def shared(answer: dict[str, Any]) -> None:
        for vpc in answer["Vpcs"]:
            vpc["OwnerId"] = "210987654321"

    function.wire.edit("DescribeVpcs", shared)
    function(messages.network(cloudformation.url, Cidrs=CIDRS))
    assert cloudformation.answers[-1]["Reason"] == (
        f"{region.vpc} is shared by account 210987654321, and only its owner may write routes in"
        " it: deploy into that account"
    )


def test_served_network_needs_a_way_back(
    region: Region, check: Callable[..., dict[str, Any]]
) -> None:
    """The route to the internet gateway is none; one to a gateway of a part of it is not enough."""
    served = {"ServedCidrs": ["172.16.0.0/16"]}
    reasons = check(**served)["Reason"].split("; ")
    assert reasons == [
        f"no route leads back from {home.public} to 172.16.0.0/16, which the NATs are to serve: add"
        f" one to {region.public}, to the transit gateway that it is behind"
        for home in region.homes.values()
    ]
    gateway = region.ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    for part, status in (("172.16.0.0/17", "FAILED"), ("172.16.128.0/17", "SUCCESS")):
        region.ec2.create_route(
            RouteTableId=region.public, DestinationCidrBlock=part, TransitGatewayId=gateway
        )
        assert check(**served)["Status"] == status


def test_way_back_may_be_in_a_prefix_list(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """What a list holds is not read, so nobody is refused for it."""
    function = deploy(named_by_ids(region))

    def listed(answer: dict[str, Any]) -> None:
        for table in answer["RouteTables"]:
            route = {"DestinationPrefixListId": "pl-any", "TransitGatewayId": "tgw-any"}
            table["Routes"].append({**route, "State": "active"})

    function.wire.edit("DescribeRouteTables", listed)
    public = [home.public for home in region.homes.values()]
    function(
        messages.network(
            cloudformation.url, Cidrs=CIDRS, PublicSubnets=public, ServedCidrs=["172.16.0.0/16"]
        )
    )
    assert cloudformation.answers[-1]["Status"] == "SUCCESS"


def test_served_network_is_not_reached_by_a_peering(
    region: Region, check: Callable[..., dict[str, Any]]
) -> None:
    """A peering leads nobody to the NATs of the other VPC."""
    other = region.ec2.create_vpc(CidrBlock="172.16.0.0/16")["Vpc"]["VpcId"]
    made = region.ec2.create_vpc_peering_connection(VpcId=region.vpc, PeerVpcId=other)
    peering = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    region.ec2.create_route(
        RouteTableId=region.public,
        DestinationCidrBlock="172.16.0.0/16",
        VpcPeeringConnectionId=peering,
    )
    assert "leads back" in check(ServedCidrs=["172.16.0.0/16"])["Reason"]


def test_reads_that_fail_are_told_as_they_failed(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """What cannot be checked is not accepted."""
    function = deploy(named_by_ids(region))
    function.wire.fail("DescribeNetworkAcls", "UnauthorizedOperation")
    function(messages.network(cloudformation.url, Cidrs=CIDRS), seconds=SHORT)
    assert cloudformation.answers[-1]["Status"] == "FAILED"
    assert "UnauthorizedOperation" in cloudformation.answers[-1]["Reason"]


ANYWHERE = "0.0.0.0/0"
ALL = {"Protocol": "-1", "CidrBlock": ANYWHERE}
EPHEMERAL = {"Protocol": "6", "CidrBlock": ANYWHERE, "PortRange": {"From": 1024, "To": 65535}}
HTTPS = {"Protocol": "6", "CidrBlock": ANYWHERE, "PortRange": {"From": 443, "To": 443}}
OF_THE_VPC = {"Protocol": "-1", "CidrBlock": "10.0.0.0/16"}
UDP = {"Protocol": "17", "CidrBlock": ANYWHERE}


@pytest.mark.parametrize(
    ("inbound", "outbound", "blocked"),
    [
        ([("allow", ALL)], [("allow", ALL)], set()),
        (
            [("allow", EPHEMERAL), ("allow", OF_THE_VPC)],
            [("allow", HTTPS), ("allow", OF_THE_VPC)],
            set(),
        ),
        ([("deny", UDP), ("allow", ALL)], [("allow", ALL)], {"from OTHER by UDP"}),
        ([("allow", ALL)], [("deny", UDP), ("allow", ALL)], {"to OTHER by UDP"}),
        ([("allow", OF_THE_VPC)], [("allow", ALL)], {"from the internet to TCP"}),
        ([("allow", EPHEMERAL)], [("allow", ALL)], {"from OTHER by UDP"}),
        ([("allow", ALL)], [("allow", OF_THE_VPC)], {"to the internet by TCP 443"}),
        (
            [("allow", ALL)],
            [("allow", HTTPS)],
            {"to 10.0.0.0/16 by TCP to ports 1024 to 65535", "to OTHER by UDP"},
        ),
        (
            [("deny", OF_THE_VPC), ("allow", ALL)],
            [("allow", ALL)],
            {"from 10.0.0.0/16 by TCP", "from OTHER by UDP"},
        ),
    ],
)
def test_network_acl_that_lets_a_nat_not_work_is_told(
    region: Region,
    check: Callable[..., dict[str, Any]],
    inbound: list[tuple[Any, dict[str, Any]]],
    outbound: list[tuple[Any, dict[str, Any]]],
    blocked: set[str],
) -> None:
    """By what it blocks for certain; the rule with the lowest number decides."""
    acl = _network_acl(region, inbound, outbound)
    here, there = region.homes["a"].public, region.homes["b"].public
    _give_acl(region, acl, here)
    reasons = check()["Reason"].split("; ")
    found = {r.split(" lets nothing pass ")[1] for r in reasons if acl in r}
    wanted = {what.replace("OTHER", f"{there}, where other NATs are,") for what in blocked}
    assert len(wanted) == len(found)
    assert all(any(one.startswith(what) for one in found) for what in wanted)


def test_network_acl_may_block_what_only_the_watch_needs(
    region: Region, check: Callable[..., dict[str, Any]]
) -> None:
    """Without it the NATs say nothing to each other."""
    rules: list[tuple[Any, dict[str, Any]]] = [("deny", UDP), ("allow", ALL)]
    acl = _network_acl(region, rules, rules)
    _give_acl(region, acl, region.homes["a"].public)
    assert check()["Status"] == "FAILED"
    assert check(named=replace(named_by_ids(region), watch=False))["Status"] == "SUCCESS"


def _network_acl(
    region: Region,
    inbound: list[tuple[Any, dict[str, Any]]],
    outbound: list[tuple[Any, dict[str, Any]]],
) -> str:
    """Make a network ACL of these rules, the first of which is asked first."""
    acl = region.ec2.create_network_acl(VpcId=region.vpc)["NetworkAcl"]["NetworkAclId"]
    for egress, rules in ((False, inbound), (True, outbound)):
        for number, (action, rule) in enumerate(rules, start=1):
            region.ec2.create_network_acl_entry(
                NetworkAclId=acl, RuleNumber=number, RuleAction=action, Egress=egress, **rule
            )
    return acl


def _give_acl(region: Region, acl: str, subnet: str) -> None:
    """Let a subnet have another network ACL."""
    rows = region.ec2.describe_network_acls(
        Filters=[{"Name": "association.subnet-id", "Values": [subnet]}]
    )["NetworkAcls"]
    (used,) = [row for row in rows[0]["Associations"] if row["SubnetId"] == subnet]
    region.ec2.replace_network_acl_association(
        AssociationId=used["NetworkAclAssociationId"], NetworkAclId=acl
    )


def test_nats_behind_a_nat_gateway_or_in_one_zone_are_refused(
    region: Region, check: Callable[..., dict[str, Any]]
) -> None:
    """The subnet of the one is private, and the others would be lost together."""
    public = [home.public for home in region.homes.values()]
    astray, twin = region.subnet("eu-west-1c"), region.subnet("eu-west-1a")
    address = region.ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = region.ec2.create_nat_gateway(SubnetId=public[0], AllocationId=address)
    gateway = made["NatGateway"]["NatGatewayId"]
    table = table_of(region, astray)
    region.ec2.create_route(
        RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateway
    )
    region.ec2.associate_route_table(RouteTableId=region.public, SubnetId=twin)

    answer = check(PublicSubnets=[*public, astray, twin])

    assert set(answer["Reason"].split("; ")) == {
        (
            f"{astray}, in which NATs are to be, is private: {table} leads to the NAT gateway"
            f" {gateway}: name a subnet whose table leads to an internet gateway"
        ),
        (
            f"{public[0]} and {twin}, in which NATs are to be, are both in eu-west-1a: name"
            " subnets of different zones, or its failure takes several NATs"
        ),
    }
