"""What the simulator makes of a call: which of the resources that it names are decided on."""

from __future__ import annotations

from typing import Any

import pytest

from lab.emulator.iam.service import Candidate, Decision, Question, Verdict
from tests.iam import SIMULATOR

ANYBODY = "arn:aws:sts::123456789012:assumed-role/any/any"
PLACE = "us-east-1:123456789012"
TABLE = f"arn:aws:ec2:{PLACE}:route-table/rtb-1"


def allow(action: str, *resources: str) -> list[dict[str, Any]]:
    """Return policies that allow an action on some resources."""
    statement = {"Effect": "Allow", "Action": action, "Resource": list(resources)}
    return [{"Version": "2012-10-17", "Statement": [statement]}]


def decide(policies: list[dict[str, Any]], action: str, *candidates: str) -> tuple[Decision, ...]:
    """Return the decisions on an action, with the resources that its call names."""
    question = Question(
        action=action,
        context=(("aws:RequestedRegion", "us-east-1"),),
        candidates=tuple(map(Candidate, candidates)),
    )
    return SIMULATOR.decide(policies, question, principal=ANYBODY)


def test_resource_is_passed_over_when_the_action_does_not_take_its_type() -> None:
    """ReplaceRoute names an interface too, and nobody needs a permission on it."""
    interface = f"arn:aws:ec2:{PLACE}:network-interface/eni-1"
    assert decide(allow("ec2:ReplaceRoute", TABLE), "ec2:ReplaceRoute", TABLE, interface) == (
        Decision(TABLE, Verdict.ALLOWED),
    )


def test_each_resource_is_decided_on_when_the_action_takes_several() -> None:
    """A subnet is not moved by a permission on the table alone."""
    subnet = f"arn:aws:ec2:{PLACE}:subnet/subnet-1"
    action = "ec2:ReplaceRouteTableAssociation"
    assert decide(allow(action, TABLE), action, TABLE, subnet) == (
        Decision(TABLE, Verdict.ALLOWED),
        Decision(subnet, Verdict.NOT_ALLOWED),
    )


@pytest.mark.parametrize(
    ("resource", "verdict"), [("*", Verdict.ALLOWED), (TABLE, Verdict.NOT_ALLOWED)]
)
def test_action_needs_a_permission_on_everything_when_no_resource_can_be_told(
    resource: str, verdict: Verdict
) -> None:
    """A permission on one table is none for a call that names no table."""
    assert decide(allow("ec2:ReplaceRoute", resource), "ec2:ReplaceRoute") == (
        Decision(f"arn:aws:ec2:{PLACE}:route-table/*", verdict),
    )


def test_action_needs_a_permission_on_each_type_when_its_call_names_only_some() -> None:
    """Volumes are attached by a permission on both."""
    action, instance = "ec2:AttachVolume", f"arn:aws:ec2:{PLACE}:instance/i-1"
    assert decide(allow(action, instance), action, instance) == (
        Decision(instance, Verdict.ALLOWED),
        Decision(f"arn:aws:ec2:{PLACE}:volume/*", Verdict.NOT_ALLOWED),
    )


def test_action_needs_a_permission_on_a_whole_type_when_it_requires_none() -> None:
    """Metrics go to no dataset, or to one that the call does not name."""
    action, datasets = "cloudwatch:PutMetricData", f"arn:aws:cloudwatch:{PLACE}:dataset/*"
    assert decide(allow(action, "*"), action) == (Decision(datasets, Verdict.ALLOWED),)


def test_action_without_resources_needs_a_permission_on_a_star() -> None:
    """Looking cannot be limited to a resource, whatever the call names."""
    action = "ec2:DescribeRouteTables"
    assert decide(allow(action, "*"), action, TABLE) == (Decision(None, Verdict.ALLOWED),)
    assert decide(allow(action, TABLE), action, TABLE) == (Decision(None, Verdict.NOT_ALLOWED),)


def test_pattern_is_allowed_when_the_action_is_allowed_on_some_of_its_resources() -> None:
    """It stands for a resource that is gone, and counts as one of its type."""
    tables = f"arn:aws:ec2:{PLACE}:route-table/rtb-*"
    action = "ec2:ReplaceRoute"
    assert decide(allow(action, TABLE), action, tables) == (Decision(tables, Verdict.ALLOWED),)
    other = TABLE.replace("route-table", "subnet")
    assert decide(allow(action, other), action, tables) != (Decision(tables, Verdict.ALLOWED),)


def test_resources_are_alternatives_when_the_service_is_not_ec2() -> None:
    """An execution is a standard one or an express one, not both."""
    action, execution = "states:DescribeExecution", f"arn:aws:states:{PLACE}:execution:any:any"
    assert decide(allow(action, execution), action, execution) == (
        Decision(execution, Verdict.ALLOWED),
    )


def test_action_is_denied_when_a_statement_denies_it() -> None:
    """A denial is told from a permission that is missing."""
    policies = allow("ec2:ReplaceRoute", TABLE)
    policies[0]["Statement"][0]["Effect"] = "Deny"
    assert decide(policies, "ec2:ReplaceRoute", TABLE) == (Decision(TABLE, Verdict.DENIED),)


def test_decision_is_an_error_when_iam_has_no_such_action() -> None:
    """A permission that the lab gets wrong would otherwise pass for one that is refused."""
    with pytest.raises(ValueError, match=r"ec2:RepairRoute: no action of IAM"):
        decide(allow("*", "*"), "ec2:RepairRoute", TABLE)


def test_decision_is_an_error_when_a_policy_is_none() -> None:
    """A document that IAM would not have taken allows nothing, and forbids nothing."""
    with pytest.raises(ValueError, match=r"policy\.errors"):
        decide(allow("ec2", TABLE), "ec2:ReplaceRoute", TABLE)
