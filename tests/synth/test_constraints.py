"""Every value of every template obeys what AWS documents of it, and none is undocumented."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from botocore import xform_name
from botocore.session import get_session

from aws_constraints.table import breaches, covers, kind_of
from nat_failover.contract import METRIC_NAMESPACE, METRICS
from stacks.nat_stack import NatStack
from stacks.settings.reader import read_settings
from tests.aws.constraints import mistakes
from tests.synth.schema import says_which
from tests.synth.values import leaves, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.model import OperationModel

    from tests.synth.template import Template

ROOT = Path(__file__).parents[2]
BOOT = ROOT / "cdk_nat_failover" / "instances" / "boot" / "boot.sh"

SECTIONS = ("Description", "Outputs", "Parameters", "Rules")

EXTREMES: dict[str, dict[str, Any]] = {
    "longest": {
        "name": "N" * 128,
        "network": {
            "cidr": "10.2.0.0/16",
            "additional_cidrs": [f"10.{number}.0.0/16" for number in (3, 4, 5, 6)],
            "zones": [f"ap-southeast-2{letter}" for letter in "abcdef"],
        },
        "fleet": {
            "max": 6,
            "self_test": [f"{number}{'.example' * 30}" for number in range(4)],
            "session_manager": True,
            "drain_s": 2700,
            "max_lifetime_days": 365,
            "image_updates": "at-launch",
        },
        "topic": {"customer_key": True},
        "failover": {"strategy": "swap-route-table", "adopt": True},
        "alerts": {"emails": [f"{'o' * 60}{number}@example.com" for number in range(5)]},
    },
    "existing": {
        "name": "N" * 128,
        "network": {
            "vpc": f"vpc-{1:017}",
            "cidr": "10.2.0.0/16",
            "additional_cidrs": [f"10.{number}.0.0/16" for number in (3, 4, 5, 6)],
            "public_subnets": [f"subnet-{number:017}" for number in range(10)],
            "route_tables": [f"rtb-{number:017}" for number in range(24)],
            "served_cidrs": [f"172.16.{number}.128/25" for number in range(200, 250)],
        },
        "fleet": {
            "max": 10,
            "session_manager": True,
            "elastic_ips": [f"eipalloc-{number:017}" for number in range(10)],
        },
        "topic": {"customer_key": True},
    },
    "smallest": {
        "name": "N",
        "network": {"cidr": "192.168.0.0/25"},
        "fleet": {"watch": False, "drain_s": 30, "max_lifetime_days": 1},
    },
}
"""Settings that make values as long, or as many, as they may get."""


def uncovered(body: dict[str, Any]) -> Iterator[str]:
    """Yield the paths of values that neither a row nor a schema constrains."""
    for kind, part in parts(body):
        for path, value in leaves(part):
            known = covers((kind_of(kind), *path)) or says_which(kind, path)
            if not known and not isinstance(value, bool):
                yield "/".join((kind, *path))


def broken(body: dict[str, Any]) -> list[str]:
    """Return what breaks a row, in words."""
    found = [b for kind, part in parts(body) for b in breaches(kind, resolve(part))]
    return [str(breach) for breach in found]


def parts(body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the resources of a template with their types, and its other sections."""
    for name, resource in body["Resources"].items():
        yield resource["Type"], resource.get("Properties", {})
        yield "Template", {"LogicalId": name}
    yield "Template", {key: body[key] for key in SECTIONS if key in body}


def test_template_has_no_value_of_which_nothing_is_documented(template: Template) -> None:
    """A path in this list needs a row in `aws_constraints`, with its source."""
    assert sorted(set(uncovered(template.body))) == []


def test_template_has_no_value_that_aws_refuses(template: Template) -> None:
    """CloudFormation's schema, and so cfn-lint, knows the fewest of these rules."""
    assert broken(template.body) == []


@pytest.mark.parametrize("extreme", EXTREMES)
def test_no_setting_makes_a_value_that_aws_refuses(extreme: str, tmp_path: Path) -> None:
    """Also where names are as long and lists as full as the settings allow."""
    settings = read_settings(EXTREMES[extreme])
    app = cdk.App(outdir=str(tmp_path))
    NatStack(app, settings.name, settings=settings)
    body = app.synth().get_stack_by_name(settings.name).template
    assert broken(body) == []
    assert sorted(set(uncovered(body))) == []


def test_metrics_have_names_that_cloudwatch_takes() -> None:
    """The embedded metric format carries them, which nothing checks at the call."""
    for name in METRICS:
        dimensions = [{"Name": "Stack", "Value": "N" * 128}]
        metric = {"Namespace": METRIC_NAMESPACE, "MetricName": name, "Dimensions": dimensions}
        assert breaches("metrics.Put", metric) == []


def test_boot_script_names_its_steps_so_that_they_can_be_in_a_user_agent() -> None:
    """An SDK drops an application id that is too long or has other characters."""
    script = BOOT.read_text(encoding="utf-8")
    steps = re.findall(r"^ *step \d+ '([^']+)'", script, re.MULTILINE)
    assert len(steps) >= 6
    for step in steps:
        assert breaches("sdk", {"AppId": f"nat-boot.{step.replace(' ', '-')}"}) == []


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ({"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150}, ""),
        ({"MinHealthyPercentage": -1, "MaxHealthyPercentage": -1}, ""),
        ({"MinHealthyPercentage": 90}, "has MinHealthyPercentage only"),
        (
            {"MinHealthyPercentage": 50, "MaxHealthyPercentage": 99},
            "has MaxHealthyPercentage 99, which is not from 100 to 200",
        ),
        (
            {"MinHealthyPercentage": 50, "MaxHealthyPercentage": 151},
            "has MinHealthyPercentage and MaxHealthyPercentage 101 apart, not 100",
        ),
    ],
)
def test_maintenance_policy_is_held_against_what_auto_scaling_allows(
    policy: dict[str, int], reason: str
) -> None:
    """Each percentage has its range, and the two of them have one."""
    found = breaches("AWS::AutoScaling::AutoScalingGroup", {"InstanceMaintenancePolicy": policy})
    assert [breach.row.rule.breach(breach.value) for breach in found] == [reason][: bool(reason)]


def instance_calls() -> Iterator[tuple[OperationModel, dict[str, Any]]]:
    """Yield the calls that the boot script writes out, with what the shell would put for words."""
    known = {
        '"$1"': "ABANDON",
        '"${group:?}"': f"{'N' * 128}-nat",
        '"${hook:?}"': "any-hook",
        '"${stack:?}"': "N" * 128,
        '"${resource:?}"': "AnyGroup",
        '"$instance"': "i-0123456789abcdef0",
        '"$(metadata instance-id)"': "i-0123456789abcdef0",
    }
    script = BOOT.read_text(encoding="utf-8").replace("\\\n", " ")
    for service, call, written in re.findall(r"\baws ([a-z]+) ([a-z-]+) ([^;\n]*)", script):
        model = get_session().get_service_model(service)
        (name,) = [name for name in model.operation_names if xform_name(name, "-") == call]
        operation = model.operation_model(name)
        given = dict(re.findall(r"--([a-z-]+) (\"[^\"]*\"|\S+)", written))
        assert operation.input_shape is not None
        members = {member: xform_name(member, "-") for member in operation.input_shape.members}
        yield (
            operation,
            {
                member: known.get(given[option], given[option])
                for member, option in members.items()
                if option in given
            },
        )


def test_instance_makes_calls_with_values_that_aws_takes() -> None:
    """Each parameter that the script gives has a row or a model that says which values it takes."""
    calls = {operation.name: (operation, given) for operation, given in instance_calls()}
    assert {name: sorted(given) for name, (_, given) in calls.items()} == {
        "CompleteLifecycleAction": [
            "AutoScalingGroupName",
            "InstanceId",
            "LifecycleActionResult",
            "LifecycleHookName",
        ],
        "SignalResource": ["LogicalResourceId", "StackName", "Status", "UniqueId"],
    }
    assert [found for call in calls.values() for found in mistakes(*call)] == []


def test_apostrophe_in_the_description_of_a_rule_is_found(default: Template) -> None:
    """EC2 refuses it, and no schema says so."""
    body = copy.deepcopy(default.body)
    group = next(r for r in body["Resources"].values() if r["Type"] == "AWS::EC2::SecurityGroup")
    group["Properties"]["SecurityGroupIngress"][0]["Description"] = "The VPC's traffic"
    (found,) = broken(body)
    assert found.startswith("AWS::EC2::SecurityGroup/SecurityGroupIngress/*/Description is")


def test_property_of_which_nothing_is_documented_is_found(default: Template) -> None:
    """The path is named."""
    body = copy.deepcopy(default.body)
    topic = next(r for r in body["Resources"].values() if r["Type"] == "AWS::SNS::Topic")
    topic["Properties"]["Invented"] = ["any"]
    assert list(uncovered(body)) == ["AWS::SNS::Topic/Invented/*"]
