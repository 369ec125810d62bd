"""Packets follow the emulated region: routes, instances, and what boot scripts make of them.

The region's clock goes fast, what happens in namespaces does not.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from cdk_nat_failover.instances.nat_user_data import Boot, user_data
from lab.drills.boots import forwarding
from lab.drills.boots.launches import SAID
from lab.drills.topology import DEFAULT
from lab.emulator.isolation import REGION
from lab.emulator.region import Region
from lab.emulator.time.clock import RealClock
from lab.packets import emulated
from lab.packets.namespaces import leftovers
from lab.packets.region_mirror import BEHAVIOURS, RegionMirror
from lab.tests.packets.traffic import LOST, Echo, ask, connect, eventually, source
from tests.isolated_aws_environment import isolated_aws_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.packets.fabric import Fabric
    from lab.packets.namespaces import Namespace

PACE = 30.0
VPC = "10.0.0.0/16"


def lost(host: Namespace) -> bool:
    """Return whether new connections of a host are lost."""
    try:
        connect(host, timeout=LOST).close()
    except TimeoutError:
        return True
    return False


def seen_as(host: Namespace) -> str | None:
    """Return the address from which a host's connection comes; None if the change cut it off."""
    try:
        return source(host, timeout=LOST)
    except TimeoutError:
        return None


@dataclass(frozen=True, slots=True)
class Played:
    """A VPC with a private subnet and two NATs, in the region and in packets."""

    region: Region
    fabric: Fabric
    table: str
    host: Namespace
    nats: tuple[str, str]

    @property
    def ec2(self) -> Any:  # noqa: ANN401 - a boto3 client
        """Return a client of the region."""
        return self.region.client("ec2")

    def public(self, nat: str) -> str:
        """Return the public address of a NAT."""
        return str(describe(self.region, nat)["PublicIpAddress"])

    def lead(self, nat: str) -> None:
        """Let the private subnet leave through a NAT."""
        interface = describe(self.region, nat)["NetworkInterfaces"][0]["NetworkInterfaceId"]
        self.ec2.replace_route(
            RouteTableId=self.table, DestinationCidrBlock=DEFAULT, NetworkInterfaceId=interface
        )


def describe(region: Region, instance: str) -> dict[str, Any]:
    """Return what EC2 says of an instance."""
    reply = region.client("ec2").describe_instances(InstanceIds=[instance])
    found: dict[str, Any] = reply["Reservations"][0]["Instances"][0]
    return found


def subnet(region: Region, vpc: str, cidr: str) -> tuple[str, str]:
    """Return a new subnet, and the route table that is its own."""
    ec2 = region.client("ec2")
    made = ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone="us-east-1a")["Subnet"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(SubnetId=made["SubnetId"], RouteTableId=table)
    return made["SubnetId"], table


def profile(region: Region) -> str:
    """Return the ARN of an instance profile that lets instances complete the group's actions."""
    iam = region.client("iam")
    iam.create_role(RoleName="nat", AssumeRolePolicyDocument="{}")
    allowed = {
        "Effect": "Allow",
        "Action": "autoscaling:CompleteLifecycleAction",
        "Resource": f"arn:aws:autoscaling:{REGION}:*:autoScalingGroup:*:autoScalingGroupName/nats",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName="nat", PolicyName="any", PolicyDocument=document)
    made = iam.create_instance_profile(InstanceProfileName="nat")["InstanceProfile"]
    iam.add_role_to_instance_profile(InstanceProfileName="nat", RoleName="nat")
    return str(made["Arn"])


def template(region: Region, vpc: str) -> None:
    """Make a launch template with the app's user data, and a group that admits the VPC."""
    ec2 = region.client("ec2")
    group = ec2.create_security_group(GroupName="nat", Description="any", VpcId=vpc)["GroupId"]
    admitted = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": VPC}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[admitted])
    boot = Boot(
        targets=["example.com", "192.0.2.200"],
        group="nats",
        hook="proven",
        stack="any",
        resource="Any",
        session_manager=False,
    )
    interface = {"DeviceIndex": 0, "Groups": [group], "AssociatePublicIpAddress": True}
    data = {
        "ImageId": "ami-00000000000000000",
        "InstanceType": "t3.nano",
        "IamInstanceProfile": {"Arn": profile(region)},
        "NetworkInterfaces": [interface],
        "UserData": base64.b64encode(user_data(boot).encode()).decode(),
    }
    ec2.create_launch_template(LaunchTemplateName="nat", LaunchTemplateData=data)


def group(region: Region, public: str) -> None:
    """Make a group of two NATs that are in service when they say so."""
    hook = {
        "LifecycleHookName": "proven",
        "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING",
        "HeartbeatTimeout": 7200,
    }
    region.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="nats",
        MinSize=0,
        MaxSize=2,
        DesiredCapacity=2,
        VPCZoneIdentifier=public,
        LaunchTemplate={"LaunchTemplateName": "nat", "Version": "1"},
        LifecycleHookSpecificationList=[hook],
    )


def in_service(region: Region) -> list[str]:
    """Return the NATs that are in service."""
    groups = region.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    rows = groups[0]["Instances"]
    return [row["InstanceId"] for row in rows if row["LifecycleState"] == "InService"]


@pytest.fixture(scope="module")
def isolated() -> Iterator[None]:
    """Take the person's AWS settings out of the environment of these tests."""
    with isolated_aws_environment():
        yield


@pytest.fixture
def played(isolated: None) -> Iterator[Played]:
    """Play a region in which one NAT serves a private subnet and another one could."""
    del isolated
    with Region(BEHAVIOURS, clock=RealClock(PACE)) as region, RegionMirror(region) as mirror:
        ec2 = region.client("ec2")
        vpc = ec2.create_vpc(CidrBlock=VPC)["Vpc"]["VpcId"]
        public, its = subnet(region, vpc, "10.0.0.0/24")
        private, table = subnet(region, vpc, "10.0.1.0/24")
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        ec2.create_route(RouteTableId=its, DestinationCidrBlock=DEFAULT, GatewayId=gateway)
        template(region, vpc)
        group(region, public)
        eventually(lambda: len(in_service(region)) == 2)
        first, second = in_service(region)
        for nat in (first, second):
            ec2.modify_instance_attribute(InstanceId=nat, SourceDestCheck={"Value": False})
        fabric = mirror.fabric
        world = Played(region, fabric, table, fabric.hosts[private], (first, second))
        interface = describe(region, first)["NetworkInterfaces"][0]["NetworkInterfaceId"]
        ec2.create_route(
            RouteTableId=table, DestinationCidrBlock=DEFAULT, NetworkInterfaceId=interface
        )
        with Echo(fabric.server):
            eventually(lambda: not lost(world.host))
            yield world


def test_packets_take_the_way_that_the_region_shows(played: Played) -> None:
    """Real boots made both NATs ready; routes, checks and ends of instances change the way."""
    first, second = played.nats
    said = [
        (row.detail["instance"], row.detail["result"])
        for row in played.region.journal.entries(SAID)
    ]
    assert {(first, "CONTINUE"), (second, "CONTINUE")} == set(said)
    assert played.public(first) == source(played.host)

    with connect(played.host) as flow:
        ask(flow)
        played.lead(second)
        eventually(lambda: played.public(second) == source(played.host))
        with pytest.raises(ConnectionResetError):
            ask(flow)

    played.ec2.modify_instance_attribute(InstanceId=second, SourceDestCheck={"Value": True})
    eventually(lambda: lost(played.host))
    played.ec2.modify_instance_attribute(InstanceId=second, SourceDestCheck={"Value": False})
    eventually(lambda: not lost(played.host))

    machine = played.fabric.machines[second].name
    played.ec2.terminate_instances(InstanceIds=[second])
    eventually(lambda: lost(played.host))
    eventually(lambda: machine not in leftovers())


def test_elastic_ip_replaces_the_address_that_a_server_sees(played: Played) -> None:
    """Of new connections; an open one hangs, because nobody has the address that it had."""
    first, _ = played.nats
    launched = played.public(first)
    ip = played.ec2.allocate_address(Domain="vpc")
    interface = describe(played.region, first)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    with connect(played.host) as flow:
        assert ask(flow) == launched
        played.ec2.associate_address(AllocationId=ip["AllocationId"], NetworkInterfaceId=interface)
        eventually(lambda: seen_as(played.host) == ip["PublicIp"])
        with pytest.raises(TimeoutError):
            ask(flow, timeout=LOST)
    assert source(played.host) == ip["PublicIp"]


def test_an_instance_that_hangs_lets_nothing_through(played: Played) -> None:
    """It runs, and what a host sends to it is lost."""
    first, _ = played.nats
    forwarding.hang(played.region.aws, emulated.instances()[first])

    eventually(lambda: lost(played.host))


def test_an_instance_gives_up_and_switches_itself_off_when_it_does_not_forward(
    played: Played,
) -> None:
    """The self-test fails for real, and the boot script abandons the launch for real."""
    _, second = played.nats
    forwarding.bad_boots(played.region.aws, 1)
    played.ec2.terminate_instances(InstanceIds=[second])

    def abandoned() -> list[str]:
        entries = played.region.journal.entries(SAID)
        return [row.detail["instance"] for row in entries if row.detail["result"] == "ABANDON"]

    eventually(lambda: bool(abandoned()))
    (nat,) = abandoned()
    off = ("shutting-down", "terminated", "stopping", "stopped")
    eventually(lambda: describe(played.region, nat)["State"]["Name"] in off)
