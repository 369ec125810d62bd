"""How NATs leave by plan: drain, lifetime, and the image that the next one boots."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest

from cdk_nat_failover import InstanceOptions, NatFailover, NewNetwork
from cdk_nat_failover.options.instances import LEAST_DRAIN_S, MOST_DRAIN_S
from lab.emulator.services.cloudformation.signals import seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.synth.template import Template

GROUP = "AWS::AutoScaling::AutoScalingGroup"
TEMPLATE = "AWS::EC2::LaunchTemplate"
IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.12-arm64"


def group_with(**options: Any) -> dict[str, Any]:  # noqa: ANN401 - as the options take it
    """Return the group of a construct with these options."""
    stack = cdk.Stack(cdk.App(), "Any")
    network = NewNetwork(stack, "Network").network
    NatFailover(stack, "Nat", network=network, instances=InstanceOptions(**options))
    resources = cdk.assertions.Template.from_stack(stack).find_resources(GROUP)
    (group,) = resources.values()
    return dict(group)


def test_group_holds_each_termination_while_the_instance_drains(template: Template) -> None:
    """For five minutes at most; then it goes on by itself, whoever has forgotten to say so."""
    _, hook = template.properties(GROUP)["LifecycleHookSpecificationList"]
    assert hook == {
        "DefaultResult": "CONTINUE",
        "HeartbeatTimeout": 300,
        "LifecycleHookName": "drain",
        "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
    }


@pytest.mark.parametrize("drain_s", [LEAST_DRAIN_S, 61, MOST_DRAIN_S])
def test_update_waits_for_the_drain_and_for_a_boot_that_fails_once(drain_s: int) -> None:
    """Whether a replacement is launched before or after the drain; CloudFormation waits an hour."""
    group = group_with(drain_s=drain_s)
    pause = seconds(group["UpdatePolicy"]["AutoScalingRollingUpdate"]["PauseTime"])
    assert pause == 15 * 60 + drain_s
    assert pause <= 3600
    assert group["CreationPolicy"]["ResourceSignal"]["Timeout"] == "PT15M"


@pytest.mark.parametrize(("days", "limit_s"), [(None, 0), (1, 86_400), (365, 31_536_000)])
def test_group_renews_nats_of_the_age_that_the_options_name(days: int | None, limit_s: int) -> None:
    """In seconds; without an age the limit is 0, which also clears one that was there before."""
    group = group_with(max_lifetime_days=days)
    assert group["Properties"]["MaxInstanceLifetime"] == limit_s


def test_nat_lives_a_month_by_default(default: Template) -> None:
    """Its replacement is launched before it is terminated, by the maintenance policy."""
    group = default.properties(GROUP)
    assert group["MaxInstanceLifetime"] == 30 * 86_400
    assert group["InstanceMaintenancePolicy"]["MinHealthyPercentage"] == 100


def test_launch_template_names_the_parameter_when_each_launch_takes_the_newest_image(
    synthesize: Callable[[str], Template],
) -> None:
    """EC2 resolves it at each launch, and nothing of the deployment decides the image."""
    template = synthesize("newest-image-at-launch")
    data = template.properties(TEMPLATE)["LaunchTemplateData"]
    assert data["ImageId"] == f"resolve:ssm:{IMAGE}"
    assert not [name for name in template.body["Parameters"] if "Image" in name]


def test_launch_template_that_resolves_its_image_is_named_without_it(
    default: Template, synthesize: Callable[[str], Template]
) -> None:
    """The text names the parameter: a newer image changes neither the text nor the name."""
    template = synthesize("newest-image-at-launch")
    ours, theirs = (
        row.properties(TEMPLATE)["LaunchTemplateName"]["Fn::Join"][1] for row in (template, default)
    )
    assert re.fullmatch("nat-[0-9a-f]{16}", ours[0])
    assert ours[0] != theirs[0]
    assert ours[1:] == [theirs[2], theirs[3]]


def test_rule_tells_the_function_of_a_drain_of_its_own_group(template: Template) -> None:
    """At once: the instance is `running` in EC2 until the hook is done."""
    rule_id = template.logical_id("AWS::Events::Rule", "InstanceDrains")
    rule = template.resources("AWS::Events::Rule")[rule_id]["Properties"]
    group = template.properties(GROUP)
    assert rule["EventPattern"] == {
        "source": ["aws.autoscaling"],
        "detail-type": ["EC2 Instance-terminate Lifecycle Action"],
        "detail": {"AutoScalingGroupName": [group["AutoScalingGroupName"]]},
    }
    function = {"Fn::GetAtt": [template.logical_id("AWS::Lambda::Function"), "Arn"]}
    assert [target["Arn"] for target in rule["Targets"]] == [function]
    (whole,) = template.resources(GROUP).values()
    assert rule_id in whole["DependsOn"]
