"""A VPC that was there before the stack, as people have them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lab.drills.topology import DEFAULT
from lab.emulator.isolation import REGION

if TYPE_CHECKING:
    from lab.emulator.region import Region

MORE = "100.64.0.0/16"


@dataclass
class TheirVpc:
    """A VPC of somebody else's: public subnets in zones a and b, private tables of many kinds."""

    region: Region
    tables: dict[str, str] = field(default_factory=dict)
    public: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ec2: Any = self.region.client("ec2")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
        self.ec2.associate_vpc_cidr_block(VpcId=self.vpc, CidrBlock=MORE)
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        self.public_table = self.table("public", GatewayId=gateway)
        self.public = [
            self.subnet("a", "10.7.0.0/24", self.public_table),
            self.subnet("b", "10.7.1.0/24", self.public_table),
        ]

    def table(self, name: str, **default: str) -> str:
        """Make a route table, perhaps with a default route."""
        made = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        if default:
            self.ec2.create_route(RouteTableId=made, DestinationCidrBlock=DEFAULT, **default)
        else:
            self.tables[name] = made
        return str(made)

    def subnet(self, letter: str, cidr: str, table: str | None) -> str:
        """Make a subnet that uses a table, or else the main one."""
        zone = f"{REGION}{letter}"
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr, AvailabilityZone=zone)
        subnet = made["Subnet"]["SubnetId"]
        if table:
            self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return str(subnet)

    def main(self) -> str:
        """Return the main table."""
        rows = [
            {"Name": "vpc-id", "Values": [self.vpc]},
            {"Name": "association.main", "Values": ["true"]},
        ]
        (table,) = self.ec2.describe_route_tables(Filters=rows)["RouteTables"]
        return str(table["RouteTableId"])

    def routes(self) -> dict[str, list[str]]:
        """Return what each table leads to besides its default route, by table."""
        rows = [{"Name": "vpc-id", "Values": [self.vpc]}]
        return {
            table["RouteTableId"]: sorted(
                str(route)
                for route in table["Routes"]
                if route.get("DestinationCidrBlock") != DEFAULT
            )
            for table in self.ec2.describe_route_tables(Filters=rows)["RouteTables"]
        }

    def defaults(self) -> dict[str, str | None]:
        """Return the state of each private table's default route, None where there is none."""
        found = self.ec2.describe_route_tables(RouteTableIds=list(self.tables.values()))
        return {
            table["RouteTableId"]: next(
                (r["State"] for r in table["Routes"] if r.get("DestinationCidrBlock") == DEFAULT),
                None,
            )
            for table in found["RouteTables"]
        }

    def network(self, **others: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Return the settings that name the VPC."""
        return {
            "vpc": self.vpc,
            "cidr": "10.7.0.0/16",
            "additional_cidrs": [MORE],
            "public_subnets": self.public,
            "route_tables": list(self.tables.values()),
            **others,
        }


def full_vpc(region: Region) -> TheirVpc:
    """Return a VPC with tables of one zone, of two, of one without NATs, and the main one."""
    vpc = TheirVpc(region)
    for letter, number in (("a", 10), ("b", 20)):
        table = vpc.table(letter)
        vpc.subnet(letter, f"10.7.{number}.0/24", table)
        vpc.subnet(letter, f"10.7.{number + 1}.0/24", table)
    vpc.subnet("a", "100.64.1.0/24", vpc.table("second of a, other addresses"))
    both = vpc.table("of two zones")
    vpc.subnet("a", "10.7.30.0/24", both)
    vpc.subnet("b", "10.7.31.0/24", both)
    vpc.subnet("c", "10.7.40.0/24", vpc.table("of a zone without NATs"))
    vpc.subnet("b", "10.7.50.0/24", None)
    vpc.tables["main"] = vpc.main()
    gateway = vpc.ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    for table in vpc.tables.values():
        vpc.ec2.create_route(
            RouteTableId=table, DestinationCidrBlock="192.168.0.0/16", GatewayId=gateway
        )
    region.clock.pass_time(60)  # until reads show all of it
    return vpc


def context(network: dict[str, Any]) -> tuple[str, ...]:
    """Return the context that deploys into a VPC."""
    return (f"nat={json.dumps({'network': network})}",)
