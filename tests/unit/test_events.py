"""What messages mean, in every shape that AWS sends, and in shapes that nobody should send."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nat_failover.events import Deployment, Kind, LifecycleAction, Trigger, parse

NOTIFICATION: dict[str, Any] = {
    "Progress": 50,
    "AccountId": "123456789012",
    "Description": "Terminating EC2 instance: i-1",
    "RequestId": "any",
    "EndTime": "2026-01-01T00:01:22Z",
    "AutoScalingGroupARN": "arn:any",
    "ActivityId": "any",
    "StartTime": "2026-01-01T00:00:00Z",
    "Service": "AWS Auto Scaling",
    "Time": "2026-01-01T00:01:22Z",
    "EC2InstanceId": "i-1",
    "StatusCode": "InProgress",
    "StatusMessage": "",
    "Details": {"Subnet ID": "subnet-1", "Availability Zone": "eu-west-1a"},
    "AutoScalingGroupName": "group",
    "Cause": "any",
    "Event": "autoscaling:EC2_INSTANCE_TERMINATE",
}
HOOK: dict[str, Any] = {
    "LifecycleHookName": "hook",
    "AccountId": "123456789012",
    "RequestId": "any",
    "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
    "AutoScalingGroupName": "group",
    "Service": "AWS Auto Scaling",
    "Time": "2026-01-01T00:00:00Z",
    "EC2InstanceId": "i-1",
    "LifecycleActionToken": "token",
    "NotificationMetadata": "any",
    "Origin": "AutoScalingGroup",
    "Destination": "EC2",
}
ACTION = LifecycleAction(group="group", hook="hook", token="token", instance="i-1")  # noqa: S106 - not a secret
STATE_CHANGE: dict[str, Any] = {
    "version": "0",
    "source": "aws.ec2",
    "detail-type": "EC2 Instance State-change Notification",
    "detail": {"instance-id": "i-1", "state": "shutting-down"},
}
ALARM = {"AlarmName": "any", "NewStateValue": "ALARM", "Trigger": {"MetricName": "any"}}
LEAVING = frozenset({"i-1"})


def kind(kind: Kind, **facts: Any) -> Trigger:  # noqa: ANN401 - the fields of Trigger
    """Return a trigger of one kind."""
    return Trigger(kinds=frozenset({kind}), **facts)


MESSAGES = [
    (NOTIFICATION, kind(Kind.TERMINATED, leaving=LEAVING)),
    (NOTIFICATION | {"Event": "autoscaling:EC2_INSTANCE_LAUNCH"}, kind(Kind.LAUNCHED)),
    (NOTIFICATION | {"Event": "autoscaling:EC2_INSTANCE_LAUNCH_ERROR"}, kind(Kind.LAUNCH_FAILED)),
    (
        NOTIFICATION | {"Event": "autoscaling:EC2_INSTANCE_TERMINATE_ERROR"},
        kind(Kind.TERMINATE_FAILED),
    ),
    ({"Event": "autoscaling:EC2_INSTANCE_TERMINATE"}, kind(Kind.TERMINATED)),
    ({"Event": "autoscaling:EC2_INSTANCE_LAUNCH_ERROR"}, kind(Kind.LAUNCH_FAILED)),
    (
        {"Event": "autoscaling:TEST_NOTIFICATION", "AutoScalingGroupName": "group"},
        kind(Kind.TEST),
    ),
    (HOOK, kind(Kind.LIFECYCLE, leaving=LEAVING, actions=frozenset({ACTION}))),
    (
        HOOK | {"LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"},
        kind(Kind.LIFECYCLE),
    ),
    (
        {"source": "aws.autoscaling", "detail-type": "any", "detail": HOOK},
        kind(Kind.LIFECYCLE, leaving=LEAVING, actions=frozenset({ACTION})),
    ),
    (STATE_CHANGE, kind(Kind.STATE_CHANGE, leaving=LEAVING)),
    (
        STATE_CHANGE | {"detail": {"instance-id": "i-1", "state": "stopping"}},
        kind(Kind.STATE_CHANGE, leaving=LEAVING),
    ),
    (
        STATE_CHANGE | {"detail": {"instance-id": "i-1", "state": "running"}},
        kind(Kind.STATE_CHANGE),
    ),
    (ALARM, kind(Kind.ALARM)),
]


def sns(*messages: object) -> dict[str, Any]:
    """Return the event that Lambda hands over for messages of a topic."""
    return {
        "Records": [
            {"EventSource": "aws:sns", "Sns": {"Message": json.dumps(message)}}
            for message in messages
        ]
    }


@pytest.mark.parametrize(("message", "meaning"), MESSAGES)
def test_parse_reads_every_message_when_it_comes_through_the_topic(
    message: dict[str, Any], meaning: Trigger
) -> None:
    """Each shape that reaches the topic means one thing."""
    assert meaning == parse(sns(message))


def test_parse_reads_every_record_when_an_event_carries_several() -> None:
    """No record is left out, and garbage between them does no harm."""
    trigger = parse(sns(NOTIFICATION, "garbage", STATE_CHANGE | {"detail": {}}, HOOK))
    assert {Kind.TERMINATED, Kind.UNKNOWN, Kind.LIFECYCLE} == trigger.kinds
    assert LEAVING == trigger.leaving
    assert frozenset({ACTION}) == trigger.actions
    assert len(trigger.problems) == 2


def test_parse_knows_the_sweep() -> None:
    """The schedule's event is the sweep, and tells of no loss."""
    assert kind(Kind.SWEEP) == parse({"source": "nat-failover.sweep"})
    assert not parse({"source": "nat-failover.sweep"}).tells_of_a_loss({"i-1"})


@pytest.mark.parametrize(
    ("message", "loss"),
    [
        (NOTIFICATION, True),
        ({"Event": "autoscaling:EC2_INSTANCE_TERMINATE"}, True),
        ({"Event": "autoscaling:EC2_INSTANCE_LAUNCH_ERROR"}, True),
        ({"Event": "autoscaling:EC2_INSTANCE_LAUNCH"}, False),
        ({"Event": "autoscaling:TEST_NOTIFICATION"}, False),
        (STATE_CHANGE, True),
        (ALARM, True),
    ],
)
def test_trigger_tells_of_a_loss_when_a_nat_left_or_could_not_be_replaced(
    message: dict[str, Any], *, loss: bool
) -> None:
    """People hear of missing egress when something was lost, not while a stack comes up."""
    assert loss == parse(sns(message)).tells_of_a_loss({"i-1"})


def test_trigger_tells_of_no_loss_when_the_instance_is_a_stranger() -> None:
    """EC2 tells of every instance of the account; people care for the NATs."""
    assert not parse(sns(STATE_CHANGE)).tells_of_a_loss({"i-2"})


REQUEST: dict[str, Any] = {
    "RequestType": "Create",
    "ResponseURL": "https://any",
    "StackId": "arn:stack",
    "RequestId": "request",
    "ResourceType": "Custom::DefaultRoutes",
    "LogicalResourceId": "DefaultRoutes",
    "ResourceProperties": {"ServiceToken": "arn:function", "Associations": ["rtbassoc-1"]},
}


@pytest.mark.parametrize(
    ("given_id", "physical_id"), [({}, "DefaultRoutes"), ({"PhysicalResourceId": "old"}, "old")]
)
def test_parse_reads_the_request_when_cloudformation_waits(
    given_id: dict[str, str], physical_id: str
) -> None:
    """The physical id is chosen once and then kept, so that an update replaces nothing."""
    deployment = Deployment(
        resource="Custom::DefaultRoutes",
        request="Create",
        response_url="https://any",
        stack="arn:stack",
        request_id="request",
        logical_id="DefaultRoutes",
        physical_id=physical_id,
        associations=frozenset({"rtbassoc-1"}),
    )
    assert kind(Kind.DEPLOYMENT, deployment=deployment) == parse(REQUEST | given_id)


@pytest.mark.parametrize(
    "event",
    [
        None,
        "",
        [],
        {},
        {"Records": []},
        {"Records": "x"},
        {"Records": [None, 7, {}, {"Sns": None}, {"Sns": {"Message": None}}]},
        {"Records": [{"Sns": {"Message": "{"}}, {"Sns": {"Message": "[1]"}}]},
        {"Event": "autoscaling:SOMETHING_NEW"},
        {"Event": []},
        {"source": "aws.ec2"},
        {"source": "aws.ec2", "detail": "x"},
        {"LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING"},
        {"RequestType": "Create"},
        {"k": object()},
    ],
)
def test_parse_reports_a_problem_when_it_does_not_understand(event: object) -> None:
    """Garbage is unknown, is shown, and asks for nothing but a look."""
    trigger = parse(event)
    assert {Kind.UNKNOWN} == trigger.kinds
    assert all(problem.startswith("not understood: ") for problem in trigger.problems)
    assert (frozenset(), frozenset(), None) == (
        trigger.leaving,
        trigger.actions,
        trigger.deployment,
    )


def test_parse_shortens_what_it_shows_when_garbage_is_long() -> None:
    """A log line stays a log line."""
    (problem,) = parse({"k": "x" * 9999}).problems
    assert len(problem) < 600


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
fields = st.sampled_from(
    [*NOTIFICATION, *HOOK, *STATE_CHANGE, *ALARM, *REQUEST, "Records", "Sns", "Message"]
)


@given(st.recursive(values, lambda inner: st.dictionaries(fields, inner), max_leaves=5))
def test_parse_never_raises(event: object) -> None:
    """Whatever arrives, parsing comes to a meaning."""
    assert parse(event).kinds
    assert parse(sns(event)).kinds
