"""Contracts of what routes may lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.ec2.targets import RoutesStayInTheirVpc, SeveralInterfacesAreNamed
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import any_instance, any_table, describe, interface_of

if TYPE_CHECKING:
    from lab.emulator.region import Region

ANYWHERE = "0.0.0.0/0"


@contract_of(RoutesStayInTheirVpc)
def test_route_to_an_interface_or_instance_of_another_vpc_is_refused(region: Region) -> None:
    """Whether it is created or replaced."""
    ec2, here, there = region.client("ec2"), any_instance(region), any_instance(region)
    where = {"RouteTableId": any_table(region, beside=here), "DestinationCidrBlock": ANYWHERE}
    with pytest.raises(ClientError, match="belong to different networks"):
        ec2.create_route(**where, InstanceId=there)
    ec2.create_route(**where, InstanceId=here)
    with pytest.raises(ClientError, match="belong to different networks"):
        ec2.replace_route(**where, NetworkInterfaceId=interface_of(region, there))


def two_interfaces(region: Region) -> str:
    """Return an instance that has two."""
    ec2, instance = region.client("ec2"), any_instance(region)
    subnet = describe(region, instance)["SubnetId"]
    second = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    ec2.attach_network_interface(
        DeviceIndex=1, InstanceId=instance, NetworkInterfaceId=second["NetworkInterfaceId"]
    )
    return instance


@contract_of(SeveralInterfacesAreNamed)
def test_check_of_an_instance_with_two_interfaces_is_set_at_the_interface_only(
    region: Region,
) -> None:
    """The instance's own attribute is refused."""
    ec2, instance = region.client("ec2"), two_interfaces(region)
    with pytest.raises(ClientError, match="multiple interfaces attached"):
        ec2.modify_instance_attribute(InstanceId=instance, SourceDestCheck={"Value": False})
    ec2.modify_network_interface_attribute(
        NetworkInterfaceId=interface_of(region, instance), SourceDestCheck={"Value": False}
    )


@contract_of(SeveralInterfacesAreNamed)
def test_route_to_an_instance_with_two_interfaces_must_name_one(region: Region) -> None:
    """Created or replaced."""
    ec2, instance = region.client("ec2"), two_interfaces(region)
    where = {
        "RouteTableId": any_table(region, beside=instance),
        "DestinationCidrBlock": ANYWHERE,
    }
    with pytest.raises(ClientError, match="InvalidInstanceID"):
        ec2.create_route(**where, InstanceId=instance)
    ec2.create_route(**where, NetworkInterfaceId=interface_of(region, instance))
    with pytest.raises(ClientError, match="InvalidInstanceID"):
        ec2.replace_route(**where, InstanceId=instance)
