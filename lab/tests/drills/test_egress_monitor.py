"""What counts as egress when no NAT of the app is on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.drills.catalogue import BEHAVIOURS
from lab.drills.egress_monitor import egress_of
from lab.drills.topology import DEFAULT, Home
from lab.emulator.isolation import REGION
from lab.emulator.region import Region
from lab.emulator.time import delays

if TYPE_CHECKING:
    from typing import Any

    from lab.drills.egress_monitor import Egress

SETTLED = delays.ROUTE_TAKES_EFFECT.high + delays.NAT_GATEWAY_CREATION.high


def _table(ec2: Any, vpc: str, cidr: str) -> tuple[str, str]:  # noqa: ANN401 - a boto3 client
    """Return a new subnet and its table."""
    zone = f"{REGION}a"
    made = ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)
    subnet = str(made["Subnet"]["SubnetId"])
    table = str(ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    return subnet, table


def _gateway(ec2: Any, subnet: str, **kind: str) -> str:  # noqa: ANN401 - a boto3 client
    kind = kind or {"AllocationId": ec2.allocate_address(Domain="vpc")["AllocationId"]}
    made = ec2.create_nat_gateway(SubnetId=subnet, **kind)
    return str(made["NatGateway"]["NatGatewayId"])


def test_nat_gateway_is_a_way_out_while_it_is_available_and_public() -> None:
    """Not before, not in a subnet without a way to the internet, and not when it is deleted."""
    with Region(BEHAVIOURS) as region:
        ec2 = region.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        public, outer = _table(ec2, vpc, "10.0.0.0/24")
        private, inner = _table(ec2, vpc, "10.0.1.0/24")
        home = Home(zone=f"{REGION}a", table=inner, subnets=(private,))

        def leads_to(gateway: str, seconds: float = SETTLED) -> Egress:
            ec2.replace_route(
                RouteTableId=inner, DestinationCidrBlock=DEFAULT, NatGatewayId=gateway
            )
            region.clock.pass_time(seconds)
            return egress_of(home, region.clock.now())

        gateway = _gateway(ec2, public)
        ec2.create_route(RouteTableId=inner, DestinationCidrBlock=DEFAULT, NatGatewayId=gateway)
        assert not leads_to(gateway).works  # its subnet is not public
        igw = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=igw, VpcId=vpc)
        ec2.create_route(RouteTableId=outer, DestinationCidrBlock=DEFAULT, GatewayId=igw)
        way = leads_to(gateway)
        assert (way.works, way.through, way.zone) == (True, gateway, None)

        assert not leads_to(_gateway(ec2, public), 5).works  # it is pending
        assert not leads_to(_gateway(ec2, public, ConnectivityType="private")).works
        assert leads_to(gateway).works
        ec2.delete_nat_gateway(NatGatewayId=gateway)
        assert not egress_of(home, region.clock.now()).works
