"""Ids and made-up names follow from the seed of the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.emulator.region import Region
from lab.emulator.time import delays
from lab.emulator.time.chance import Chance
from lab.emulator.time.clock import VirtualClock
from lab.tests.emulator.factories import any_function, deploy

if TYPE_CHECKING:
    from collections.abc import Callable

STACK: dict[str, Any] = {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
    "Subnet": {
        "Type": "AWS::EC2::Subnet",
        "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24"},
    },
    "Table": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
    "Association": {
        "Type": "AWS::EC2::SubnetRouteTableAssociation",
        "Properties": {"RouteTableId": {"Ref": "Table"}, "SubnetId": {"Ref": "Subnet"}},
    },
    "Template": {
        "Type": "AWS::EC2::LaunchTemplate",
        "Properties": {
            "LaunchTemplateData": {"ImageId": "ami-00000000000000000", "InstanceType": "t3.nano"}
        },
    },
    "Group": {
        "Type": "AWS::AutoScaling::AutoScalingGroup",
        "Properties": {
            "MinSize": "0",
            "MaxSize": "2",
            "DesiredCapacity": "1",
            "VPCZoneIdentifier": [{"Ref": "Subnet"}],
            "LaunchTemplate": {"LaunchTemplateId": {"Ref": "Template"}, "Version": "1"},
        },
    },
    "Topic": {"Type": "AWS::SNS::Topic"},
    "Log": {"Type": "AWS::Logs::LogGroup"},
    "Bucket": {"Type": "AWS::S3::Bucket"},
}


def nothing(_: Region) -> None:
    """Ask for nothing."""


def a_new_bucket(region: Region) -> None:
    """Let moto draw, as it does for requests of the CLI."""
    region.client("s3").create_bucket(Bucket="any")
    any_function(region, "def do(event, context):\n    pass\n")


def ids_of(seed: int, before: Callable[[Region], None] = nothing) -> set[str]:
    """Return the id of everything that a deployment makes with a seed."""
    clock = VirtualClock()
    clock.chance = Chance(seed)
    with Region(clock=clock) as region:
        before(region)
        assert deploy(region, STACK) == "CREATE_COMPLETE"
        resources = region.client("cloudformation").describe_stack_resources(StackName="any")
        (interface,) = region.client("ec2").describe_network_interfaces()["NetworkInterfaces"]
        return {
            *(row["PhysicalResourceId"] for row in resources["StackResources"]),
            interface["NetworkInterfaceId"],
            interface["Attachment"]["InstanceId"],
            interface["Groups"][0]["GroupId"],
        }


def test_ids_and_names_are_the_same_when_the_seed_is() -> None:
    """Whatever else was asked for in between."""
    once = ids_of(1)
    assert once == ids_of(1, a_new_bucket)
    kinds = {text.split("-")[0] for text in once}
    assert {"vpc", "subnet", "rtb", "rtbassoc", "lt", "i", "eni", "sg"} <= kinds


def test_ids_and_names_are_others_when_the_seed_is_another() -> None:
    """No id and no name of a stack is the same with two seeds."""
    assert not ids_of(1) & ids_of(2)


def test_names_are_others_when_a_resource_is_made_again() -> None:
    """As on AWS, a stack that is deployed again does not get the old names back."""
    with Region() as region:
        names = set[str]()
        for _ in range(2):
            deploy(region, {"Topic": STACK["Topic"]})
            names.update(row["TopicArn"] for row in region.client("sns").list_topics()["Topics"])
            region.client("cloudformation").delete_stack(StackName="any")
    assert len(names) == 2


def test_deployment_takes_the_same_time_when_the_seed_is_the_same() -> None:
    """Each step of CloudFormation takes its seconds, as AWS does, and no time on the wall."""

    def seconds(seed: int) -> float:
        clock = VirtualClock()
        clock.chance = Chance(seed)
        with Region(clock=clock) as region:
            assert deploy(region, STACK) == "CREATE_COMPLETE"
            return clock.now()

    once = seconds(1)
    assert once == seconds(1)
    assert once != seconds(2)
    assert once > delays.LAUNCH.low + (len(STACK) - 1) * delays.RESOURCE_STEP.low
