"""What a stack has that its function touches, made through the region's own API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.tests.emulator.factories import eventually
from nat_failover.contract import FLEET_TAG, MEMORY_KEY

if TYPE_CHECKING:
    from lab.emulator.region import Region


@dataclass(frozen=True, slots=True, kw_only=True)
class Things:
    """Two tables with a subnet each, a NAT with its interface, its group, a topic and a memory."""

    stack: str
    vpc: str
    tables: tuple[str, str]
    subnets: tuple[str, str]
    associations: tuple[str, str]
    nat: str
    interface: str
    group: str
    topic: str
    memory: str


def things_of(region: Region, stack: str) -> Things:
    """Make what a stack of this name has; what its role knows by the stack's tag is tagged."""
    ec2 = region.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = tuple(
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24")["Subnet"]["SubnetId"]
        for number in range(2)
    )
    tables = tuple(ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in subnets)
    associations = tuple(
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
        for table, subnet in zip(tables, subnets, strict=True)
    )
    nat = _nat(region, subnets[0], stack)
    return Things(
        stack=stack,
        vpc=vpc,
        tables=tables,
        subnets=subnets,
        associations=associations,
        nat=nat["InstanceId"],
        interface=nat["NetworkInterfaces"][0]["NetworkInterfaceId"],
        group=_group(region, subnets[0], stack),
        topic=region.client("sns").create_topic(Name=f"{stack}-outcome")["TopicArn"],
        memory=_memory(region, stack),
    )


def _nat(region: Region, subnet: str, stack: str) -> dict[str, Any]:
    tags = [{"Key": FLEET_TAG, "Value": stack}]
    reply = region.client("ec2").run_instances(
        ImageId="ami-00000000000000000",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )
    nat: dict[str, Any] = reply["Instances"][0]
    return nat


def _memory(region: Region, stack: str) -> str:
    made = region.client("dynamodb").create_table(
        TableName=f"{stack}-memory",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": MEMORY_KEY, "AttributeType": "S"}],
        KeySchema=[{"AttributeName": MEMORY_KEY, "KeyType": "HASH"}],
    )
    return str(made["TableDescription"]["TableName"])


def _group(region: Region, subnet: str, stack: str) -> str:
    """Make an empty group; its own tag is not passed on to instances."""
    autoscaling = region.client("autoscaling")
    name = f"{stack}-nat"
    autoscaling.create_launch_configuration(
        LaunchConfigurationName=name, ImageId="ami-00000000000000000", InstanceType="t3.nano"
    )
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchConfigurationName=name,
        MinSize=0,
        MaxSize=2,
        VPCZoneIdentifier=subnet,
        Tags=[{"Key": FLEET_TAG, "Value": stack, "PropagateAtLaunch": False}],
    )
    return name


def attach(region: Region, things: Things) -> None:
    """Make the NAT a member of the group, which takes it when it runs."""
    ec2 = region.client("ec2")

    def runs() -> bool:
        (row,) = ec2.describe_instances(InstanceIds=[things.nat])["Reservations"]
        return bool(row["Instances"][0]["State"]["Name"] == "running")

    assert eventually(region, runs)
    region.client("autoscaling").attach_instances(
        AutoScalingGroupName=things.group, InstanceIds=[things.nat]
    )
