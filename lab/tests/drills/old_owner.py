"""A VPC of somebody else's, whose private tables lead to NAT gateways and to old NAT instances.

Gateways and the routes to them are a stack's; the instances, and the routes to them, a script's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.drills.topology import DEFAULT, Home
from lab.emulator.isolation import REGION
from lab.tests.emulator.factories import deploy, interface_of
from lab.tests.emulator.stacks import resource

if TYPE_CHECKING:
    from collections.abc import Collection

    from lab.emulator.region import Region

STACK = "Old"
ZONES = "ab"

OLD, DEAD = "old", "dead"
"""The names of the tables that lead to old NAT instances, one of which is terminated."""


class OldOwner:
    """The owner of the network, as long as it wants: each change is an update of its stack."""

    def __init__(self, region: Region) -> None:
        self._region = region
        assert deploy(region, _network(), name=STACK) == "CREATE_COMPLETE"
        rows = region.client("cloudformation").describe_stack_resources(StackName=STACK)
        self._ids = {
            row["LogicalResourceId"]: str(row["PhysicalResourceId"])
            for row in rows["StackResources"]
        }
        self.tables = {zone: self._ids[f"Table{zone}"] for zone in ZONES}
        self.gateways = {zone: self._ids[f"Gateway{zone}"] for zone in ZONES}
        self._subnets = {zone: self._ids[f"Private{zone}"] for zone in ZONES}
        self.nats = {OLD: self._nat(OLD, "a", 20), DEAD: self._nat(DEAD, "b", 21)}
        region.client("ec2").terminate_instances(InstanceIds=[self.nats[DEAD]])
        zones = {OLD: "a", DEAD: "b"}
        self.homes = {
            name: Home(
                zone=f"{REGION}{zones.get(name, name)}",
                table=self.tables[name],
                subnets=(self._subnets[name],),
            )
            for name in self.tables
        }

    def _nat(self, name: str, zone: str, number: int) -> str:
        """Launch a NAT instance in a zone's public subnet, and a private subnet that uses it."""
        ec2 = self._region.client("ec2")
        where = {"VpcId": self._ids["Vpc"], "AvailabilityZone": f"{REGION}{zone}"}
        subnet = ec2.create_subnet(CidrBlock=f"10.7.{number}.0/24", **where)["Subnet"]["SubnetId"]
        table = ec2.create_route_table(VpcId=self._ids["Vpc"])["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        public = self._ids[f"Public{zone}"]
        nat = str(
            ec2.run_instances(
                ImageId="ami-00000000000000000",
                MinCount=1,
                MaxCount=1,
                NetworkInterfaces=[
                    {"DeviceIndex": 0, "SubnetId": public, "AssociatePublicIpAddress": True}
                ],
            )["Instances"][0]["InstanceId"]
        )
        ec2.modify_instance_attribute(InstanceId=nat, SourceDestCheck={"Value": False})
        self._subnets[name], self.tables[name] = str(subnet), str(table)
        ec2.create_route(
            RouteTableId=table, DestinationCidrBlock=DEFAULT, NetworkInterfaceId=self._nic(nat)
        )
        return nat

    def write_back(self) -> None:
        """Point the table of the old NAT instance there again, as its script does."""
        self._region.client("ec2").replace_route(
            RouteTableId=self.tables[OLD],
            DestinationCidrBlock=DEFAULT,
            NetworkInterfaceId=self._nic(self.nats[OLD]),
        )

    def _nic(self, nat: str) -> str:
        return interface_of(self._region, nat)

    def update(self, **changes: Any) -> None:  # noqa: ANN401 - as _network takes them
        """Change the stack."""
        done = deploy(self._region, _network(**changes), name=STACK, kind="UPDATE")
        assert done == "UPDATE_COMPLETE"

    def routes(self) -> dict[str, str | None]:
        """Return what each table's default route leads to, None where there is none."""
        described = self._region.client("ec2").describe_route_tables(
            RouteTableIds=list(self.tables.values())
        )["RouteTables"]
        found = {
            table["RouteTableId"]: route.get("NatGatewayId") or route.get("NetworkInterfaceId")
            for table in described
            for route in table["Routes"]
            if route.get("DestinationCidrBlock") == DEFAULT
        }
        return {name: found.get(id_) for name, id_ in self.tables.items()}

    def context(self, adopt: Collection[str]) -> tuple[str, ...]:
        """Return the settings with which the app serves the network and takes tables over."""
        settings = {
            "network": {
                "vpc": self._ids["Vpc"],
                "cidr": "10.7.0.0/16",
                "public_subnets": [self._ids[f"Public{zone}"] for zone in ZONES],
                "route_tables": list(self.tables.values()),
            },
            "fleet": {"max": 3},
            "failover": {"adopt": [self.tables[name] for name in adopt]},
        }
        return (f"nat={json.dumps(settings)}",)


def _network(
    policy: str | None = None,
    *,
    routes: bool = True,
    gateways: bool = True,
    crossed: bool = False,
) -> dict[str, Any]:
    """Return the stack's resources; its private routes may have a policy, or lead to other zones'.

    Without `gateways` there are neither the gateways nor their addresses.
    """
    vpc, outer = {"Ref": "Vpc"}, {"Ref": "Outer"}
    found = {
        "Vpc": resource("EC2::VPC", CidrBlock="10.7.0.0/16"),
        "Internet": resource("EC2::InternetGateway"),
        "Attachment": resource(
            "EC2::VPCGatewayAttachment", VpcId=vpc, InternetGatewayId={"Ref": "Internet"}
        ),
        "Outer": resource("EC2::RouteTable", VpcId=vpc),
        "Out": {
            **_route("Outer", GatewayId={"Ref": "Internet"}),
            "DependsOn": ["Attachment"],
        },
    }
    for number, zone in enumerate(ZONES):
        found |= _zone(zone, number, vpc, outer)
        if gateways:
            found |= _gateway(zone)
        if routes:
            target = {"Ref": f"Gateway{ZONES[1 - number] if crossed else zone}"}
            route = _route(f"Table{zone}", NatGatewayId=target)
            found[f"Route{zone}"] = route | ({"DeletionPolicy": policy} if policy else {})
    return found


def _zone(zone: str, number: int, vpc: object, outer: object) -> dict[str, Any]:
    """Return a public and a private subnet of a zone with their tables."""
    where = {"VpcId": vpc, "AvailabilityZone": f"{REGION}{zone}"}
    kind = "EC2::SubnetRouteTableAssociation"
    public, private = ({"Ref": f"{name}{zone}"} for name in ("Public", "Private"))
    table = {"Ref": f"Table{zone}"}
    return {
        f"Public{zone}": resource("EC2::Subnet", CidrBlock=f"10.7.{number}.0/24", **where),
        f"Private{zone}": resource("EC2::Subnet", CidrBlock=f"10.7.{number + 10}.0/24", **where),
        f"Table{zone}": resource("EC2::RouteTable", VpcId=vpc),
        f"PublicUse{zone}": resource(kind, SubnetId=public, RouteTableId=outer),
        f"PrivateUse{zone}": resource(kind, SubnetId=private, RouteTableId=table),
    }


def _gateway(zone: str) -> dict[str, Any]:
    """Return the NAT gateway of a zone with its address."""
    return {
        f"Ip{zone}": resource("EC2::EIP", Domain="vpc"),
        f"Gateway{zone}": {
            **resource(
                "EC2::NatGateway",
                SubnetId={"Ref": f"Public{zone}"},
                AllocationId={"Fn::GetAtt": [f"Ip{zone}", "AllocationId"]},
            ),
            "DependsOn": ["Out"],
        },
    }


def _route(table: str, **target: object) -> dict[str, Any]:
    return resource(
        "EC2::Route", RouteTableId={"Ref": table}, DestinationCidrBlock=DEFAULT, **target
    )
