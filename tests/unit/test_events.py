"""What messages mean, in every shape that AWS sends, and in shapes that nobody should send."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nat_failover.contract import Resource
from nat_failover.events import parse as parse_for
from nat_failover.triggers import Deployment, Trigger, TriggerKind
from tests.factories import ANY_STACK_ID, any_function_settings

if TYPE_CHECKING:
    from collections.abc import Callable

NOTIFICATION: dict[str, Any] = {
    "Progress": 50,
    "AccountId": "123456789012",
    "Description": "Terminating EC2 instance: i-0123456789abcdef0",
    "RequestId": "any",
    "EndTime": "2026-01-01T00:01:22Z",
    "AutoScalingGroupARN": "arn:any",
    "ActivityId": "any",
    "StartTime": "2026-01-01T00:00:00Z",
    "Service": "AWS Auto Scaling",
    "Time": "2026-01-01T00:01:22Z",
    "EC2InstanceId": "i-0123456789abcdef0",
    "StatusCode": "InProgress",
    "StatusMessage": "",
    "Details": {"Subnet ID": "subnet-1", "Availability Zone": "eu-west-1a"},
    "AutoScalingGroupName": "any-stack-nat",
    "Cause": "any",
    "Event": "autoscaling:EC2_INSTANCE_TERMINATE",
}
HOOK: dict[str, Any] = {
    "LifecycleHookName": "hook",
    "AccountId": "123456789012",
    "RequestId": "any",
    "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
    "AutoScalingGroupName": "any-stack-nat",
    "Service": "AWS Auto Scaling",
    "Time": "2026-01-01T00:00:00Z",
    "EC2InstanceId": "i-0123456789abcdef0",
    "LifecycleActionToken": "00000000-0000-4000-8000-000000000000",
    "NotificationMetadata": "any",
    "Origin": "AutoScalingGroup",
    "Destination": "EC2",
}
LEAVING = WAITING = frozenset({"i-0123456789abcdef0"})
STATE_CHANGE: dict[str, Any] = {
    "version": "0",
    "source": "aws.ec2",
    "detail-type": "EC2 Instance State-change Notification",
    "detail": {"instance-id": "i-0123456789abcdef0", "state": "shutting-down"},
}
ALARM = {"AlarmName": "any", "NewStateValue": "ALARM", "Trigger": {"MetricName": "any"}}
SETTINGS = any_function_settings()


def parse(event: object) -> Trigger:
    """Read an event for any stack."""
    return parse_for(event, SETTINGS)


def kind(kind: TriggerKind, **facts: Any) -> Trigger:  # noqa: ANN401 - the fields of Trigger
    """Return a trigger of one kind."""
    return Trigger(kinds=frozenset({kind}), **facts)


MESSAGES = [
    (NOTIFICATION, kind(TriggerKind.TERMINATED)),
    (NOTIFICATION | {"Event": "autoscaling:EC2_INSTANCE_LAUNCH"}, kind(TriggerKind.LAUNCHED)),
    (
        NOTIFICATION | {"Event": "autoscaling:EC2_INSTANCE_LAUNCH_ERROR"},
        kind(TriggerKind.LAUNCH_FAILED),
    ),
    (
        NOTIFICATION | {"Event": "autoscaling:EC2_INSTANCE_TERMINATE_ERROR"},
        kind(TriggerKind.TERMINATE_FAILED),
    ),
    ({"Event": "autoscaling:EC2_INSTANCE_TERMINATE"}, kind(TriggerKind.TERMINATED)),
    ({"Event": "autoscaling:EC2_INSTANCE_LAUNCH_ERROR"}, kind(TriggerKind.LAUNCH_FAILED)),
    (
        {"Event": "autoscaling:TEST_NOTIFICATION", "AutoScalingGroupName": "any-stack-nat"},
        kind(TriggerKind.TEST),
    ),
    (HOOK, kind(TriggerKind.LIFECYCLE, waiting=WAITING)),
    (
        HOOK | {"LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"},
        kind(TriggerKind.LIFECYCLE),
    ),
    (
        {
            "source": "aws.autoscaling",
            "detail-type": "EC2 Instance-terminate Lifecycle Action",
            "detail": HOOK,
        },
        kind(TriggerKind.LIFECYCLE, waiting=WAITING),
    ),
    (STATE_CHANGE, kind(TriggerKind.STATE_CHANGE)),
    (
        STATE_CHANGE | {"detail": {"instance-id": "i-0123456789abcdef0", "state": "running"}},
        kind(TriggerKind.STATE_CHANGE),
    ),
    (ALARM, kind(TriggerKind.ALARM)),
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
    assert {TriggerKind.TERMINATED, TriggerKind.UNKNOWN, TriggerKind.LIFECYCLE} == trigger.kinds
    assert trigger.waiting == WAITING
    assert len(trigger.problems) == 2


def test_parse_knows_the_sweep() -> None:
    """The schedule's event is the sweep."""
    assert kind(TriggerKind.SWEEP) == parse({"source": "nat-failover.sweep"})


@pytest.mark.parametrize("state", ["stopping", "stopped", "shutting-down", "terminated"])
def test_parse_believes_that_an_instance_leaves_when_eventbridge_itself_says_so(state: str) -> None:
    """Nobody else can put an event whose source is EC2."""
    detail = {"instance-id": "i-0123456789abcdef0", "state": state}

    assert parse(STATE_CHANGE | {"detail": detail}).leaving == LEAVING
    assert parse(sns(STATE_CHANGE | {"detail": detail})).leaving == frozenset()


@pytest.mark.parametrize(
    "forged",
    [
        HOOK | {"AutoScalingGroupName": "any-other-group"},
        HOOK | {"EC2InstanceId": "i-1; rm"},
        HOOK | {"EC2InstanceId": 7},
    ],
)
def test_parse_believes_no_wait_when_an_identifier_is_none_of_ours(
    forged: dict[str, Any],
) -> None:
    """Identifiers are those of the API's models, and the group is the stack's."""
    trigger = parse(sns(forged))

    assert trigger.waiting == frozenset()
    assert trigger.kinds == {TriggerKind.UNKNOWN}


REQUEST: dict[str, Any] = {
    "RequestType": "Create",
    "ResponseURL": "https://any",
    "StackId": ANY_STACK_ID,
    "RequestId": "request",
    "ResourceType": "Custom::DefaultRoutes",
    "LogicalResourceId": "DefaultRoutes",
    "ResourceProperties": {
        "ServiceToken": "arn:function",
        "Associations": ["rtbassoc-1", "any", 7],
    },
}


@pytest.mark.parametrize(
    ("given_id", "physical_id"), [({}, "DefaultRoutes"), ({"PhysicalResourceId": "old"}, "old")]
)
def test_parse_reads_the_request_when_cloudformation_waits(
    given_id: dict[str, str], physical_id: str
) -> None:
    """The physical id is chosen once and then kept, so that an update replaces nothing."""
    deployment = Deployment(
        resource=Resource.DEFAULT_ROUTES,
        request="Create",
        response_url="https://any",
        stack=ANY_STACK_ID,
        request_id="request",
        logical_id="DefaultRoutes",
        physical_id=physical_id,
        associations=frozenset({"rtbassoc-1"}),
    )
    assert kind(TriggerKind.DEPLOYMENT, deployment=deployment) == parse(REQUEST | given_id)


@pytest.mark.parametrize(
    "event",
    [
        sns(REQUEST),
        REQUEST | {"StackId": f"{ANY_STACK_ID}-of-another"},
        REQUEST | {"RequestType": "Destroy"},
        REQUEST | {"ResourceType": "Custom::Other"},
        REQUEST | {"RequestId": 7},
    ],
)
def test_parse_believes_no_request_when_it_is_not_cloudformations_of_this_stack(
    event: dict[str, Any],
) -> None:
    """One inside a message of the topic is somebody else's; so is one of another stack."""
    trigger = parse(event)

    assert trigger.deployment is None
    assert trigger.kinds == {TriggerKind.UNKNOWN}


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
    """Garbage is unknown, is shown, and asks for nothing but an observation."""
    trigger = parse(event)
    assert {TriggerKind.UNKNOWN} == trigger.kinds
    assert all(
        problem.startswith(("not understood: ", "left aside: ")) for problem in trigger.problems
    )
    assert (frozenset(), frozenset(), None) == (
        trigger.leaving,
        trigger.waiting,
        trigger.deployment,
    )


STATE = {"instance-id": "i-0123456789abcdef0", "state": "terminated"}


@pytest.mark.parametrize("carried", [lambda event: event, sns], ids=["eventbridge", "topic"])
@pytest.mark.parametrize(
    ("names", "words"),
    [
        (
            {"source": "aws.ec2", "detail-type": "EC2 Spot Instance Interruption Warning"},
            "source 'aws.ec2' and detail-type 'EC2 Spot Instance Interruption Warning'",
        ),
        (
            {"source": "any.app", "detail-type": "EC2 Instance State-change Notification"},
            "source 'any.app' and detail-type 'EC2 Instance State-change Notification'",
        ),
        ({"source": "aws.ec2"}, "source 'aws.ec2' and detail-type None"),
        ({"source": ["aws.ec2"], "detail-type": {}}, "source ['aws.ec2'] and detail-type {}"),
    ],
)
def test_parse_names_source_and_detail_type_when_an_event_of_eventbridge_is_no_trigger(
    carried: Callable[[object], object], names: dict[str, Any], words: str
) -> None:
    """An event is not read as a state change because its detail looks like one."""
    trigger = parse(carried({**names, "detail": STATE}))

    assert trigger.kinds == {TriggerKind.UNKNOWN}
    assert trigger.leaving == frozenset()
    assert [f"not understood: there is no trigger with {words}"] == [
        problem.partition(": {")[0] for problem in trigger.problems
    ]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"Event": "autoscaling:SOMETHING_NEW"}, "Event 'autoscaling:SOMETHING_NEW'"),
        (
            HOOK | {"LifecycleTransition": "autoscaling:SOMETHING_NEW"},
            "LifecycleTransition 'autoscaling:SOMETHING_NEW'",
        ),
    ],
)
def test_parse_names_what_it_does_not_know_when_auto_scaling_says_something_new(
    message: dict[str, Any], words: str
) -> None:
    """Each kind of message has a table of what it may say, and a problem names the rest."""
    (problem,) = parse(sns(message)).problems

    assert problem.startswith(f"not understood: there is no trigger with {words}: {{")


def test_parse_believes_no_wait_when_the_instance_is_launching() -> None:
    """A launching instance completes its own action, whatever the event's detail-type says."""
    event = {
        "source": "aws.autoscaling",
        "detail-type": "EC2 Instance-terminate Lifecycle Action",
        "detail": HOOK | {"LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"},
    }
    assert kind(TriggerKind.LIFECYCLE) == parse(event)


def nested(depth: int) -> Any:  # noqa: ANN401 - JSON
    """Return lists in lists."""
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "event",
    [
        {"k": "x" * 9999},
        {"k": "\ud800"},
        {"k": nested(900)},
        {"k": 10**5000},
        {"Records": [{"Sns": {"Message": "x" * 9999}}] * 50_000},
        {"Records": [{"Sns": {"Message": "x" * 300_000}}]},
    ],
    ids=["long", "surrogate", "deep", "number", "records", "message"],
)
def test_parse_shows_little_and_prints_it_when_much_is_not_understood(event: object) -> None:
    """A log line stays a log line, and their number small."""
    problems = parse(event).problems

    assert len(problems) <= 11
    assert all(len(problem) <= 300 and problem.isascii() for problem in problems)


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
