"""The topics, their queue and their key: who may use them, and how."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.synth.template import Template

AUTO_SCALING_ROLE = {
    "Fn::Join": [
        "",
        [
            "arn:",
            {"Ref": "AWS::Partition"},
            ":iam::",
            {"Ref": "AWS::AccountId"},
            ":role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
        ],
    ]
}
THIS_ACCOUNT = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_topic_nat_failed_admits_auto_scaling_of_this_account_only(default: Template) -> None:
    """By its service-linked role; EventBridge invokes the function itself, and no alarm does."""
    assert _allowed(default, "AWS::SNS::TopicPolicy", "NatFailed") == {
        "AutoScaling": {
            "Action": "sns:Publish",
            "Condition": {"ArnEquals": {"aws:PrincipalArn": AUTO_SCALING_ROLE}},
            "Principal": {"AWS": "*"},
            "Resource": {"Ref": default.logical_id("AWS::SNS::Topic", "NatFailed")},
        },
    }


def test_topic_admits_just_the_services_that_the_stack_makes_publish_to_it(
    template: Template,
) -> None:
    """Alarms and rules name topics as their targets, the group in its notifications."""
    topics = template.resources("AWS::SNS::Topic")
    publishers = {
        "AutoScaling": "AWS::AutoScaling::AutoScalingGroup",
        "CloudWatch": "AWS::CloudWatch::Alarm",
        "EventBridge": "AWS::Events::Rule",
    }
    for topic, part in ((name, "Outcome" if "Outcome" in name else "NatFailed") for name in topics):
        used = {
            publisher
            for publisher, kind in publishers.items()
            if json.dumps({"Ref": topic}) in json.dumps(template.resources(kind))
        }
        assert set(_allowed(template, "AWS::SNS::TopicPolicy", part)) == used


def test_outcome_topic_admits_the_alarms(default: Template) -> None:
    """The function publishes by its role, the alarms by the topic's policy."""
    assert _allowed(default, "AWS::SNS::TopicPolicy", "Outcome") == {
        "CloudWatch": {
            "Action": "sns:Publish",
            "Condition": THIS_ACCOUNT,
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Resource": {"Ref": default.logical_id("AWS::SNS::Topic", "Outcome")},
        }
    }


def test_topic_and_queue_refuse_what_is_not_encrypted_on_the_way(template: Template) -> None:
    """TLS, or no message."""
    policies = [
        *template.resources("AWS::SNS::TopicPolicy").values(),
        *template.resources("AWS::SQS::QueuePolicy").values(),
    ]
    assert len(policies) == 3
    for policy in policies:
        (denied,) = (
            statement
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny"
        )
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert denied["Principal"] in ("*", {"AWS": "*"})


def test_key_encrypts_every_message_when_asked_for(
    synthesize: Callable[[str], Template],
) -> None:
    """Both topics and the dead-letter queue use the one rotated key."""
    template = synthesize("customer-key")
    assert template.properties("AWS::KMS::Key")["EnableKeyRotation"] is True
    key = {"Fn::GetAtt": [template.logical_id("AWS::KMS::Key"), "Arn"]}
    encrypted = [
        *template.resources("AWS::SNS::Topic").values(),
        *template.resources("AWS::SQS::Queue").values(),
    ]
    assert [resource["Properties"]["KmsMasterKeyId"] for resource in encrypted] == [key] * 3


def test_key_serves_those_who_may_publish(synthesize: Callable[[str], Template]) -> None:
    """A publisher who cannot use the key is refused by the topic, without a message to anybody."""
    statements = {
        statement["Sid"]: statement
        for statement in synthesize("customer-key").properties("AWS::KMS::Key")["KeyPolicy"][
            "Statement"
        ]
        if "Sid" in statement
    }
    assert {sid: statement["Principal"] for sid, statement in statements.items()} == {
        "AutoScaling": {"AWS": "*"},
        "CloudWatch": {"Service": "cloudwatch.amazonaws.com"},
    }
    assert {sid: statement.get("Condition") for sid, statement in statements.items()} == {
        "AutoScaling": {
            "ArnEquals": {"aws:PrincipalArn": AUTO_SCALING_ROLE},
            "StringEquals": {"kms:CallerAccount": {"Ref": "AWS::AccountId"}},
        },
        "CloudWatch": THIS_ACCOUNT,
    }
    assert {tuple(statement["Action"]) for statement in statements.values()} == {
        ("kms:Decrypt", "kms:GenerateDataKey*")
    }


def test_key_is_not_there_by_default(default: Template) -> None:
    """A key costs a dollar a month: it is there when it is asked for."""
    assert default.resources("AWS::KMS::Key") == {}


def test_person_is_subscribed_to_the_outcomes_when_named(
    synthesize: Callable[[str], Template],
) -> None:
    """Each address of `alerts.emails` is subscribed to the outcome topic."""
    template = synthesize("own-image-with-sessions-and-emails")
    assert template.properties("AWS::SNS::Subscription", "opsexamplecom") == {
        "Endpoint": "ops@example.com",
        "Protocol": "email",
        "TopicArn": {"Ref": template.logical_id("AWS::SNS::Topic", "Outcome")},
    }


def _allowed(template: Template, kind: str, part: str) -> dict[str, dict[str, Any]]:
    """Return what a policy allows, by statement id."""
    statements = template.properties(kind, part)["PolicyDocument"]["Statement"]
    return {
        statement["Sid"]: {
            key: value for key, value in statement.items() if key not in ("Sid", "Effect")
        }
        for statement in statements
        if statement["Effect"] == "Allow"
    }
