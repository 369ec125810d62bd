"""NATs that watch each other, launched by hand: their ring is what a test writes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.sns.models import sns_backends

from lab.drills.boots.forwarding import forwards
from lab.emulator.isolation import ACCOUNT, REGION
from lab.tests.emulator.factories import emulated, eventually
from lab.tests.emulator.launches import any_profile

if TYPE_CHECKING:
    from lab.emulator.region import Region

MAY = {
    "sns:Publish": "arn:aws:sns:*:*:claims",
    "dynamodb:GetItem": "arn:aws:dynamodb:*:*:table/memory",
}
"""What the role of a NAT may do, and to what."""


@dataclass(frozen=True, slots=True)
class WatchedNats:
    """NATs of a region by the letters of their zones, and the topic that they publish to."""

    region: Region
    nats: dict[str, str]
    topic: str

    def publish_ring(self, version: int, **states: str) -> None:
        """Write the ring as the function does; a NAT that is not named is usable."""
        members = [
            {
                "instance": name,
                "address": emulated(name).private_ip,
                "state": states.get(zone, "usable"),
            }
            for zone, name in sorted(self.nats.items(), key=lambda pair: pair[1])
        ]
        item = {
            "key": {"S": "peers"},
            "ring": {"S": json.dumps(members)},
            "version": {"N": str(version)},
            "written": {"N": "0"},
        }
        self.region.client("dynamodb").put_item(TableName="memory", Item=item)
        self.region.clock.at(self.region.clock.now(), lambda: None)

    def claims(self, zone: str) -> list[dict[str, Any]]:
        """Return what the NAT of a zone has published, oldest first."""
        sent = sns_backends[ACCOUNT][REGION].topics[self.topic].sent_notifications
        claims = [json.loads(row[1]) for row in sent]
        return [claim for claim in claims if claim["instance"] == self.nats[zone]]

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.region.clock.pass_time(seconds)


def watched_nats(region: Region, zones: str = "ab", *, without: str = "") -> WatchedNats:
    """Return NATs that forward and know each other; `without` is what their role may not do."""
    topic = region.client("sns").create_topic(Name="claims")["TopicArn"]
    region.client("dynamodb").create_table(
        TableName="memory",
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    allowed = [
        {"Effect": "Allow", "Action": action, "Resource": resource}
        for action, resource in MAY.items()
        if action != without
    ]
    profile = any_profile(region, {"Version": "2012-10-17", "Statement": allowed})
    script = f"watch=on\ntopic={topic}\ntable=memory\n"
    vpc = region.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    public = _public_table(region, vpc)
    nats = {
        zone: _launch(region, vpc, public, zone, number, script, profile)
        for number, zone in enumerate(zones)
    }
    watched = WatchedNats(region, nats, topic)
    watched.publish_ring(1)
    assert eventually(
        region, lambda: all(forwards(emulated(nat), region.clock.now()) for nat in nats.values())
    )
    watched.pass_time(65)
    return watched


def _public_table(region: Region, vpc: str) -> str:
    ec2 = region.client("ec2")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = str(ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    return table


def _launch(  # noqa: PLR0913, PLR0917 - what an instance is made of
    region: Region, vpc: str, table: str, zone: str, number: int, script: str, profile: str
) -> str:
    ec2 = region.client("ec2")
    subnet = ec2.create_subnet(
        VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}{zone}"
    )["Subnet"]["SubnetId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    launched = ec2.run_instances(
        ImageId="ami-00000000000000000",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        UserData=script,
        IamInstanceProfile={"Arn": profile},
    )
    return str(launched["Instances"][0]["InstanceId"])
