"""Every trigger says only "observe"; how often and in what order they come does not matter."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws import messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.aws.conftest import Deploy, Function
    from tests.aws.region import Region

GARBAGE = [
    pytest.param({}, id="empty"),
    pytest.param(None, id="null"),
    pytest.param(["any", "list"], id="list"),
    pytest.param("any words", id="text"),
    pytest.param({"Records": []}, id="no records"),
    pytest.param({"Records": [None]}, id="no record"),
    pytest.param({"Records": [{"Sns": {}}]}, id="no message"),
    pytest.param(messages.sns("any words"), id="not JSON"),
    pytest.param(messages.sns("[" * 100_000), id="deep JSON"),
    pytest.param(messages.sns("null"), id="null message"),
    pytest.param(messages.sns({"Event": "autoscaling:SOMETHING_NEW"}), id="new notification"),
    pytest.param(messages.sns({"source": "aws.ec2", "detail": {}}), id="no detail"),
    pytest.param(messages.sns({"source": "aws.ec2", "detail": "any"}), id="detail of words"),
    pytest.param(
        messages.sns({"LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING"}),
        id="half a lifecycle action",
    ),
]


@pytest.mark.parametrize("event", GARBAGE)
def test_garbage_is_reported_and_leads_to_a_repair_when_a_nat_is_dead(
    event: object,
    region: Region,
    function: Function,
    logged: Callable[[], list[dict[str, Any]]],
) -> None:
    """A message that cannot be understood still leads to an observation, and is in the log."""
    region.kill(region.nats["a"])

    returned = function(event)

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    assert returned["trigger"] == ["unknown"]
    assert len([line for line in logged() if "not understood" in line.get("problem", "")]) == 1


def test_sweep_repairs_what_no_message_named_when_a_nat_is_dead(
    region: Region, function: Function
) -> None:
    """A lost notification costs a minute at most."""
    region.kill(region.nats["a"])

    function(messages.SWEEP)

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}


def test_test_notification_changes_nothing_when_all_is_as_it_should_be(
    region: Region, function: Function
) -> None:
    """Auto Scaling's test names no instance and is understood."""
    returned = function(messages.sns(messages.notification(region, "TEST_NOTIFICATION")))

    assert function.wire.writes == []
    assert returned["trigger"] == ["test"]


def test_alarm_leads_to_a_repair_when_a_nat_is_dead(region: Region, function: Function) -> None:
    """An alarm says that something is wrong, and the observation finds what."""
    region.kill(region.nats["a"])

    function(messages.alarm())

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}


@pytest.mark.parametrize("state", ["stopping", "shutting-down", "stopped", "terminated"])
def test_hint_moves_the_table_when_ec2_still_calls_the_nat_running(
    state: str, region: Region, function: Function
) -> None:
    """The message arrives before the API tells the same."""
    returned = function(messages.state_change(region.nats["a"], state))

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    health = {nat["nat"]: nat["health"] for nat in returned["saw"]}
    assert health[region.nats["a"]] == "leaving"


@pytest.mark.parametrize("state", ["pending", "running"])
def test_state_change_moves_nothing_when_a_nat_is_coming(
    state: str, region: Region, function: Function
) -> None:
    """An instance that starts is not leaving."""
    function(messages.state_change(region.nats["a"], state))

    assert function.wire.writes == []


def test_hint_is_not_remembered_when_the_next_event_does_not_give_it(
    region: Region, function: Function
) -> None:
    """The table of a NAT that did not leave after all fails back with the next sweep."""
    function(messages.state_change(region.nats["a"], "stopping"))

    region.settle()
    region.know_each_other()
    function(messages.SWEEP)

    assert region.served_by() == region.nats


def test_healthy_nat_keeps_its_table_when_a_message_in_the_topic_says_that_it_ended(
    region: Region, function: Function
) -> None:
    """Whoever may publish to the topic can make the function observe, and nothing else."""
    function(messages.terminated(region, region.nats["a"]))
    function(messages.sns(messages.state_change(region.nats["a"], "shutting-down")))

    assert function.wire.writes == []
    assert region.served_by() == region.nats


def test_log_and_time_are_bounded_when_an_event_has_fifty_thousand_records(
    function: Function, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    """What is left aside is said once."""
    began = time.monotonic()

    function({"Records": [{"Sns": {"Message": "x" * 200}}] * 50_000})

    lines = logged()
    assert time.monotonic() - began < 5
    assert sum(len(json.dumps(line)) for line in lines) < 20_000
    left = [line for line in lines if "left aside" in line.get("problem", "")]
    assert [line["problem"] for line in left] == ["left aside: 49900 records, 90 problems"]


def test_doubled_message_writes_once_when_a_nat_is_dead(region: Region, function: Function) -> None:
    """SNS may deliver a message twice."""
    region.kill(region.nats["a"])
    for _ in range(2):
        function(messages.terminated(region, region.nats["a"]))

    assert function.wire.written() == ["ReplaceRoute"]


def test_late_message_changes_nothing_when_the_nat_is_replaced_already(
    region: Region, function: Function
) -> None:
    """What a message says of a dead instance does not touch its replacement."""
    dead = region.nats["a"]
    region.kill(dead)
    region.leave_group(dead)
    replacement = region.launch("a")
    function(messages.launched(region, replacement))
    before = len(function.wire.writes)

    function(messages.terminated(region, dead))
    function(messages.state_change(dead, "shutting-down"))

    assert region.served_by() == {"a": replacement, "b": region.nats["b"]}
    assert len(function.wire.writes) == before


def test_several_records_are_joined_when_one_event_carries_them(
    region: Region, function: Function
) -> None:
    """Every record of an event counts, the unintelligible one among them too."""
    region.kill(region.nats["a"])
    returned = function(
        messages.sns(
            messages.notification(region, "EC2_INSTANCE_LAUNCH", region.nats["b"]),
            "any words",
            messages.notification(region, "EC2_INSTANCE_TERMINATE", region.nats["a"]),
        )
    )

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    assert returned["trigger"] == ["launched", "terminated", "unknown"]


def test_check_goes_off_again_when_somebody_switched_it_on(
    region: Region, function: Function
) -> None:
    """A NAT whose source/destination check is on forwards nothing until the function saw it."""
    region.check(region.nats["a"], on=True)

    function(messages.SWEEP)
    region.settle()
    region.know_each_other()
    function(messages.SWEEP)

    assert not region.is_checked(region.nats["a"])
    assert region.served_by() == region.nats


def test_handler_is_made_anew_when_lambda_asks_for_it(region: Region, deploy: Deploy) -> None:
    """Each execution environment reads its own settings."""
    assert deploy(region.settings).do is not deploy(region.settings).do
