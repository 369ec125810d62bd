"""Resource types that moto's CloudFormation has, but creates or deletes only in part."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from moto.ec2.exceptions import EC2ClientError, InvalidAssociationIdError
from moto.ec2.models import ec2_backends
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from moto.ec2.models.internet_gateways import InternetGateway
from moto.ec2.models.route_tables import Route, RouteTable
from moto.ec2.models.security_groups import SecurityGroup
from moto.ec2.models.subnets import Subnet, SubnetRouteTableAssociation
from moto.ec2.models.vpcs import VPCEndPoint
from moto.ec2.models.vpn_gateway import VPCGatewayAttachment

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.side_tables import SideTable

if TYPE_CHECKING:
    from collections.abc import Callable


_ASSOCIATIONS: SideTable[SubnetRouteTableAssociation, str] = SideTable()
"""The id of the association that a stack made."""


class AssociationsAreReal(Behaviour):
    """A subnet's association shows in DescribeRouteTables, and its id is the association's.

    Deleting one that no longer exists counts as success. moto remembers it apart, where
    DescribeRouteTables does not look, under the table's id.
    """

    source = (
        "CloudFormation template reference, AWS::EC2::SubnetRouteTableAssociation; resource"
        " type handler contract, 'delete handlers'"
    )

    def install(self, patches: Patches) -> None:
        """Associate for real."""
        owner = SubnetRouteTableAssociation
        patches.creation(owner, after=self._associate)
        patches.replace(owner, "physical_resource_id", property(_ASSOCIATIONS.__getitem__))
        patches.method(owner, "delete", self._disassociate)

    def _associate(self, row: SubnetRouteTableAssociation, _: dict[str, Any]) -> None:
        ec2 = ec2_backends[self._aws.account][self._aws.region]
        _ASSOCIATIONS[row] = ec2.associate_route_table(row.route_table_id, subnet_id=row.subnet_id)

    def _disassociate(self, row: SubnetRouteTableAssociation, *_: str) -> None:
        ec2 = ec2_backends[self._aws.account][self._aws.region]
        with suppress(InvalidAssociationIdError):
            ec2.disassociate_route_table(_ASSOCIATIONS[row])


class RulesWithoutPorts(Behaviour):
    """A security group rule for all protocols (-1) needs no ports.

    moto's CloudFormation fails on it.
    """

    source = "CloudFormation template reference, AWS::EC2::SecurityGroup Ingress"

    def install(self, patches: Patches) -> None:
        """Fill the ports in."""
        patches.creation(SecurityGroup, before=self._fill_in)

    @staticmethod
    def _fill_in(properties: dict[str, Any]) -> None:
        for rule in properties.get("SecurityGroupIngress", []):
            if str(rule["IpProtocol"]) == "-1":
                rule.setdefault("FromPort", None)
                rule.setdefault("ToPort", None)


class SubnetsHaveZoneIds(Behaviour):
    """A subnet may be put into a zone by the zone's id, and tells the zone's name.

    moto's CloudFormation reads the name only, and refuses to tell it.
    """

    source = "CloudFormation template reference, AWS::EC2::Subnet"

    def install(self, patches: Patches) -> None:
        """Read the id, and answer Fn::GetAtt."""
        patches.creation(Subnet, before=self._by_id)
        patches.replace(Subnet, "get_cfn_attribute", lambda subnet, _: subnet.availability_zone)

    @staticmethod
    def _by_id(properties: dict[str, Any]) -> None:
        every = (zone for zones in RegionsAndZonesBackend.zones.values() for zone in zones)
        names = {zone.zone_id: zone.name for zone in every}
        if id_ := properties.get("AvailabilityZoneId"):
            properties["AvailabilityZone"] = names[id_]


class DeletesTheNetwork(Behaviour):
    """Deleting a stack deletes its route tables, routes, endpoints and internet gateway.

    A route that is gone already counts as deleted. moto leaves them all behind.
    """

    source = "CloudFormation user guide, 'Delete a stack'; resource type handler contract"

    def install(self, patches: Patches) -> None:
        """Add what deletes them."""
        ec2 = ec2_backends[self._aws.account][self._aws.region]
        deletions: dict[type, Callable[..., object]] = {
            RouteTable: lambda table, *_: ec2.delete_route_table(table.id),
            Route: self._delete_route,
            VPCEndPoint: lambda endpoint, *_: ec2.delete_vpc_endpoints([endpoint.id]),
            VPCGatewayAttachment: self._detach,
            InternetGateway: lambda gateway, *_: ec2.delete_internet_gateway(gateway.id),
        }
        for owner, delete in deletions.items():
            patches.method(owner, "delete", delete)

    @staticmethod
    def _delete_route(route: Route, *_: str) -> None:
        ec2 = route.route_table.ec2_backend
        with suppress(EC2ClientError):
            ec2.delete_route(
                route.route_table.id,
                route.destination_cidr_block,
                route.destination_ipv6_cidr_block,
            )

    def _detach(self, attachment: VPCGatewayAttachment, *_: str) -> None:
        ec2 = ec2_backends[self._aws.account][self._aws.region]
        for gateway in list(ec2.internet_gateways.values()):
            if gateway.vpc and gateway.vpc.id == attachment.vpc_id:
                ec2.detach_internet_gateway(gateway.id, attachment.vpc_id)
