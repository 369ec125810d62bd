"""The evaluation of policies can tell a refusal from a question that makes no sense."""

from __future__ import annotations

import pytest

from tests.iam import Request, evaluate, resolve

TABLE = "arn:aws:ec2:eu-west-1:123456789012:route-table/rtb-1"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "ec2:ReplaceRoute",
            "Resource": TABLE,
            "Condition": {"StringEquals": {"aws:ResourceTag/team": "net"}},
        }
    ],
}


def test_request_is_allowed_just_when_action_resource_and_condition_match() -> None:
    """One evaluation answers many requests, in their order."""
    requests = [
        Request(action="ec2:ReplaceRoute", resource=TABLE, tags={"team": "net"}),
        Request(action="ec2:ReplaceRoute", resource=TABLE, tags={"team": "other"}),
        Request(action="ec2:ReplaceRoute", resource=f"{TABLE}0", tags={"team": "net"}),
        Request(action="ec2:CreateRoute", resource=TABLE, tags={"team": "net"}),
    ]
    assert evaluate([POLICY], requests) == [True, False, False, False]


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        (Request(action="ec2:RepairRoute", resource=TABLE), "invalid.action"),
        (Request(action="ec2:DescribeInstances", resource=TABLE), "must.use.wildcard"),
        (Request(action="ec2:ReplaceRoute", resource="arn:aws:s3:::bucket"), "no.resource.types"),
        (
            Request(action="ec2:ReplaceRoute", resource=TABLE, context={"sns:Protocol": "sms"}),
            "sns:Protocol",
        ),
    ],
)
def test_request_is_an_error_when_it_makes_no_sense(request_: Request, complaint: str) -> None:
    """A misspelt action would otherwise pass for one that is refused."""
    with pytest.raises(ValueError, match=complaint):
        evaluate([POLICY], [request_])


def test_template_part_is_resolved_with_the_values() -> None:
    """References, attributes, joins and selections, at any depth."""
    part = {
        "Resource": [{"Fn::Join": ["/", [{"Ref": "Table"}, {"Fn::GetAtt": ["Topic", "Arn"]}]]}],
        "Zone": {"Fn::Select": [1, {"Fn::GetAZs": ""}]},
        "Count": 1,
    }
    values = {"Table": "rtb-1", "Topic.Arn": "arn:t", "AWS::AvailabilityZones": "a,b"}
    assert resolve(part, values) == {"Resource": ["rtb-1/arn:t"], "Zone": "b", "Count": 1}


@pytest.mark.parametrize("part", [{"Ref": "Other"}, {"Fn::Sub": "${Other}"}])
def test_template_part_is_an_error_when_it_cannot_be_resolved(part: dict[str, str]) -> None:
    """A value that is missing is not an empty one."""
    with pytest.raises(KeyError):
        resolve(part, {"Table": "rtb-1"})
