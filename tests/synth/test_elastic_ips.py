"""The Elastic IPs of the NATs, in the template."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cdk_nat_failover import InstanceOptions, NatFailover, NewNetwork, OptionsError
from tests.synth.test_library import any_stack, template_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.synth.template import Template

IP = "AWS::EC2::EIP"
GROUP = "AWS::AutoScaling::AutoScalingGroup"
FUNCTION = "AWS::Lambda::Function"
GIVEN = ("eipalloc-0123456789abcdef0", "eipalloc-0fedcba9876543210")


def synthesized(elastic_ips: Any, desired: int | None = None) -> dict[str, dict[str, Any]]:  # noqa: ANN401 - as given
    """Return the resources of a library's stack with Elastic IPs."""
    stack = any_stack()
    options = InstanceOptions(elastic_ips=elastic_ips, desired=desired)
    NatFailover(stack, "Nat", network=NewNetwork(stack, "Network").network, instances=options)
    found: dict[str, dict[str, Any]] = template_of(stack).body["Resources"]
    return found


def of(kind: str, resources: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the resources of a type."""
    return [row for row in resources.values() if row["Type"] == kind]


@pytest.mark.parametrize(
    ("elastic_ips", "policies"),
    [("created", ("Delete", "Delete")), ("retained", ("RetainExceptOnCreate", "Retain"))],
)
def test_elastic_ips_go_with_the_stack_unless_they_are_retained(
    elastic_ips: str, policies: tuple[str, str]
) -> None:
    """One for each NAT; those of a creation that fails go in any case."""
    made = of(IP, synthesized(elastic_ips, desired=3))
    assert [(row["DeletionPolicy"], row["UpdateReplacePolicy"]) for row in made] == [policies] * 3


def test_function_is_told_of_the_elastic_ips(synthesize: Callable[[str], Template]) -> None:
    """And by what the NATs are launched that have them; without any it is told nothing."""
    template = synthesize("elastic-ips")
    told = template.properties(FUNCTION)["Environment"]["Variables"]
    parts = told["NAT_ELASTIC_IPS"]["Fn::Join"][1]
    ids = [{"Fn::GetAtt": [name, "AllocationId"]} for name in sorted(template.resources(IP))]
    assert [part for part in parts if part != ","] == ids
    assert told["NAT_LAUNCH"] == {"Ref": template.logical_id("AWS::EC2::LaunchTemplate")}
    variables = synthesize("default").properties(FUNCTION)["Environment"]["Variables"]
    assert not {"NAT_ELASTIC_IPS", "NAT_LAUNCH"} & variables.keys()


def test_elastic_ips_that_are_given_are_left_to_whoever_gave_them(
    synthesize: Callable[[str], Template],
) -> None:
    """The function is told their allocations, and the name of the launch configuration."""
    template = synthesize("elastic-ips-that-are-given")
    told = template.properties(FUNCTION)["Environment"]["Variables"]
    assert {} == template.resources(IP)
    assert told["NAT_ELASTIC_IPS"] == ",".join(GIVEN)
    configuration = template.logical_id("AWS::AutoScaling::LaunchConfiguration")
    assert told["NAT_LAUNCH"] == {"Ref": configuration}


def test_group_ends_before_the_elastic_ips(synthesize: Callable[[str], Template]) -> None:
    """CloudFormation takes an address away from what has it."""
    template = synthesize("elastic-ips")
    resources = template.body["Resources"]
    function = template.logical_id(FUNCTION)
    (group,) = template.resources(GROUP).values()
    assert function in group["DependsOn"]
    assert all(f'"{name}"' in json.dumps(resources[function]) for name in template.resources(IP))


@pytest.mark.parametrize(
    ("before", "after"),
    [(None, "created"), ("created", None), ("created", GIVEN), (GIVEN, None)],
)
def test_nats_are_replaced_when_they_are_to_have_other_addresses(
    before: object, after: object
) -> None:
    """Their launch template has another name, so that a deployment rolls."""

    def name(elastic_ips: object) -> Any:  # noqa: ANN401 - of a template
        (made,) = of("AWS::EC2::LaunchTemplate", synthesized(elastic_ips))
        return made["Properties"]["LaunchTemplateName"]

    assert name(before) != name(after)


def test_nats_are_not_replaced_when_their_addresses_are_retained() -> None:
    """Nor when the same are given in another order."""

    def data(elastic_ips: object) -> Any:  # noqa: ANN401 - of a template
        (made,) = of("AWS::EC2::LaunchTemplate", synthesized(elastic_ips))
        return made["Properties"]["LaunchTemplateData"]["UserData"]

    assert data("created") == data("retained")
    assert data(GIVEN) == data(GIVEN[::-1])


def test_construct_refuses_elastic_ips_that_are_not_one_for_each_nat() -> None:
    """As the app does."""
    with pytest.raises(OptionsError, match="elastic_ips has 2, but desired is 3; allowed: one for"):
        synthesized(GIVEN, desired=3)


def test_construct_refuses_more_elastic_ips_than_its_function_can_be_told_of() -> None:
    """Its environment has 4 KB, for tables and addresses together."""
    stack = any_stack()
    made = NewNetwork(stack, "Network").network
    homes = tuple(replace(made.homes[0], table=f"rtb-{number}") for number in range(28))
    options = InstanceOptions(elastic_ips="created", desired=2)
    with pytest.raises(OptionsError, match="28 private route tables to serve, with 2 Elastic IPs"):
        NatFailover(stack, "Nat", network=replace(made, homes=homes), instances=options)


def test_app_has_the_addresses_as_an_output(synthesize: Callable[[str], Template]) -> None:
    """For the allow-lists of others."""
    template = synthesize("elastic-ips")
    parts = template.body["Outputs"]["ElasticIps"]["Value"]["Fn::Join"][1]
    assert [part["Ref"] for part in parts if part != ","] == sorted(template.resources(IP))
    assert "ElasticIps" not in synthesize("default").body["Outputs"]
