"""The function, what invokes it, and what waits for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import FileSystem

from cdk_nat_failover.function.failover_function import NOT_SOURCE
from nat_failover.contract import HomeTable, Settings, Strategy
from tests.iam import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.synth.template import Template

FUNCTION = "AWS::Lambda::Function"
SOURCE = Path(__file__).parents[2] / "lambda_src"


def test_function_is_what_the_package_offers(template: Template) -> None:
    """`nat_failover.do`, on Python 3.14 and Graviton, for ten minutes at most."""
    function = template.properties(FUNCTION)
    assert function["Handler"] == "nat_failover.do"
    assert function["Runtime"] == "python3.14"
    assert function["Architectures"] == ["arm64"]
    assert function["MemorySize"] == 1769
    assert function["Timeout"] == 600


def test_function_depends_on_no_nat_and_on_no_reserve(template: Template) -> None:
    """It is outside of the VPC that it repairs, and takes no concurrency from new accounts."""
    function = template.properties(FUNCTION)
    assert "VpcConfig" not in function
    assert "ReservedConcurrentExecutions" not in function


def test_function_logs_json_and_the_log_is_kept_for_a_month(template: Template) -> None:
    """Retention is what the settings say; the role cannot create another log group."""
    assert template.properties(FUNCTION)["LoggingConfig"] == {
        "LogFormat": "JSON",
        "LogGroup": {"Ref": template.logical_id("AWS::Logs::LogGroup")},
    }
    assert template.properties("AWS::Logs::LogGroup")["RetentionInDays"] == 30


def test_function_leaves_what_it_gave_up_in_a_queue(template: Template) -> None:
    """Encrypted, and kept for as long as a queue keeps a message."""
    queue = template.logical_id("AWS::SQS::Queue")
    assert template.properties(FUNCTION)["DeadLetterConfig"] == {
        "TargetArn": {"Fn::GetAtt": [queue, "Arn"]}
    }
    properties = template.properties("AWS::SQS::Queue")
    assert properties["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert properties.get("SqsManagedSseEnabled") or properties.get("KmsMasterKeyId")


def test_events_are_retried_for_as_long_as_they_say_anything(template: Template) -> None:
    """A crash once more; what Lambda or a rule cannot hand over is dropped, for a sweep is next."""
    retries = template.properties("AWS::Lambda::EventInvokeConfig")
    assert retries["MaximumRetryAttempts"] == 1
    answer_limit = template.properties("Custom::DefaultRoutes")["ServiceTimeout"]
    assert int(answer_limit) < retries["MaximumEventAgeInSeconds"] == 15 * 60
    ages = [
        target["RetryPolicy"]["MaximumEventAgeInSeconds"]
        for rule in template.resources("AWS::Events::Rule").values()
        for target in rule["Properties"]["Targets"]
    ]
    assert ages == [60, 60, 60]


def test_events_are_bounded_before_the_first_instance_is_launched(template: Template) -> None:
    """The group depends on everything that its launches need of the function."""
    (group,) = template.resources("AWS::AutoScaling::AutoScalingGroup").values()
    assert template.logical_id("AWS::Lambda::EventInvokeConfig") in group["DependsOn"]


def test_function_is_told_the_private_tables_of_its_stack(
    synthesize: Callable[[str], Template],
) -> None:
    """The environment reads as the settings that the function understands."""
    template = synthesize("swap-route-table")
    values = {
        "AWS::AvailabilityZones": "eu-west-1a,eu-west-1b,eu-west-1c",
        "AWS::StackId": "arn:any-stack",
        template.logical_id("AWS::EC2::VPC"): "vpc-any",
        template.logical_id("AWS::DynamoDB::Table"): "any-table",
        template.logical_id("AWS::SNS::Topic", "Outcome"): "arn:any-topic",
    }
    for number in (1, 2):
        values[_private(template, "AWS::EC2::RouteTable", number)] = f"rtb-{number}"
        values[_private(template, "AWS::EC2::Subnet", number)] = f"subnet-{number}"
    environment = resolve(template.properties(FUNCTION)["Environment"]["Variables"], values)
    assert Settings.from_env(environment) == Settings(
        stack="NatFailover",
        stack_id="arn:any-stack",
        vpc="vpc-any",
        group="NatFailover-nat",
        wanted=2,
        memory="any-table",
        tables=(
            HomeTable(id="rtb-1", zone="eu-west-1a", subnets=("subnet-1",)),
            HomeTable(id="rtb-2", zone="eu-west-1b", subnets=("subnet-2",)),
        ),
        outcome_topic="arn:any-topic",
        strategy=Strategy.SWAP_ROUTE_TABLE,
    )


def test_function_is_told_whether_the_nats_watch_each_other(
    default: Template, synthesize: Callable[[str], Template]
) -> None:
    """It expects no claims of NATs that make none."""
    told = [
        template.properties(FUNCTION)["Environment"]["Variables"]["NAT_WATCH"]
        for template in (default, synthesize("unwatched"))
    ]
    assert told == ["true", "false"]


def test_function_ships_its_source_and_nothing_else(default: Template) -> None:
    """The asset is the package as it is in the repository."""
    code = default.properties("AWS::Lambda::Function")["Code"]["S3Key"]
    asset = default.directory / f"asset.{code.removesuffix('.zip')}"
    assert _files(asset) == {path for path in _files(SOURCE) if path.suffix == ".py"}


def test_function_has_the_same_asset_when_bytecode_lies_about(tmp_path: Path) -> None:
    """Who has run the tests deploys the same function as who has not."""
    (tmp_path / "handler.py").touch()
    before = FileSystem.fingerprint(str(tmp_path), exclude=NOT_SOURCE)
    (tmp_path / "package" / "__pycache__").mkdir(parents=True)
    (tmp_path / "package" / "__pycache__" / "handler.cpython-314.pyc").touch()
    (tmp_path / "nat.egg-info").mkdir()
    (tmp_path / "nat.egg-info" / "PKG-INFO").touch()
    assert FileSystem.fingerprint(str(tmp_path), exclude=NOT_SOURCE) == before


def test_topic_invokes_the_function(template: Template) -> None:
    """The subscription and the permission name the same topic and the same function."""
    topic = {"Ref": template.logical_id("AWS::SNS::Topic", "NatFailed")}
    function = {"Fn::GetAtt": [template.logical_id(FUNCTION), "Arn"]}
    assert template.properties("AWS::SNS::Subscription", "FailoverSubscription") == {
        "Endpoint": function,
        "Protocol": "lambda",
        "TopicArn": topic,
    }
    assert template.properties("AWS::Lambda::Permission", "TopicMayInvoke") == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": function,
        "Principal": "sns.amazonaws.com",
        "SourceArn": topic,
    }


def test_sweep_invokes_the_function_every_minute(template: Template) -> None:
    """Its input tells the function that nothing in particular happened."""
    rule = template.properties("AWS::Events::Rule", "Sweep")
    (target,) = rule["Targets"]
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 minute)", "ENABLED")
    assert json.loads(target["Input"]) == {"source": "nat-failover.sweep"}
    assert target["Arn"] == {"Fn::GetAtt": [template.logical_id(FUNCTION), "Arn"]}


def test_instance_that_leaves_invokes_the_function_at_once(template: Template) -> None:
    """The rule takes the two states in which an instance may still forward, before the group."""
    rule_id = template.logical_id("AWS::Events::Rule", "InstanceLeaves")
    rule = template.resources("AWS::Events::Rule")[rule_id]["Properties"]
    assert rule["EventPattern"] == {
        "source": ["aws.ec2"],
        "detail-type": ["EC2 Instance State-change Notification"],
        "detail": {"state": ["stopping", "shutting-down"]},
    }
    function = {"Fn::GetAtt": [template.logical_id(FUNCTION), "Arn"]}
    assert [target["Arn"] for target in rule["Targets"]] == [function]
    permissions = template.resources("AWS::Lambda::Permission").values()
    assert {
        "Action": "lambda:InvokeFunction",
        "FunctionName": function,
        "Principal": "events.amazonaws.com",
        "SourceArn": {"Fn::GetAtt": [rule_id, "Arn"]},
    } in [permission["Properties"] for permission in permissions]
    (group,) = template.resources("AWS::AutoScaling::AutoScalingGroup").values()
    assert rule_id in group["DependsOn"]


def test_deployment_waits_until_every_table_is_served(template: Template) -> None:
    """The resource that waits is made after everything that it takes, and removed before it."""
    (served,) = template.resources("Custom::DefaultRoutes").values()
    sweep_id = template.logical_id("AWS::Events::Rule", "Sweep")
    sweep = template.resources("AWS::Events::Rule")[sweep_id]
    (group,) = template.resources("AWS::AutoScaling::AutoScalingGroup")
    assert served["Properties"]["ServiceToken"] == {
        "Fn::GetAtt": [template.logical_id(FUNCTION), "Arn"]
    }
    assert group in sweep["DependsOn"]
    assert {
        sweep_id,
        *(
            name
            for name in template.resources("AWS::EC2::SubnetRouteTableAssociation")
            if "Private" in name
        ),
    } <= set(served["DependsOn"])


def test_moved_subnets_are_released_after_the_group_is_gone(template: Template) -> None:
    """The resource knows the associations that CloudFormation made, and outlives the NATs."""
    (known,) = template.resources("Custom::PrivateAssociations").values()
    assert known["Properties"]["Associations"] == [
        {"Ref": name}
        for name in template.resources("AWS::EC2::SubnetRouteTableAssociation")
        if "Private" in name
    ]
    (group,) = template.resources("AWS::AutoScaling::AutoScalingGroup").values()
    assert template.logical_id("Custom::PrivateAssociations") in group["DependsOn"]


def test_deployment_waits_longer_than_the_function_runs(template: Template) -> None:
    """The function's own answer comes first; CloudFormation gives up only on silence."""
    timeout = template.properties(FUNCTION)["Timeout"]
    assert int(template.properties("Custom::DefaultRoutes")["ServiceTimeout"]) > timeout


def test_deployment_waits_again_when_the_instances_change(
    default: Template, synthesize: Callable[[str], Template]
) -> None:
    """A new image or boot script is a new template, which is a property of what waits."""
    launch_template = default.logical_id("AWS::EC2::LaunchTemplate")
    assert default.properties("Custom::DefaultRoutes")["Launch"] == {"Ref": launch_template}
    other = synthesize("launch-configuration")
    assert other.properties("Custom::DefaultRoutes")["Launch"] == {
        "Ref": other.logical_id("AWS::AutoScaling::LaunchConfiguration")
    }


def test_deployment_waits_again_when_what_it_waits_for_changes(
    synthesize: Callable[[str], Template],
) -> None:
    """The group, its subnets and their tables, and the policy are properties of what waits."""
    template = synthesize("swap-and-adopt")
    served = template.properties("Custom::DefaultRoutes")
    refs = {
        part: [{"Ref": _private(template, kind, number)} for number in (1, 2)]
        for part, kind in (("RouteTables", "AWS::EC2::RouteTable"), ("Subnets", "AWS::EC2::Subnet"))
    }
    assert {part: served[part] for part in refs} == refs
    group = template.logical_id("AWS::AutoScaling::AutoScalingGroup")
    assert (served["Group"], served["Strategy"], served["Adopt"]) == (
        {"Ref": group},
        "swap-route-table",
        True,
    )


def test_function_outlives_the_group_with_everything_that_it_needs(template: Template) -> None:
    """CloudFormation deletes what depends on others first: the hook's handler goes last.

    The group's instances run terminate hooks and leave routes to be repaired while it is deleted,
    and before that the resource that waits makes the group deletable.
    """
    served = template.logical_id("Custom::DefaultRoutes")
    group = template.logical_id("AWS::AutoScaling::AutoScalingGroup")
    outlives = _needs(template, group)
    assert group in _needs(template, served)
    needed = (
        (FUNCTION, ""),
        ("AWS::IAM::Role", "Failover"),
        ("AWS::Logs::LogGroup", ""),
        ("AWS::DynamoDB::Table", ""),
        ("AWS::SQS::Queue", ""),
        ("AWS::SNS::Topic", "Outcome"),
        ("AWS::SNS::Topic", "NatFailed"),
        ("AWS::SNS::TopicPolicy", "NatFailed"),
        ("AWS::SNS::Subscription", "FailoverSubscription"),
        ("AWS::Lambda::Permission", "TopicMayInvoke"),
        ("AWS::Lambda::EventInvokeConfig", ""),
        ("AWS::Events::Rule", "InstanceDrains"),
        ("AWS::Events::Rule", "InstanceLeaves"),
        ("Custom::PrivateAssociations", ""),
    )
    assert {template.logical_id(kind, part) for kind, part in needed} <= outlives


def _needs(template: Template, name: str) -> set[str]:
    """Return what a resource depends on, directly or not."""
    resources = template.body["Resources"]
    found: set[str] = set()
    waiting = [name]
    while waiting:
        text = json.dumps(resources[waiting.pop()])
        new = {row for row in resources if f'"{row}"' in text} - found - {name}
        found |= new
        waiting.extend(new)
    return found


def _private(template: Template, kind: str, number: int) -> str:
    return template.logical_id(kind, f"PrivateSubnet{number}")


def _files(directory: Path) -> set[Path]:
    return {path.relative_to(directory) for path in directory.rglob("*") if path.is_file()}
