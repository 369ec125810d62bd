"""Contracts of Elastic IPs: what they replace, when they are free, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.ec2.elastic_ips import (
    QUOTA,
    ElasticIpsAreLimited,
    ElasticIpsOutliveTheirInstance,
    ElasticIpsReplaceTheAddress,
    StacksTakeTheirElasticIps,
    public_address,
)
from lab.emulator.time import delays
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import (
    any_instance,
    deploy,
    describe,
    emulated,
    eventually,
    interface_of,
    state_of,
)
from lab.tests.emulator.stacks import physical, resource

if TYPE_CHECKING:
    from lab.emulator.region import Region


def allocate(region: Region) -> str:
    """Return the allocation of a new Elastic IP."""
    return str(region.client("ec2").allocate_address(Domain="vpc")["AllocationId"])


def associate(region: Region, allocation: str, instance: str) -> str:
    """Associate an Elastic IP with an instance, and return the address."""
    ec2, interface = region.client("ec2"), interface_of(region, instance)
    ec2.associate_address(
        AllocationId=allocation, NetworkInterfaceId=interface, AllowReassociation=False
    )
    return str(ec2.describe_addresses(AllocationIds=[allocation])["Addresses"][0]["PublicIp"])


def holder(region: Region, allocation: str) -> str | None:
    """Return the instance with which an Elastic IP is shown, if any."""
    (row,) = region.client("ec2").describe_addresses(AllocationIds=[allocation])["Addresses"]
    return row.get("InstanceId") or None


@contract_of(ElasticIpsReplaceTheAddress)
def test_elastic_ip_replaces_the_one_that_an_instance_has(region: Region) -> None:
    """The other one is free, and the instance is shown with the new one."""
    instance, first, second = any_instance(region), allocate(region), allocate(region)
    associate(region, first, instance)
    address = associate(region, second, instance)
    assert address == describe(region, instance)["PublicIpAddress"]
    assert (None, instance) == (holder(region, first), holder(region, second))


@contract_of(ElasticIpsReplaceTheAddress)
def test_packets_have_an_elastic_ip_seconds_after_its_association(region: Region) -> None:
    """And none when it is taken away."""
    ec2, instance, ip = region.client("ec2"), any_instance(region), allocate(region)
    nic = emulated(instance).nics[0]
    address = associate(region, ip, instance)
    assert public_address(nic, region.clock.now()) is None
    region.clock.pass_time(delays.ADDRESS_TAKES_EFFECT.high)
    assert address == public_address(nic, region.clock.now())
    (row,) = ec2.describe_addresses(AllocationIds=[ip])["Addresses"]
    ec2.disassociate_address(AssociationId=row["AssociationId"])
    assert address == public_address(nic, region.clock.now())
    region.clock.pass_time(delays.ADDRESS_TAKES_EFFECT.high)
    assert public_address(nic, region.clock.now()) is None


def test_elastic_ip_is_not_taken_when_reassociation_is_not_allowed(region: Region) -> None:
    """What has it keeps it: AWS and moto agree."""
    ip, first, second = allocate(region), any_instance(region), any_instance(region)
    associate(region, ip, first)
    with pytest.raises(ClientError, match=r"Resource\.AlreadyAssociated"):
        associate(region, ip, second)
    assert first == holder(region, ip)


@contract_of(ElasticIpsOutliveTheirInstance)
def test_elastic_ip_is_free_when_its_instance_is_terminated(region: Region) -> None:
    """Not while it shuts down, and not when it is stopped."""
    ec2, instance, ip = region.client("ec2"), any_instance(region), allocate(region)
    associate(region, ip, instance)
    ec2.stop_instances(InstanceIds=[instance])
    assert eventually(region, lambda: state_of(region, instance) == "stopped")
    assert instance == holder(region, ip)
    ec2.terminate_instances(InstanceIds=[instance])
    assert eventually(region, lambda: state_of(region, instance) == "terminated")
    assert holder(region, ip) is None


@contract_of(ElasticIpsAreLimited)
def test_sixth_elastic_ip_is_refused(region: Region) -> None:
    """The account's quota in a Region."""
    for _ in range(QUOTA):
        allocate(region)
    with pytest.raises(ClientError, match="AddressLimitExceeded"):
        allocate(region)


@contract_of(ElasticIpsAreLimited)
def test_elastic_ip_is_not_released_while_it_is_associated(region: Region) -> None:
    """It is disassociated first."""
    ec2, instance, ip = region.client("ec2"), any_instance(region), allocate(region)
    associate(region, ip, instance)
    with pytest.raises(ClientError, match=r"InvalidIPAddress\.InUse"):
        ec2.release_address(AllocationId=ip)
    assert instance == holder(region, ip)


@contract_of(StacksTakeTheirElasticIps)
def test_stack_takes_its_elastic_ip_away_from_what_has_it(region: Region) -> None:
    """It disassociates what it releases."""
    template = {"Ip": resource("EC2::EIP", Domain="vpc")}
    assert deploy(region, template) == "CREATE_COMPLETE"
    (row,) = region.client("ec2").describe_addresses()["Addresses"]
    assert row["PublicIp"] == physical(region, "Ip")
    associate(region, row["AllocationId"], any_instance(region))
    region.client("cloudformation").delete_stack(StackName="any")
    assert eventually(region, lambda: not region.client("ec2").describe_addresses()["Addresses"])
