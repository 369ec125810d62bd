"""Contracts of updates in place: what the services have afterwards, under the same ids."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.emulator.services.cloudformation.stacks import StacksFail
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import any_function, deploy, reasons
from lab.tests.emulator.stacks import physical, resource, update

if TYPE_CHECKING:
    from lab.emulator.region import Region

ANYONE = {"Version": "2012-10-17", "Statement": []}
EC2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
READS = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def changed(region: Region, before: dict[str, Any], after: dict[str, Any]) -> dict[str, str]:
    """Deploy a stack and update it; return its physical ids, which are the same as before."""
    assert deploy(region, before) == "CREATE_COMPLETE"
    ids = {name: physical(region, name) for name in before}
    assert update(region, after) == "UPDATE_COMPLETE", reasons(region)
    assert {name: physical(region, name) for name in after} == ids
    return ids


def tags(*keys: str) -> list[dict[str, str]]:
    """Return tags of a template."""
    return [{"Key": key, "Value": "any"} for key in keys]


def rule(cidr: str) -> dict[str, Any]:
    """Return a rule of a security group."""
    return {"IpProtocol": "-1", "CidrIp": cidr}


def network(
    vpc: dict[str, Any], subnet: dict[str, Any], cidr: str, *, both: bool
) -> dict[str, Any]:
    """Return a network."""
    inside = {"Ref": "Vpc"}
    other = "Second" if both else "First"
    return {
        "Vpc": resource("EC2::VPC", CidrBlock="10.0.0.0/16", **vpc),
        "Subnet": resource("EC2::Subnet", VpcId=inside, CidrBlock="10.0.0.0/24", **subnet),
        "First": resource("EC2::InternetGateway"),
        "Second": resource("EC2::InternetGateway"),
        "Attachment": resource(
            "EC2::VPCGatewayAttachment", VpcId=inside, InternetGatewayId={"Ref": other}
        ),
        "Table": resource("EC2::RouteTable", VpcId=inside, Tags=tags("new" if both else "old")),
        "Address": resource("EC2::EIP", Domain="vpc", Tags=tags("new" if both else "old")),
        "Route": {
            **resource(
                "EC2::Route",
                RouteTableId={"Ref": "Table"},
                DestinationCidrBlock="0.0.0.0/0",
                GatewayId={"Ref": other},
            ),
            "DependsOn": "Attachment",
        },
        "Endpoint": resource(
            "EC2::VPCEndpoint",
            VpcId=inside,
            ServiceName="com.amazonaws.us-east-1.s3",
            VpcEndpointType="Gateway",
            RouteTableIds=[{"Ref": "Table"}] if both else [],
        ),
        "Group": resource(
            "EC2::SecurityGroup",
            VpcId=inside,
            GroupDescription="any",
            SecurityGroupIngress=[rule(cidr)],
        ),
    }


@contract_of(StacksFail)
def test_network_is_changed_in_place(region: Region) -> None:
    """Its attributes, tags, rules, routes and attachments are other ones; no id is."""
    ids = changed(
        region,
        network({}, {}, "10.0.0.0/16", both=False),
        network(
            {"EnableDnsHostnames": True},
            {"MapPublicIpOnLaunch": True, "Tags": tags("new")},
            "10.1.0.0/16",
            both=True,
        ),
    )
    ec2 = region.client("ec2")
    names = ec2.describe_vpc_attribute(VpcId=ids["Vpc"], Attribute="enableDnsHostnames")
    assert names["EnableDnsHostnames"] == {"Value": True}
    (subnet,) = ec2.describe_subnets(SubnetIds=[ids["Subnet"]])["Subnets"]
    assert subnet["MapPublicIpOnLaunch"]
    assert "new" in {row["Key"] for row in subnet["Tags"]}
    (address,) = ec2.describe_addresses(PublicIps=[ids["Address"]])["Addresses"]
    assert {row["Key"] for row in address["Tags"]} >= {"new"}
    assert "old" not in {row["Key"] for row in address["Tags"]}
    (group,) = ec2.describe_security_groups(GroupIds=[ids["Group"]])["SecurityGroups"]
    ranges = [row["IpRanges"] for row in group["IpPermissions"]]
    assert ranges == [[{"CidrIp": "10.1.0.0/16"}]]
    (table,) = ec2.describe_route_tables(RouteTableIds=[ids["Table"]])["RouteTables"]
    keys = {row["Key"] for row in table["Tags"]}
    assert "new" in keys
    assert "old" not in keys
    assert "aws:cloudformation:stack-name" in keys
    assert ids["Second"] in {row.get("GatewayId") for row in table["Routes"]}
    (endpoint,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[ids["Endpoint"]])["VpcEndpoints"]
    assert endpoint["RouteTableIds"] == [ids["Table"]]
    (second,) = ec2.describe_internet_gateways(InternetGatewayIds=[ids["Second"]])[
        "InternetGateways"
    ]
    assert [row["VpcId"] for row in second["Attachments"]] == [ids["Vpc"]]


def encryption(name: str) -> dict[str, Any]:
    """Return how a queue is encrypted: by SQS's own key, or by another one."""
    return {"SqsManagedSseEnabled": True} if name == "old" else {"KmsMasterKeyId": "alias/any"}


def messages(
    name: str, seconds: int, days: dict[str, int], schedule: str, threshold: int
) -> dict[str, Any]:
    """Return a topic, a queue, a log group, a rule and an alarm."""
    return {
        "Topic": resource("SNS::Topic", DisplayName=name),
        "Queue": resource("SQS::Queue", VisibilityTimeout=seconds, **encryption(name)),
        "Subscription": resource(
            "SNS::Subscription",
            TopicArn={"Ref": "Topic"},
            Protocol="sqs",
            Endpoint={"Fn::GetAtt": ["Queue", "Arn"]},
            RawMessageDelivery=name == "new",
        ),
        "Policy": resource(
            "SQS::QueuePolicy",
            Queues=[{"Ref": "Queue"}],
            PolicyDocument={**ANYONE, "Statement": [{"Sid": name}]},
        ),
        "TopicPolicy": resource(
            "SNS::TopicPolicy",
            Topics=[{"Ref": "Topic"}],
            PolicyDocument={**ANYONE, "Statement": [{"Sid": name}]},
        ),
        "Log": resource("Logs::LogGroup", **days),
        "Rule": resource(
            "Events::Rule",
            ScheduleExpression=schedule,
            Targets=[{"Id": name, "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}],
        ),
        "Alarm": resource(
            "CloudWatch::Alarm",
            Namespace="any",
            MetricName="any",
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            Threshold=threshold,
            Statistic="Sum",
            Period=60,
        ),
    }


@contract_of(StacksFail)
def test_messaging_is_changed_in_place(region: Region) -> None:
    """Names, policies, targets, thresholds and limits are other ones; no id is."""
    ids = changed(
        region,
        messages("old", 10, {"RetentionInDays": 1}, "rate(1 minute)", 1),
        messages("new", 20, {}, "rate(2 minutes)", 2),
    )
    sns, sqs, events = (region.client(name) for name in ("sns", "sqs", "events"))
    topic = sns.get_topic_attributes(TopicArn=ids["Topic"])["Attributes"]
    assert topic["DisplayName"] == "new"
    assert json.loads(topic["Policy"])["Statement"] == [{"Sid": "new"}]
    queue = sqs.get_queue_attributes(QueueUrl=ids["Queue"], AttributeNames=["All"])["Attributes"]
    assert queue["VisibilityTimeout"] == "20"
    assert (queue["KmsMasterKeyId"], queue["SqsManagedSseEnabled"]) == ("alias/any", "false")
    assert json.loads(queue["Policy"])["Statement"] == [{"Sid": "new"}]
    subscription = sns.get_subscription_attributes(SubscriptionArn=ids["Subscription"])
    assert subscription["Attributes"]["RawMessageDelivery"] == "true"
    (group,) = region.client("logs").describe_log_groups()["logGroups"]
    assert "retentionInDays" not in group
    assert events.describe_rule(Name=ids["Rule"])["ScheduleExpression"] == "rate(2 minutes)"
    targets = events.list_targets_by_rule(Rule=ids["Rule"])["Targets"]
    assert [target["Id"] for target in targets] == ["new"]
    (alarm,) = region.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert alarm["Threshold"] == 2


def identities(name: str, statement: dict[str, Any], arns: list[str], role: str) -> dict[str, Any]:
    """Return two roles, a profile of one of them, and a key."""
    trust = {**ANYONE, "Statement": [EC2]}
    policy = {"PolicyDocument": {**ANYONE, "Statement": [statement]}}
    return {
        "Role": resource(
            "IAM::Role",
            AssumeRolePolicyDocument={**trust, "Statement": [EC2, {**EC2, "Sid": name}]},
            Description=name,
            ManagedPolicyArns=arns,
            Policies=[{"PolicyName": name, **policy}, {"PolicyName": "both", **policy}],
        ),
        "Other": resource("IAM::Role", AssumeRolePolicyDocument=trust),
        "Profile": resource("IAM::InstanceProfile", Roles=[{"Ref": role}]),
        "Key": resource("KMS::Key", KeyPolicy={**ANYONE, "Id": name}, Description=name),
    }


@contract_of(StacksFail)
def test_identity_is_changed_in_place(region: Region) -> None:
    """A role has its new policies and none of the old ones; a profile has its new role."""
    ids = changed(
        region,
        identities("old", {**ALL, "Sid": "old"}, [], "Other"),
        identities("new", {**ALL, "Sid": "new"}, [READS], "Role"),
    )
    iam, role = region.client("iam"), ids["Role"]
    described = iam.get_role(RoleName=role)["Role"]
    assert described["Description"] == "new"
    assert described["AssumeRolePolicyDocument"]["Statement"][1]["Sid"] == "new"
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == ["both", "new"]
    both = iam.get_role_policy(RoleName=role, PolicyName="both")["PolicyDocument"]
    assert both["Statement"] == [{**ALL, "Sid": "new"}]
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert [row["PolicyArn"] for row in attached] == [READS]
    profile = iam.get_instance_profile(InstanceProfileName=ids["Profile"])["InstanceProfile"]
    assert [row["RoleName"] for row in profile["Roles"]] == [role]
    kms = region.client("kms")
    assert (
        json.loads(kms.get_key_policy(KeyId=ids["Key"], PolicyName="default")["Policy"])["Id"]
        == "new"
    )
    assert kms.describe_key(KeyId=ids["Key"])["KeyMetadata"]["Description"] == "new"


@contract_of(StacksFail)
def test_role_is_as_it_was_when_its_update_fails_halfway(region: Region) -> None:
    """The rollback does not mind what had not been done yet."""
    before = {"Role": identities("old", {**ALL, "Sid": "old"}, [], "Other")["Role"]}
    assert deploy(region, before) == "CREATE_COMPLETE"
    broken = identities("new", {"Sid": "broken"}, [READS], "Role")["Role"]
    assert update(region, {"Role": broken}) == "UPDATE_ROLLBACK_COMPLETE", reasons(region)
    iam, role = region.client("iam"), physical(region, "Role")
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == ["both", "old"]


def role_of_a_function(region: Region) -> str:
    """Return the role of a function; the function itself is not wanted."""
    arn = any_function(region, "def do(event, context):\n    pass\n")
    client = region.client("lambda")
    role = str(client.get_function(FunctionName=arn)["Configuration"]["Role"])
    client.delete_function(FunctionName=arn)
    return role


def compute(role: str, answer: str, version: str, size: int) -> dict[str, Any]:
    """Return a launch template and a function."""
    code = f"def handler(event, context):\n    return '{answer}'\n"
    return {
        "Template": resource(
            "EC2::LaunchTemplate",
            LaunchTemplateData={"ImageId": "ami-00000000000000000", "InstanceType": version},
        ),
        "Function": resource(
            "Lambda::Function",
            Role=role,
            Runtime="python3.13",
            Handler="index.handler",
            Code={"ZipFile": code},
            MemorySize=size,
            Environment={"Variables": {"ANSWER": answer}},
        ),
    }


@contract_of(StacksFail)
def test_function_and_launch_template_are_changed_in_place(region: Region) -> None:
    """The function runs its new code; the template has another version."""
    role = role_of_a_function(region)
    ids = changed(
        region, compute(role, "old", "t3.nano", 128), compute(role, "new", "t3.micro", 256)
    )
    client = region.client("lambda")
    reply = client.invoke(FunctionName=ids["Function"])["Payload"].read()
    assert json.loads(reply) == "new"
    configuration = client.get_function(FunctionName=ids["Function"])["Configuration"]
    assert configuration["MemorySize"] == 256
    assert configuration["Environment"] == {"Variables": {"ANSWER": "new"}}
    versions = region.client("ec2").describe_launch_template_versions(
        LaunchTemplateId=ids["Template"], Versions=["$Latest"]
    )["LaunchTemplateVersions"]
    assert [row["LaunchTemplateData"]["InstanceType"] for row in versions] == ["t3.micro"]
