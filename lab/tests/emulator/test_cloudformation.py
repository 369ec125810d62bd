"""Contracts of CloudFormation: when a stack fails, what it skips, what it deletes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lab.drills.inventory import inventory
from lab.emulator.services.cloudformation.corrections import (
    AssociationsAreReal,
    DeletesTheNetwork,
    RulesWithoutPorts,
    SubnetsHaveZoneIds,
)
from lab.emulator.services.cloudformation.order import creation_order
from lab.emulator.services.cloudformation.resources import MissingTypes
from lab.emulator.services.cloudformation.stacks import StacksFail
from lab.emulator.services.cloudformation.types import ResourcesAreTagged, UnknownTypesFail
from lab.emulator.services.cloudtrail import TrailsAreLate
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import deploy, reasons, settle, status
from lab.tests.emulator.stacks import physical

if TYPE_CHECKING:
    from lab.emulator.region import Region

ANYONE = {"Version": "2012-10-17", "Statement": []}
TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {}}
QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {}}
VPC = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}


def resource(kind: str, **properties: object) -> dict[str, Any]:
    """Return a resource as a template has it."""
    return {"Type": f"AWS::{kind}", "Properties": properties}


NETWORK = {
    "Vpc": VPC,
    "Gateway": resource("EC2::InternetGateway"),
    "Attachment": resource(
        "EC2::VPCGatewayAttachment", VpcId={"Ref": "Vpc"}, InternetGatewayId={"Ref": "Gateway"}
    ),
    "Subnet": resource("EC2::Subnet", VpcId={"Ref": "Vpc"}, CidrBlock="10.0.0.0/24"),
    "Table": resource(
        "EC2::RouteTable", VpcId={"Ref": "Vpc"}, Tags=[{"Key": "any-key", "Value": "any"}]
    ),
    "Association": resource(
        "EC2::SubnetRouteTableAssociation",
        RouteTableId={"Ref": "Table"},
        SubnetId={"Ref": "Subnet"},
    ),
    "Route": {
        **resource(
            "EC2::Route",
            RouteTableId={"Ref": "Table"},
            DestinationCidrBlock="0.0.0.0/0",
            GatewayId={"Ref": "Gateway"},
        ),
        "DependsOn": ["Attachment"],
    },
    "Endpoint": resource(
        "EC2::VPCEndpoint",
        VpcId={"Ref": "Vpc"},
        ServiceName="com.amazonaws.us-east-1.s3",
        RouteTableIds=[{"Ref": "Table"}],
        VpcEndpointType="Gateway",
    ),
}


@contract_of(UnknownTypesFail)
def test_stack_fails_when_a_type_is_not_emulated(region: Region) -> None:
    """No resource type is skipped in silence."""
    assert deploy(region, {"Alien": resource("Alien::Thing")}) == "ROLLBACK_COMPLETE"
    assert "does not emulate the resource type AWS::Alien::Thing" in reasons(region)


@contract_of(UnknownTypesFail)
def test_stack_fails_when_it_has_another_stack_in_it(region: Region) -> None:
    """What moto does with nested stacks would not fail, wait or be rolled back with this one."""
    nested = resource("CloudFormation::Stack", TemplateURL="https://any")
    assert deploy(region, {"Nested": nested}) == "ROLLBACK_COMPLETE"
    assert "does not emulate the resource type AWS::CloudFormation::Stack" in reasons(region)


def test_stack_is_complete_when_a_type_is_known_to_create_nothing(region: Region) -> None:
    """The CDK's own metadata is the one type that the lab passes over."""
    assert deploy(region, {"Metadata": resource("CDK::Metadata")}) == "CREATE_COMPLETE"


@contract_of(StacksFail)
def test_stack_rolls_back_when_a_resource_fails(region: Region) -> None:
    """A failed creation says which resource failed, and leaves nothing of the others."""
    before = inventory(region)
    lost = resource("EC2::Subnet", VpcId="vpc-0", CidrBlock="10.0.0.0/24")
    assert deploy(region, {"Topic": TOPIC, "Vpc": VPC, "Lost": lost}) == "ROLLBACK_COMPLETE"
    assert "Lost (AWS::EC2::Subnet)" in reasons(region)
    assert inventory(region) == before


@contract_of(StacksFail)
def test_stack_has_no_resource_that_failed_when_it_is_described(region: Region) -> None:
    """Describing a stack only reads."""
    lost = resource("EC2::Subnet", VpcId="vpc-0", CidrBlock="10.0.0.0/24")
    deploy(region, {"Topic": TOPIC, "Lost": lost})
    described = region.client("cloudformation").describe_stack_resources(StackName="any")
    assert described["StackResources"] == []
    assert region.client("sns").list_topics()["Topics"] == []


@contract_of(StacksFail)
def test_resource_comes_after_what_it_depends_on(region: Region) -> None:
    """DependsOn orders the creation in a change set too."""
    first = {**TOPIC, "DependsOn": ["Second"]}
    assert deploy(region, {"First": first, "Second": TOPIC}) == "CREATE_COMPLETE"
    events = region.client("cloudformation").describe_stack_events(StackName="any")["StackEvents"]
    complete = [
        row["LogicalResourceId"]
        for row in reversed(events)
        if row["ResourceType"] == "AWS::SNS::Topic" and row["ResourceStatus"] == "CREATE_COMPLETE"
    ]
    assert complete == ["Second", "First"]


@pytest.mark.parametrize(
    "reference",
    [
        {"Ref": "A"},
        {"Fn::GetAtt": ["A", "Arn"]},
        {"Fn::GetAtt": "A.Arn"},
        {"Fn::Sub": "${A}"},
        {"Fn::Sub": "x-${A.Arn}"},
        {"Fn::Sub": ["${A}${B}", {"B": "b"}]},
        {"Fn::Join": ["", [{"Fn::If": ["C", {"Ref": "A"}, ""]}]]},
    ],
)
def test_creation_order_follows_every_kind_of_reference(reference: object) -> None:
    """Whatever refers to a resource comes after it."""
    resources = {"Z": resource("Any::Type", Value=[reference]), "A": resource("Any::Type")}
    assert creation_order(resources) == ["A", "Z"]


def test_creation_order_ignores_what_is_no_resource() -> None:
    """Parameters, pseudo parameters and literals are no dependencies."""
    values = [{"Ref": "AWS::Region"}, {"Ref": "Parameter"}, {"Fn::Sub": "${!A}${AWS::StackName}"}]
    assert creation_order({"A": resource("Any::Type", Values=values)}) == ["A"]


@contract_of(AssociationsAreReal)
def test_association_of_a_stack_shows_in_its_route_table(region: Region) -> None:
    """The association's id is what CloudFormation tracks."""
    assert deploy(region, NETWORK) == "CREATE_COMPLETE"
    settle(region)
    row = region.client("cloudformation").describe_stack_resource(
        StackName="any", LogicalResourceId="Association"
    )["StackResourceDetail"]
    table = region.client("ec2").describe_route_tables(
        Filters=[{"Name": "tag:any-key", "Values": ["any"]}]
    )["RouteTables"][0]
    ids = [association["RouteTableAssociationId"] for association in table["Associations"]]
    assert ids == [row["PhysicalResourceId"]]


@contract_of(AssociationsAreReal)
def test_stack_is_not_deleted_when_a_table_has_an_association_of_somebody_else(
    region: Region,
) -> None:
    """CloudFormation deletes the association it knows; another one keeps the table."""
    deploy(region, NETWORK)
    settle(region)
    ec2 = region.client("ec2")
    (table,) = ec2.describe_route_tables(Filters=[{"Name": "tag:any-key", "Values": ["any"]}])[
        "RouteTables"
    ]
    subnet = ec2.create_subnet(VpcId=table["VpcId"], CidrBlock="10.0.9.0/24")["Subnet"]["SubnetId"]
    ec2.associate_route_table(RouteTableId=table["RouteTableId"], SubnetId=subnet)
    region.client("cloudformation").delete_stack(StackName="any")
    assert status(region) == "DELETE_FAILED"
    assert "has dependencies" in reasons(region)


@pytest.mark.parametrize(
    "options",
    [
        {"RetainResources": ["Vpc", "Subnet", "Table", "Gateway", "Attachment"]},
        {"DeletionMode": "FORCE_DELETE_STACK"},
    ],
    ids=["retained", "forced"],
)
@contract_of(StacksFail)
def test_stack_that_could_not_be_deleted_is_deleted_without_what_keeps_it(
    region: Region, options: dict[str, Any]
) -> None:
    """Before a deletion has failed neither is taken; what is retained exists on."""
    deploy(region, NETWORK)
    settle(region)
    cloudformation, ec2 = region.client("cloudformation"), region.client("ec2")
    vpc = physical(region, "Vpc")
    with pytest.raises(ClientError, match="DELETE_FAILED"):
        cloudformation.delete_stack(StackName="any", **options)
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.9.0/24")
    cloudformation.delete_stack(StackName="any")
    assert status(region) == "DELETE_FAILED"
    cloudformation.delete_stack(StackName="any", **options)
    with pytest.raises(ClientError, match="does not exist"):
        status(region)
    assert vpc in {row["VpcId"] for row in ec2.describe_vpcs()["Vpcs"]}


@contract_of(StacksFail)
def test_stack_is_deleted_when_its_log_group_and_its_table_are_gone(region: Region) -> None:
    """Deleting what is not there counts as success."""
    before = inventory(region)
    key = [{"AttributeName": "any", "KeyType": "HASH"}]
    kinds = [{"AttributeName": "any", "AttributeType": "S"}]
    table = resource(
        "DynamoDB::Table",
        KeySchema=key,
        AttributeDefinitions=kinds,
        BillingMode="PAY_PER_REQUEST",
    )
    assert deploy(region, {"Log": resource("Logs::LogGroup"), "Table": table}) == "CREATE_COMPLETE"
    region.client("logs").delete_log_group(logGroupName=physical(region, "Log"))
    region.client("dynamodb").delete_table(TableName=physical(region, "Table"))
    region.client("cloudformation").delete_stack(StackName="any")
    assert inventory(region) == before


@contract_of(AssociationsAreReal)
def test_stack_is_deleted_when_its_association_was_replaced_and_removed(region: Region) -> None:
    """Deleting an association that is gone counts as success."""
    deploy(region, NETWORK)
    settle(region)
    ec2 = region.client("ec2")
    (table,) = ec2.describe_route_tables(Filters=[{"Name": "tag:any-key", "Values": ["any"]}])[
        "RouteTables"
    ]
    (association,) = table["Associations"]
    ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
    region.client("cloudformation").delete_stack(StackName="any")
    with pytest.raises(ClientError, match="does not exist"):
        status(region)


@contract_of(DeletesTheNetwork)
def test_stack_leaves_nothing_of_its_network_when_it_is_deleted(region: Region) -> None:
    """What a stack created goes with it, the last created first."""
    before = inventory(region)
    assert deploy(region, NETWORK) == "CREATE_COMPLETE"
    region.client("cloudformation").delete_stack(StackName="any")
    assert inventory(region) == before


@contract_of(RulesWithoutPorts)
def test_rule_for_all_protocols_needs_no_ports(region: Region) -> None:
    """Protocol -1 is all ports."""
    rule = {"IpProtocol": "-1", "CidrIp": "10.0.0.0/16"}
    group = resource(
        "EC2::SecurityGroup",
        VpcId={"Ref": "Vpc"},
        GroupDescription="any",
        SecurityGroupIngress=[rule],
    )
    assert deploy(region, {"Vpc": VPC, "Group": group}) == "CREATE_COMPLETE"


@contract_of(SubnetsHaveZoneIds)
def test_subnet_is_in_the_zone_of_its_id_and_tells_its_name(region: Region) -> None:
    """The id is the same zone in every account; its name is not."""
    ids = {"VpcId": {"Ref": "Vpc"}, "AvailabilityZoneId": "use1-az1"}
    first = resource("EC2::Subnet", CidrBlock="10.0.0.0/24", **ids)
    name = {"Fn::GetAtt": ["First", "AvailabilityZone"]}
    beside = {"VpcId": {"Ref": "Vpc"}, "AvailabilityZone": name}
    second = resource("EC2::Subnet", CidrBlock="10.0.1.0/24", **beside)
    assert deploy(region, {"Vpc": VPC, "First": first, "Second": second}) == "CREATE_COMPLETE"
    found = region.client("ec2").describe_subnets(
        Filters=[{"Name": "cidr-block", "Values": ["10.0.0.0/24", "10.0.1.0/24"]}]
    )
    assert [row["AvailabilityZoneId"] for row in found["Subnets"]] == ["use1-az1"] * 2


@contract_of(ResourcesAreTagged)
def test_resource_of_a_stack_carries_its_tags_and_the_stacks_name(region: Region) -> None:
    """Tags of the template and of CloudFormation can be filtered by."""
    deploy(region, NETWORK)
    filters = [
        {"Name": "tag:any-key", "Values": ["any"]},
        {"Name": "tag:aws:cloudformation:stack-name", "Values": ["any"]},
    ]
    assert len(region.client("ec2").describe_route_tables(Filters=filters)["RouteTables"]) == 1


MISSING = {
    "subscription": resource(
        "SNS::Subscription",
        TopicArn={"Ref": "Topic"},
        Protocol="sqs",
        Endpoint={"Fn::GetAtt": ["Queue", "Arn"]},
        RawMessageDelivery=True,
    ),
    "topic policy": resource("SNS::TopicPolicy", Topics=[{"Ref": "Topic"}], PolicyDocument=ANYONE),
    "queue policy": resource("SQS::QueuePolicy", Queues=[{"Ref": "Queue"}], PolicyDocument=ANYONE),
    "bucket policy": resource("S3::BucketPolicy", Bucket={"Ref": "Bucket"}, PolicyDocument=ANYONE),
    "alarm": resource(
        "CloudWatch::Alarm",
        Namespace="any",
        MetricName="any",
        Dimensions=[{"Name": "any", "Value": "any"}],
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        Threshold=1,
        Statistic="Sum",
        Period=60,
    ),
    "egress rule": resource(
        "EC2::SecurityGroupEgress",
        GroupId={"Fn::GetAtt": ["Group", "GroupId"]},
        IpProtocol="tcp",
        FromPort=443,
        ToPort=443,
        CidrIp="10.0.0.0/16",
    ),
}


@contract_of(MissingTypes)
@pytest.mark.parametrize("missing", MISSING.values(), ids=MISSING.keys())
def test_type_that_moto_lacks_is_created_and_deleted(
    region: Region, missing: dict[str, Any]
) -> None:
    """Each added type works from a template, and goes with its stack."""
    before = inventory(region)
    resources = {
        "Topic": TOPIC,
        "Queue": QUEUE,
        "Bucket": resource("S3::Bucket"),
        "Vpc": VPC,
        "Group": resource("EC2::SecurityGroup", VpcId={"Ref": "Vpc"}, GroupDescription="any"),
        "Missing": missing,
    }
    assert deploy(region, resources) == "CREATE_COMPLETE"
    region.client("cloudformation").delete_stack(StackName="any")
    assert inventory(region) == before


def test_image_parameter_of_a_current_kernel_line_exists(region: Region) -> None:
    """A template can take its image from the public parameter (moto is right here)."""
    name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.12-arm64"
    value = region.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    assert value.startswith("ami-")


@contract_of(TrailsAreLate)
def test_trail_knows_nothing_of_what_just_happened(region: Region) -> None:
    """A lookup right after a call finds no event."""
    assert region.client("cloudtrail").lookup_events()["Events"] == []
