"""Small networks, groups, functions and stacks, made through the region's own API."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

from moto.cloudformation.models import cloudformation_backends
from moto.ec2.models import ec2_backends

from lab.emulator.isolation import ACCOUNT, REGION
from lab.emulator.time import delays
from lab.tests.emulator.contract import LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from moto.ec2.models.instances import Instance

    from lab.emulator.region import Region

ANYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
"""A policy that allows everything."""

ECHO = "def do(event, context):\n    return {'event': event, 'name': context.function_name}\n"
FAILING = "def do(event, context):\n    raise ValueError('no')\n"


def eventually(region: Region, condition: Callable[[], bool]) -> bool:
    """Wait until a condition holds; False if it does not in time."""
    return region.clock.wait_until(condition, LIMIT)


def settle(region: Region) -> None:
    """Wait until what was written is what EC2 describes."""
    region.clock.pass_time(delays.READ_LAGS.high)


def any_subnets(region: Region) -> tuple[str, str]:
    """Return a subnet in each of two zones of a new VPC."""
    ec2 = region.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    first, second = (
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"us-east-1{zone}"
        )["Subnet"]["SubnetId"]
        for number, zone in enumerate("ab")
    )
    return first, second


def any_instance(region: Region, subnet: str | None = None) -> str:
    """Return an instance that runs."""
    ec2 = region.client("ec2")
    instance = ec2.run_instances(
        ImageId="ami-00000000000000000",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet or any_subnets(region)[0],
    )["Instances"][0]["InstanceId"]
    assert eventually(region, lambda: state_of(region, instance) == "running")
    return str(instance)


def describe(region: Region, instance: str) -> dict[str, Any]:
    """Return what EC2 says of an instance."""
    reply = region.client("ec2").describe_instances(InstanceIds=[instance])
    described: dict[str, Any] = reply["Reservations"][0]["Instances"][0]
    return described


def emulated(instance: str) -> Instance:
    """Return the emulator's own object for an instance, which knows what no API tells."""
    return ec2_backends[ACCOUNT][REGION].get_instance(instance)


def state_of(region: Region, instance: str) -> str:
    """Return the state of an instance."""
    return str(describe(region, instance)["State"]["Name"])


def status_of(region: Region, instance: str) -> tuple[str, str]:
    """Return what EC2 says of an instance's status: of the system, and of the instance."""
    (row,) = region.client("ec2").describe_instance_status(InstanceIds=[instance])[
        "InstanceStatuses"
    ]
    return row["SystemStatus"]["Status"], row["InstanceStatus"]["Status"]


def interface_of(region: Region, instance: str) -> str:
    """Return the primary interface of an instance."""
    return str(describe(region, instance)["NetworkInterfaces"][0]["NetworkInterfaceId"])


def any_table(region: Region, beside: str = "") -> str:
    """Return a route table: of a VPC of its own, or of that of an instance."""
    ec2 = region.client("ec2")
    if beside:
        vpc = describe(region, beside)["VpcId"]
    else:
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return str(ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])


def default_route(region: Region, table: str) -> dict[str, Any]:
    """Return the default route of a table."""
    reply = region.client("ec2").describe_route_tables(RouteTableIds=[table])
    routes: list[dict[str, Any]] = reply["RouteTables"][0]["Routes"]
    return next(row for row in routes if row.get("DestinationCidrBlock") == "0.0.0.0/0")


def any_group(
    region: Region, subnets: tuple[str, ...], desired: int = 2, **settings: object
) -> str:
    """Return a group over some subnets."""
    region.client("ec2").create_launch_template(
        LaunchTemplateName="any",
        LaunchTemplateData={"ImageId": "ami-00000000000000000", "InstanceType": "t3.nano"},
    )
    region.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="any",
        DesiredCapacity=desired,
        VPCZoneIdentifier=",".join(subnets),
        LaunchTemplate={"LaunchTemplateName": "any"},
        **{"MinSize": 0, "MaxSize": 4, **settings},
    )
    return "any"


def members(region: Region, group: str = "any") -> list[dict[str, Any]]:
    """Return the instances of a group as Auto Scaling describes them."""
    groups = region.client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[group]
    )
    rows: list[dict[str, Any]] = groups["AutoScalingGroups"][0]["Instances"]
    return rows


def in_service(region: Region, group: str = "any") -> list[str]:
    """Return the ids of a group's instances that are in service."""
    return [
        row["InstanceId"] for row in members(region, group) if row["LifecycleState"] == "InService"
    ]


def group_in_service(region: Region, desired: int = 2, **settings: object) -> list[str]:
    """Return the instances of a new group over two zones, all in service."""
    any_group(region, any_subnets(region), desired, **settings)
    assert eventually(region, lambda: len(in_service(region)) == desired)
    return in_service(region)


def inbox(region: Region, topic: str) -> Callable[[], list[dict[str, Any]]]:
    """Subscribe a queue to a topic; the result returns the messages that came so far."""
    sqs = region.client("sqs")
    url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:123456789012:inbox"
    region.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    seen: list[dict[str, Any]] = []

    def read() -> list[dict[str, Any]]:
        reply = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        for row in reply.get("Messages", []):
            seen.append(json.loads(json.loads(row["Body"])["Message"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=row["ReceiptHandle"])
        return seen

    return read


def any_topic(region: Region) -> str:
    """Return a topic."""
    return str(region.client("sns").create_topic(Name="any")["TopicArn"])


def any_function(region: Region, code: str, **configuration: object) -> str:
    """Return the ARN of a function made of a line or two."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("index.py", code)
    iam = region.client("iam")
    role = iam.create_role(RoleName="any", AssumeRolePolicyDocument="{}")
    iam.put_role_policy(RoleName="any", PolicyName="any", PolicyDocument=json.dumps(ANYTHING))
    reply = region.client("lambda").create_function(
        FunctionName="any",
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="index.do",
        Code={"ZipFile": archive.getvalue()},
        **{"Timeout": 5, **configuration},
    )
    return str(reply["FunctionArn"])


def any_rule(
    region: Region, pattern: dict[str, Any], function: str, *, permit: bool = True
) -> None:
    """Let events that match a pattern invoke a function, if its own policy permits it."""
    events = region.client("events")
    rule = events.put_rule(Name="any", EventPattern=json.dumps(pattern))["RuleArn"]
    events.put_targets(Rule="any", Targets=[{"Id": "any", "Arn": function}])
    if permit:
        region.client("lambda").add_permission(
            FunctionName=function,
            StatementId="any",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=rule,
        )


def heard(region: Region) -> list[dict[str, Any]]:
    """Return the events that the echoing function was invoked with."""
    entries = region.journal.entries("function answered")
    return [json.loads(entry.detail["payload"])["event"] for entry in entries]


def deploy(
    region: Region, resources: dict[str, Any], *, name: str = "any", kind: str = "CREATE"
) -> str:
    """Deploy a stack with a change set, as the CDK does; return the stack's status."""
    cloudformation = region.client("cloudformation")
    reply = cloudformation.create_change_set(
        StackName=name,
        ChangeSetName=f"change-{len(resources)}",
        ChangeSetType=kind,
        TemplateBody=json.dumps({"Resources": resources}),
    )
    cloudformation.execute_change_set(ChangeSetName=reply["Id"])
    return status(region, name)


def status(region: Region, name: str = "any") -> str:
    """Return the status of a stack when no operation is under way.

    On a busy machine a request is answered before the operation that it started is over.
    """
    stacks = cloudformation_backends[ACCOUNT][REGION].stacks

    def rests() -> bool:
        named = (stack for stack in list(stacks.values()) if stack.name == name)
        return not any(stack.status.endswith("_IN_PROGRESS") for stack in named)

    region.clock.wait_until(rests, 2 * delays.GROUP_DELETION_LIMIT.high)
    reply = region.client("cloudformation").describe_stacks(StackName=name)
    return str(reply["Stacks"][0]["StackStatus"])


def reasons(region: Region, name: str = "any") -> str:
    """Return what the events of a stack give as reasons."""
    reply = region.client("cloudformation").describe_stack_events(StackName=name)
    return "\n".join(row.get("ResourceStatusReason") or "" for row in reply["StackEvents"])
