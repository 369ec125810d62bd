"""Which resources a call touches, and with which condition keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lab.emulator.iam.callers import Caller
from lab.emulator.iam.calls import ApiCall, questions
from lab.emulator.isolation import ACCOUNT, REGION
from lab.tests.emulator.iam.things import Things, attach, things_of
from nat_failover.contract import FLEET_TAG

if TYPE_CHECKING:
    from lab.emulator.iam.service import Question
    from lab.emulator.region import Region

CALLER = Caller(f"arn:aws:iam::{ACCOUNT}:role/any", "any")
PLACE = f"{REGION}:{ACCOUNT}"


def asked(service: str, operation: str, **parameters: object) -> Question:
    """Return what IAM is asked about a call."""
    call = ApiCall(
        service=service,
        operation=operation,
        parameters=parameters,
        account=ACCOUNT,
        region=REGION,
        protocol="any",
    )
    return next(questions(call, CALLER))


def resources(service: str, operation: str, **parameters: object) -> list[str]:
    """Return the resources that a call names."""
    return [row.resource for row in asked(service, operation, **parameters).candidates]


@pytest.fixture
def things(region: Region) -> Things:
    """Return what a stack has."""
    return things_of(region, "any-stack")


def test_call_is_asked_about_as_the_roles_session_in_its_region() -> None:
    """The keys that every call has."""
    assert dict(asked("ec2", "DescribeInstances").context) == {
        "aws:PrincipalAccount": ACCOUNT,
        "aws:PrincipalArn": CALLER.role,
        "aws:RequestedRegion": REGION,
        "aws:SecureTransport": "true",
        "ec2:Region": REGION,
    }


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("ec2", "ReplaceRoute", "ec2:ReplaceRoute"),
        ("monitoring", "PutMetricData", "cloudwatch:PutMetricData"),
        ("lambda", "Invoke", "lambda:InvokeFunction"),
        ("sqs", "SendMessageBatch", "sqs:SendMessage"),
    ],
)
def test_call_needs_the_permission_of_iams_name(service: str, operation: str, action: str) -> None:
    """Some services are signed for, and some operations called, by another name."""
    assert asked(service, operation).action == action


def test_table_and_subnet_have_their_vpc_and_tags(region: Region, things: Things) -> None:
    """Policies limit both by the ARN of the VPC and by tags, under two names."""
    table, subnet = things.tables[0], things.subnets[0]
    tags = [{"Key": "any-key", "Value": "any-value"}]
    region.client("ec2").create_tags(Resources=[table], Tags=tags)
    tagged, plain = asked(
        "ec2", "AssociateRouteTable", RouteTableId=table, SubnetId=subnet
    ).candidates
    vpc = f"arn:aws:ec2:{PLACE}:vpc/{things.vpc}"
    assert tagged.resource == f"arn:aws:ec2:{PLACE}:route-table/{table}"
    assert dict(tagged.context) == {
        "aws:ResourceTag/any-key": "any-value",
        "ec2:ResourceTag/any-key": "any-value",
        "ec2:Vpc": vpc,
    }
    assert plain.resource == f"arn:aws:ec2:{PLACE}:subnet/{subnet}"
    assert dict(plain.context) == {"ec2:Vpc": vpc}


def test_attribute_that_a_call_sets_is_a_key_with_its_value(things: Things) -> None:
    """Of the interface IAM knows where it is; other calls set no attribute."""
    check: dict[str, Any] = {"Value": False}
    named = {"NetworkInterfaceId": things.interface, "SourceDestCheck": check}
    question = asked("ec2", "ModifyNetworkInterfaceAttribute", **named)
    assert dict(question.context)["ec2:Attribute/SourceDestCheck"] == "false"
    (interface,) = question.candidates
    assert dict(interface.context) == {
        "ec2:Subnet": f"arn:aws:ec2:{PLACE}:subnet/{things.subnets[0]}",
        "ec2:Vpc": f"arn:aws:ec2:{PLACE}:vpc/{things.vpc}",
    }
    other = asked("ec2", "CreateNetworkInterface", **named).context
    assert not any(key.startswith("ec2:Attribute") for key, _ in other)


def test_association_stands_for_its_table_and_its_subnet(things: Things) -> None:
    """Beside the table that the call names."""
    named = resources(
        "ec2",
        "ReplaceRouteTableAssociation",
        AssociationId=things.associations[0],
        RouteTableId=things.tables[1],
    )
    assert named == sorted(
        [
            f"arn:aws:ec2:{PLACE}:route-table/{things.tables[0]}",
            f"arn:aws:ec2:{PLACE}:route-table/{things.tables[1]}",
            f"arn:aws:ec2:{PLACE}:subnet/{things.subnets[0]}",
        ]
    )


def test_association_stands_for_any_table_and_subnet_when_it_does_not_exist(region: Region) -> None:
    """Somebody may have taken it away in between; EC2 then says that it is gone."""
    del region
    assert resources("ec2", "DisassociateRouteTable", AssociationId="rtbassoc-1") == [
        f"arn:aws:ec2:{PLACE}:route-table/rtb-*",
        f"arn:aws:ec2:{PLACE}:subnet/subnet-*",
    ]


def test_address_association_and_attachment_stand_for_what_they_join(
    region: Region, things: Things
) -> None:
    """An address that moves concerns the address, the instance and the interface."""
    ec2 = region.client("ec2")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    joined = ec2.associate_address(AllocationId=address, InstanceId=things.nat)["AssociationId"]
    described = ec2.describe_network_interfaces(NetworkInterfaceIds=[things.interface])
    attachment = described["NetworkInterfaces"][0]["Attachment"]["AttachmentId"]
    nat = f"arn:aws:ec2:{PLACE}:instance/{things.nat}"
    interface = f"arn:aws:ec2:{PLACE}:network-interface/{things.interface}"
    assert resources("ec2", "DetachNetworkInterface", AttachmentId=attachment) == [nat, interface]
    named = resources("ec2", "DisassociateAddress", AssociationId=joined)
    assert named[:2] == [f"arn:aws:ec2:{PLACE}:elastic-ip/{address}", nat]


@pytest.mark.parametrize(
    "named", [{"AutoScalingGroupName": "any-stack-nat"}, {"AutoScalingGroupNames.member.1": None}]
)
def test_group_is_found_by_its_name(region: Region, things: Things, named: dict[str, Any]) -> None:
    """In nested parameters and in those of a form; its tags are its own."""
    named = {name: value or things.group for name, value in named.items()}
    described = region.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    (group,) = asked("autoscaling", "CompleteLifecycleAction", **named).candidates
    assert group.resource == described[0]["AutoScalingGroupARN"]
    assert dict(group.context) == {
        f"aws:ResourceTag/{FLEET_TAG}": things.stack,
        f"autoscaling:ResourceTag/{FLEET_TAG}": things.stack,
    }


def test_group_is_found_by_its_instance(region: Region, things: Things) -> None:
    """SetInstanceHealth names an instance, and the permission is on the group."""
    attach(region, things)
    (group,) = resources("autoscaling", "SetInstanceHealth", InstanceId=things.nat)
    assert group.endswith(f"autoScalingGroupName/{things.group}")


@pytest.mark.parametrize(
    ("service", "parameters", "resource"),
    [
        ("sns", {"TopicArn": f"arn:aws:sns:{PLACE}:any"}, f"arn:aws:sns:{PLACE}:any"),
        ("sqs", {"QueueUrl": "https://any/123456789012/queue"}, f"arn:aws:sqs:{PLACE}:queue"),
        ("ssm", {"Name": "/any/name"}, f"arn:aws:ssm:{PLACE}:parameter/any/name"),
        ("ssm", {"Names": ["/any/name"]}, f"arn:aws:ssm:{PLACE}:parameter/any/name"),
        ("lambda", {"FunctionName": "any"}, f"arn:aws:lambda:{PLACE}:function:any"),
        (
            "lambda",
            {"FunctionName": f"arn:aws:lambda:{PLACE}:function:any"},
            f"arn:aws:lambda:{PLACE}:function:any",
        ),
        ("ec2", {"ImageId": "ami-1"}, f"arn:aws:ec2:{REGION}::image/ami-1"),
        ("ec2", {"Nested": [{"Id": "vol-1"}]}, f"arn:aws:ec2:{PLACE}:volume/vol-1"),
    ],
)
def test_resource_is_told_by_the_parameter_that_names_it(
    service: str, parameters: dict[str, Any], resource: str
) -> None:
    """By an ARN, a URL, a path, a name or an id, at any depth; whether it exists or not."""
    assert resources(service, "AnyOperation", **parameters) == [resource]


def test_log_stream_is_named_with_and_without_its_group() -> None:
    """Which of the two an action takes, the action knows."""
    group = f"arn:aws:logs:{PLACE}:log-group:/any"
    named = resources("logs", "PutLogEvents", logGroupName="/any", logStreamName="stream")
    assert named == [group, f"{group}:log-stream:stream"]
