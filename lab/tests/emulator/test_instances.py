"""Contracts of EC2 instances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.emulator.services.ec2.instances import (
    InstanceStates,
    InterfacesEndWithTheirInstance,
    OneSourceDestCheck,
    RootVolumesEndWithTheirInstance,
)
from lab.emulator.time.clock import MIDNIGHT
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import (
    any_instance,
    any_subnets,
    describe,
    eventually,
    interface_of,
    settle,
    state_of,
)

if TYPE_CHECKING:
    from lab.emulator.region import Region


@contract_of(InstanceStates)
def test_instance_is_shutting_down_when_it_was_just_terminated(region: Region) -> None:
    """TerminateInstances returns before the instance is terminated."""
    instance = any_instance(region)
    region.client("ec2").terminate_instances(InstanceIds=[instance])
    settle(region)
    assert state_of(region, instance) == "shutting-down"
    assert eventually(region, lambda: state_of(region, instance) == "terminated")


@contract_of(InstanceStates)
def test_instance_is_pending_when_it_was_just_launched(region: Region) -> None:
    """RunInstances returns before the instance runs."""
    reply = region.client("ec2").run_instances(
        ImageId="ami-00000000000000000", MinCount=1, MaxCount=1, SubnetId=any_subnets(region)[0]
    )
    instance = reply["Instances"][0]["InstanceId"]
    assert state_of(region, instance) == "pending"
    assert eventually(region, lambda: state_of(region, instance) == "running")


@contract_of(InstanceStates)
def test_instance_stops_over_stopping_and_starts_over_pending(region: Region) -> None:
    """Stopping and starting take time too."""
    instance = any_instance(region)
    region.client("ec2").stop_instances(InstanceIds=[instance])
    settle(region)
    assert state_of(region, instance) == "stopping"
    assert eventually(region, lambda: state_of(region, instance) == "stopped")
    region.client("ec2").start_instances(InstanceIds=[instance])
    settle(region)
    assert state_of(region, instance) == "pending"
    assert eventually(region, lambda: state_of(region, instance) == "running")


@contract_of(InstanceStates)
def test_launch_time_is_that_of_the_last_start(region: Region) -> None:
    """By the lab's calendar."""
    instance = any_instance(region)
    first = describe(region, instance)["LaunchTime"]
    assert first.timestamp() == pytest.approx(MIDNIGHT, abs=1)
    region.client("ec2").stop_instances(InstanceIds=[instance])
    assert eventually(region, lambda: state_of(region, instance) == "stopped")
    region.client("ec2").start_instances(InstanceIds=[instance])
    assert describe(region, instance)["LaunchTime"] > first


@contract_of(InterfacesEndWithTheirInstance)
def test_primary_interface_is_deleted_when_its_instance_is_terminated(region: Region) -> None:
    """A terminated instance leaves no network interface behind, and shows none."""
    instance = any_instance(region)
    interface = interface_of(region, instance)
    region.client("ec2").terminate_instances(InstanceIds=[instance])
    assert eventually(region, lambda: state_of(region, instance) == "terminated")
    left = region.client("ec2").describe_network_interfaces()["NetworkInterfaces"]
    assert interface not in [row["NetworkInterfaceId"] for row in left]
    assert not describe(region, instance).get("NetworkInterfaces")


@contract_of(RootVolumesEndWithTheirInstance)
def test_root_volume_is_deleted_when_its_instance_is_terminated(region: Region) -> None:
    """A root volume of a launch template goes with the instance, unless it says otherwise."""
    ec2 = region.client("ec2")
    ec2.create_launch_template(
        LaunchTemplateName="any",
        LaunchTemplateData={
            "ImageId": "ami-00000000000000000",
            "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8}}],
        },
    )
    instance = ec2.run_instances(
        LaunchTemplate={"LaunchTemplateName": "any"},
        MinCount=1,
        MaxCount=1,
        SubnetId=any_subnets(region)[0],
    )["Instances"][0]["InstanceId"]
    ec2.terminate_instances(InstanceIds=[instance])
    assert eventually(region, lambda: state_of(region, instance) == "terminated")
    assert ec2.describe_volumes()["Volumes"] == []


@contract_of(OneSourceDestCheck)
def test_source_dest_check_is_off_at_the_interface_when_the_instance_says_off(
    region: Region,
) -> None:
    """The check is on at first, and one value for the instance and its interface."""
    instance = any_instance(region)
    assert describe(region, instance)["SourceDestCheck"] is True
    region.client("ec2").modify_instance_attribute(
        InstanceId=instance, SourceDestCheck={"Value": False}
    )
    settle(region)
    described = describe(region, instance)
    assert described["SourceDestCheck"] is False
    assert described["NetworkInterfaces"][0]["SourceDestCheck"] is False
