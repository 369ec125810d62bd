"""A stack's network in a Region of moto, made, broken and looked at through the AWS API."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache, cached_property
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import boto3

from nat_failover.actions import DEFAULT_ROUTE_CIDR
from nat_failover.claim_messages import read_claim
from nat_failover.clients import Memory
from nat_failover.contract import FLEET_TAG, MEMORY_KEY, MEMORY_REPLACED, HomeTable, Item
from nat_failover.memory import Written, read, write
from nat_failover.model import NatHistory
from nat_failover.stored_claims import store_claims
from tests.factories import any_function_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from types_boto3_autoscaling import AutoScalingClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_ec2 import EC2Client
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient

    from nat_failover.contract import Settings
    from nat_failover.incidents import IncidentState
    from tests.aws.conftest import Function

ANY_IMAGE = "ami-00000000000000000"


@cache
def ec2(region: str) -> EC2Client:
    """Return the EC2 client with which a Region is made, broken and looked at."""
    return boto3.client("ec2", region_name=region)


@cache
def _autoscaling(region: str) -> AutoScalingClient:
    return boto3.client("autoscaling", region_name=region)


@cache
def _sns(region: str) -> SNSClient:
    return boto3.client("sns", region_name=region)


@cache
def _sqs(region: str) -> SQSClient:
    return boto3.client("sqs", region_name=region)


@cache
def _dynamodb(region: str) -> DynamoDBClient:
    return boto3.client("dynamodb", region_name=region)


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A private table with the subnets at home in it, and the public subnet of its zone."""

    zone: str
    public: str
    table: str
    private: tuple[str, ...]


@dataclass
class Region:
    """One stack as deployed, without its default routes; NATs are launched zone by zone.

    Its tables are named by the letter of their zone: "a", "b", and "a2" for a second one in zone a.
    """

    name: str = "eu-west-1"
    stack: str = "any-stack"
    tables: tuple[str, ...] = ("a", "b")
    subnets_per_table: int = 1
    nats: dict[str, str] = field(default_factory=dict)
    """The NAT that was launched last for each table."""

    def __post_init__(self) -> None:
        self.ec2, self.autoscaling = ec2(self.name), _autoscaling(self.name)
        self._interfaces: dict[str, str] = {}
        self._cidrs = ip_network("10.0.0.0/16").subnets(new_prefix=24)
        self.tags: Any = [{"Key": FLEET_TAG, "Value": self.stack}]
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.public = self._make_public_table()
        self.homes = {table: self._home(f"{self.name}{table[0]}") for table in self.tables}
        self._make_group()
        self.topic = _sns(self.name).create_topic(Name=f"{self.stack}-outcome")["TopicArn"]
        self._make_mailbox()
        self._make_memory()

    def _make_public_table(self) -> str:
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        table = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        self.ec2.create_route(
            RouteTableId=table, DestinationCidrBlock=DEFAULT_ROUTE_CIDR, GatewayId=gateway
        )
        return table

    def _home(self, zone: str) -> Home:
        table = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        self.ec2.create_tags(Resources=[table], Tags=self.tags)
        private = tuple(self.subnet(zone) for _ in range(self.subnets_per_table))
        for subnet in private:
            self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        public = self.subnet(zone)
        self.ec2.associate_route_table(RouteTableId=self.public, SubnetId=public)
        self.ec2.modify_subnet_attribute(SubnetId=public, MapPublicIpOnLaunch={"Value": True})
        return Home(zone=zone, public=public, table=table, private=private)

    def subnet(self, zone: str) -> str:
        """Make a subnet."""
        made = self.ec2.create_subnet(
            VpcId=self.vpc, CidrBlock=str(next(self._cidrs)), AvailabilityZone=zone
        )
        return made["Subnet"]["SubnetId"]

    def _make_group(self) -> None:
        self.group = f"{self.stack}-nat"
        made = self.ec2.create_launch_template(
            LaunchTemplateName=self.stack,
            LaunchTemplateData={"ImageId": ANY_IMAGE, "InstanceType": "t4g.nano"},
        )
        self.template = made["LaunchTemplate"]["LaunchTemplateId"]
        self.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=self.group,
            MinSize=0,
            MaxSize=100,
            VPCZoneIdentifier=",".join(home.public for home in self.homes.values()),
            LaunchTemplate={"LaunchTemplateId": self.template},
            Tags=[{"Key": FLEET_TAG, "Value": self.stack, "PropagateAtLaunch": True}],
        )

    def _make_mailbox(self) -> None:
        sqs = _sqs(self.name)
        self._mailbox = sqs.create_queue(QueueName=f"{self.stack}-subscriber")["QueueUrl"]
        arn = f"arn:aws:sqs:{self.name}:123456789012:{self.stack}-subscriber"
        _sns(self.name).subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)

    def _make_memory(self) -> None:
        self.memory = f"{self.stack}-memory"
        self.dynamodb = _dynamodb(self.name)
        self.dynamodb.create_table(
            TableName=self.memory,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": MEMORY_KEY, "AttributeType": "S"}],
            KeySchema=[{"AttributeName": MEMORY_KEY, "KeyType": "HASH"}],
        )
        self._table_of_memory = Memory(client=self.dynamodb, table=self.memory)

    @cached_property
    def settings(self) -> Settings:
        """What the function is given of this stack, with the default policy."""
        return any_function_settings(
            stack=self.stack,
            vpc=self.vpc,
            group=self.group,
            memory=self.memory,
            tables=tuple(
                HomeTable(id=home.table, zone=home.zone, subnets=home.private)
                for home in self.homes.values()
            ),
            outcome_topic=self.topic,
        )

    # What happens in it -------------------------------------------------------------------------

    def launch(self, table: str, *, checked: bool = False) -> str:
        """Launch a NAT for a table as the group does; `checked` leaves its check on.

        moto's group puts every instance into its first zone; so it gets a made one attached.
        """
        made = self.ec2.run_instances(
            LaunchTemplate={"LaunchTemplateId": self.template},
            SubnetId=self.homes[table].public,
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": self.tags}],
        )
        nat = made["Instances"][0]["InstanceId"]
        self._interfaces[nat] = made["Instances"][0]["NetworkInterfaces"][0]["NetworkInterfaceId"]
        self.autoscaling.attach_instances(AutoScalingGroupName=self.group, InstanceIds=[nat])
        self.check(nat, on=checked)
        self.nats[table] = nat
        return nat

    def check(self, nat: str, *, on: bool) -> None:
        """Switch the source/destination check of an instance's primary interface."""
        self.ec2.modify_network_interface_attribute(
            NetworkInterfaceId=self.interface(nat), SourceDestCheck={"Value": on}
        )

    def kill(self, nat: str) -> None:
        """Terminate an instance from outside; its group still lists it."""
        self.ec2.terminate_instances(InstanceIds=[nat])

    def leave_group(self, nat: str) -> None:
        """Let the group forget an instance, as it does when it has terminated one."""
        self.autoscaling.detach_instances(
            AutoScalingGroupName=self.group, InstanceIds=[nat], ShouldDecrementDesiredCapacity=True
        )

    def point(self, table: str, **target: str) -> None:
        """Write a table's default route behind the function's back."""
        write: Any = self.ec2.replace_route if self.default_route(table) else self.ec2.create_route
        write(
            RouteTableId=self.homes[table].table, DestinationCidrBlock=DEFAULT_ROUTE_CIDR, **target
        )

    def use(self, table: str, subnet: str) -> None:
        """Let a public subnet use another table than the public one, by its id."""
        (public,) = self.ec2.describe_route_tables(RouteTableIds=[self.public])["RouteTables"]
        (used,) = [row for row in public["Associations"] if row.get("SubnetId") == subnet]
        self.ec2.replace_route_table_association(
            AssociationId=used["RouteTableAssociationId"], RouteTableId=table
        )

    def lose_route(self, table: str) -> None:
        """Delete a table's default route behind the function's back."""
        self.ec2.delete_route(
            RouteTableId=self.homes[table].table, DestinationCidrBlock=DEFAULT_ROUTE_CIDR
        )

    def replace(self, nat: str) -> str:
        """Return what a group launches for an instance that it terminated: its check is on."""
        self.leave_group(nat)
        table = next(table for table, served in self.nats.items() if served == nat)
        return self.launch(table, checked=True)

    def hold_members(self) -> None:
        """Do everything that keeps a group from being deleted."""
        group, nats = self.group, sorted(self.nats.values())
        self.autoscaling.set_instance_protection(
            AutoScalingGroupName=group, InstanceIds=nats, ProtectedFromScaleIn=True
        )
        self.autoscaling.enter_standby(
            AutoScalingGroupName=group, InstanceIds=nats[:1], ShouldDecrementDesiredCapacity=True
        )
        self.autoscaling.suspend_processes(
            AutoScalingGroupName=group, ScalingProcesses=["Terminate"]
        )

    def empty_group(self) -> None:
        """Take every member out of the group, as CloudFormation does before it deletes it."""
        for member in list(self.nats.values()):
            self.leave_group(member)

    def remember(self, state: IncidentState) -> None:
        """Put something into the stack's memory."""
        found = read(self._table_of_memory)
        assert found is not None
        written, _ = write(self._table_of_memory, state, found.history, found, time.time())
        assert written is Written.DONE

    def settle(self) -> None:
        """Let an hour pass for every NAT, as far as it is remembered since when it is usable."""
        self._remember_each(NatHistory(instance="", usable_since=time.time() - 3600))

    def turn_sick(self, ago: float) -> None:
        """Let every NAT have turned sick some seconds ago, as far as it is remembered."""
        self._remember_each(NatHistory(instance="", sick=(time.time() - ago,)))

    def _remember_each(self, how: NatHistory) -> None:
        found = read(self._table_of_memory)
        assert found is not None
        history = frozenset(replace(how, instance=nat) for nat in self.nats.values())
        written, _ = write(self._table_of_memory, found.state, history, found, time.time())
        assert written is Written.DONE

    def know_each_other(self) -> None:
        """Write the ring of the NATs, all of them usable, some time ago."""
        peers = [
            {"instance": nat, "address": self.address(nat), "state": "usable"}
            for nat in sorted(self.nats.values())
        ]
        self.dynamodb.put_item(
            TableName=self.memory,
            Item={
                MEMORY_KEY: {"S": Item.PEERS},
                "ring": {"S": json.dumps(peers)},
                "version": {"N": "1"},
                "written": {"N": str(int(time.time()) - 3600)},
            },
        )

    def remembered(self) -> IncidentState:
        """Return what is in the stack's memory."""
        found = read(self._table_of_memory)
        assert found is not None
        return found.state

    def histories(self) -> frozenset[NatHistory]:
        """Return what the memory knows of how the NATs fared."""
        found = read(self._table_of_memory)
        assert found is not None
        return found.history

    def claim(self, message: Mapping[str, Any], ago: float = 0.0) -> Any:  # noqa: ANN401 - boto3's
        """Store what a NAT published some seconds ago; return it as it is stored."""
        claim = read_claim(message)
        stored = store_claims(self._table_of_memory, [claim], time.time() - ago)
        assert stored.error is None
        return self._item(Item.CLAIMS)[claim.instance]

    def lose_claims(self) -> None:
        """Delete all claims."""
        self.dynamodb.delete_item(TableName=self.memory, Key={MEMORY_KEY: {"S": Item.CLAIMS}})

    def replaced(self, at: float, *, late: Function) -> None:
        """Let another run tell the group of a NAT, after a function has read that none did."""

        def tell(_: object) -> None:
            self.dynamodb.update_item(
                TableName=self.memory,
                Key={MEMORY_KEY: {"S": Item.CLAIMS}},
                UpdateExpression="SET replaced = :at",
                ExpressionAttributeValues={":at": {"N": repr(at)}},
            )

        late.wire.edit("UpdateItem", tell)

    def age(self, function: Function, seconds: float) -> None:
        """Let EC2 say that every NAT was launched some time ago."""

        def older(answer: dict[str, Any]) -> None:
            for reservation in answer["Reservations"]:
                for instance in reservation["Instances"]:
                    instance["LaunchTime"] -= timedelta(seconds=seconds)

        function.wire.edit("DescribeInstances", older)

    # What it looks like -------------------------------------------------------------------------

    def _table(self, table: str) -> Any:  # noqa: ANN401 - boto3's shape
        return self.ec2.describe_route_tables(RouteTableIds=[self.homes[table].table])[
            "RouteTables"
        ][0]

    def default_route(self, table: str) -> Mapping[str, Any] | None:
        """Return a table's default route as EC2 shows it."""
        routes = self._table(table)["Routes"]
        return next(
            (r for r in routes if r.get("DestinationCidrBlock") == DEFAULT_ROUTE_CIDR), None
        )

    def served_by(self) -> dict[str, str | None]:
        """Return the instance to which each table's default route leads, if that is active."""
        routes = {table: self.default_route(table) or {"State": "none"} for table in self.tables}
        return {
            table: route.get("InstanceId") if route["State"] == "active" else None
            for table, route in routes.items()
        }

    def associations(self, table: str) -> dict[str, str]:
        """Return the subnets that use a table, with their association ids."""
        rows = self._table(table)["Associations"]
        return {row["SubnetId"]: row["RouteTableAssociationId"] for row in rows}

    def interface(self, nat: str) -> str:
        """Return the primary interface of an instance."""
        return self._interfaces[nat]

    def address(self, nat: str) -> str:
        """Return the private address of an instance."""
        (interface,) = self.ec2.describe_network_interfaces(
            NetworkInterfaceIds=[self.interface(nat)]
        )["NetworkInterfaces"]
        return interface["PrivateIpAddress"]

    def is_checked(self, nat: str) -> bool:
        """Say whether the source/destination check of an instance's primary interface is on."""
        answer = self.ec2.describe_network_interface_attribute(
            NetworkInterfaceId=self.interface(nat), Attribute="sourceDestCheck"
        )
        return answer["SourceDestCheck"]["Value"]

    def _item(self, item: Item) -> Any:  # noqa: ANN401 - boto3's shape
        key = {MEMORY_KEY: {"S": item}}
        return self.dynamodb.get_item(TableName=self.memory, Key=key).get("Item", {})

    def claimants(self) -> set[str]:
        """Return the names under which claims are stored."""
        return set(self._item(Item.CLAIMS)) - {MEMORY_KEY, MEMORY_REPLACED}

    def ring(self) -> dict[str, Any]:
        """Return the ring as a watch reads it, or nothing."""
        item = self._item(Item.PEERS)
        return item and {
            "ring": json.loads(item["ring"]["S"]),
            "version": int(item["version"]["N"]),
            "written": float(item["written"]["N"]),
        }

    def health(self) -> dict[str, str]:
        """Return what the group takes each member for."""
        (group,) = self.autoscaling.describe_auto_scaling_groups(
            AutoScalingGroupNames=[self.group]
        )["AutoScalingGroups"]
        return {row["InstanceId"]: row["HealthStatus"] for row in group["Instances"]}

    def notifications(self) -> list[tuple[str, str]]:
        """Return what was published since the last time, as subjects and texts."""
        return list(self._letters())

    def _letters(self) -> Iterator[tuple[str, str]]:
        sqs = _sqs(self.name)
        while letters := sqs.receive_message(QueueUrl=self._mailbox).get("Messages"):
            for letter in letters:
                sqs.delete_message(QueueUrl=self._mailbox, ReceiptHandle=letter["ReceiptHandle"])
                body = json.loads(letter["Body"])
                yield body["Subject"], body["Message"]
