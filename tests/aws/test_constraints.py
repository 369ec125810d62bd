"""What the function sends is held against the table of constraints in every test of this folder."""

from __future__ import annotations

import boto3
import pytest

from tests.aws.constraints import Constraints


@pytest.fixture
def constraints() -> Constraints:
    """Return what watches an SNS client that sends nothing."""
    return Constraints()


def test_subject_with_a_line_break_is_found(constraints: Constraints) -> None:
    """The call is named, the value, and who says so."""
    topic = "arn:aws:sns:eu-west-1:123456789012:any"
    sns = boto3.client("sns", region_name="eu-west-1")
    constraints.watch(sns)
    with pytest.raises(sns.exceptions.ClientError):
        sns.publish(TopicArn=topic, Subject="two\nlines", Message="any")
    (found,) = constraints.found
    assert found.startswith("sns.Publish/Subject is 'two\\nlines', which is not made of ASCII")


def test_parameter_of_which_nothing_is_documented_is_found(constraints: Constraints) -> None:
    """A new parameter needs a row."""
    ec2 = boto3.client("ec2", region_name="eu-west-1")
    constraints.watch(ec2)
    with pytest.raises(ec2.exceptions.ClientError):
        ec2.create_route(RouteTableId="rtb-0", CarrierGatewayId="any")
    assert constraints.found == ["nothing is documented of ec2.CreateRoute/CarrierGatewayId"]
