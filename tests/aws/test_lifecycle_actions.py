"""A terminating NAT waits in its lifecycle hook until nothing uses it any more.

Here nobody watches; `test_drain` has the flows that a watch counts.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws import messages
from tests.aws.conftest import SHORT, shows_waiting

if TYPE_CHECKING:
    from tests.aws.conftest import Deploy, Function
    from tests.aws.region import Region
    from tests.aws.test_reporting import Logged


@pytest.fixture
def function(region: Region, deploy: Deploy) -> Function:
    """Return the function of a Region at rest whose NATs do not watch each other."""
    return deploy(replace(region.settings, watch=False))


def test_action_is_completed_after_the_table_moved_when_a_nat_is_terminating(
    region: Region, function: Function
) -> None:
    """Auto Scaling may go on only when the table uses another NAT, and that was observed."""
    shows_waiting(function, region.nats["a"])
    function(messages.terminating(region, region.nats["a"]))

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    made = [call.operation for call in function.wire.calls]
    assert made.index("ReplaceRoute") < made.index("CompleteLifecycleAction")
    completed = function.wire.writes[-1].parameters
    assert completed == {
        "AutoScalingGroupName": region.group,
        "LifecycleHookName": "drain",
        "InstanceId": region.nats["a"],
        "LifecycleActionResult": "CONTINUE",
    }


def test_action_is_prolonged_when_no_other_nat_can_take_over(
    region: Region, function: Function
) -> None:
    """The NAT serves on, and whom the other one served; each sweep says so once."""
    shows_waiting(function, region.nats["a"])
    region.kill(region.nats["b"])

    function(messages.terminating(region, region.nats["a"]))
    function(messages.SWEEP)

    assert region.served_by() == {"a": region.nats["a"], "b": region.nats["a"]}
    assert sorted(function.wire.written()) == ["RecordLifecycleActionHeartbeat", "ReplaceRoute"]
    (beat,) = (call for call in function.wire.writes if call.operation.startswith("Record"))
    assert beat.parameters == {
        "AutoScalingGroupName": region.group,
        "LifecycleHookName": "drain",
        "InstanceId": region.nats["a"],
    }


def test_refusal_to_prolong_is_a_failure(region: Region, function: Function) -> None:
    """The last NAT ends in minutes then."""
    shows_waiting(function, region.nats["a"])
    region.kill(region.nats["b"])
    function.wire.fail("RecordLifecycleActionHeartbeat", "AccessDenied")

    returned = function(messages.SWEEP)

    assert sorted(function.wire.written()) == ["RecordLifecycleActionHeartbeat", "ReplaceRoute"]
    assert "AccessDenied" in returned["failure"]


def test_action_stays_open_when_the_table_could_not_be_moved(
    region: Region, function: Function
) -> None:
    """The hook's heartbeat gives the sweeps time; the NAT still forwards meanwhile."""
    function.wire.fail("ReplaceRoute", "UnauthorizedOperation")

    function(messages.terminating(region, region.nats["a"]))

    assert "CompleteLifecycleAction" not in function.wire.written()


def test_action_stays_open_when_the_observation_failed(region: Region, function: Function) -> None:
    """What was not seen is not known to be unused."""
    function.wire.fail("DescribeRouteTables", "UnauthorizedOperation")

    function(messages.terminating(region, region.nats["a"]), seconds=SHORT)

    assert function.wire.writes == []


def test_action_is_left_to_the_instance_when_it_is_launching(
    region: Region, function: Function
) -> None:
    """An instance completes its own launch, after its self-test."""
    event = messages.terminating(region, region.nats["a"])
    text = event["Records"][0]["Sns"]["Message"]
    event["Records"][0]["Sns"]["Message"] = text.replace("TERMINATING", "LAUNCHING")

    function(event)

    assert function.wire.writes == []


def test_refusal_is_reported_when_the_action_is_not_there_any_more(
    region: Region, function: Function
) -> None:
    """A second delivery finds the action completed: that is a result, not a failure."""
    shows_waiting(function, region.nats["a"])
    function.wire.fail("CompleteLifecycleAction", "ValidationError")

    returned = function(messages.terminating(region, region.nats["a"]))

    assert returned["failure"] is None
    assert returned["did"][-1]["error"] == "ValidationError: any words of AWS"


def test_action_is_left_alone_when_the_group_says_that_the_member_serves(
    region: Region, function: Function
) -> None:
    """A message proves nothing: a forged one would move the table of a healthy NAT away."""
    returned = function(messages.terminating(region, region.nats["a"]))

    assert function.wire.writes == []
    assert returned["failure"] is None


def test_message_is_reported_when_it_is_of_another_group(
    region: Region, function: Function, logged: Logged
) -> None:
    """What waits in another group is not this function's."""
    event = messages.terminating(region, region.nats["a"])
    text = event["Records"][0]["Sns"]["Message"]
    event["Records"][0]["Sns"]["Message"] = text.replace(region.group, "any-other-group")

    function(event)

    assert function.wire.writes == []
    (problem,) = [line["problem"] for line in logged() if "problem" in line]
    assert "a lifecycle action of another group" in problem


def test_action_is_completed_when_the_group_shows_the_wait_late(
    region: Region, function: Function
) -> None:
    """A description may lag behind the message."""
    answers = count(1)

    def show(answer: dict[str, Any]) -> None:
        if next(answers) > 1:
            for member in answer["AutoScalingGroups"][0]["Instances"]:
                if member["InstanceId"] == region.nats["a"]:
                    member["LifecycleState"] = "Terminating:Wait"

    function.wire.edit("DescribeAutoScalingGroups", show)

    function(messages.terminating(region, region.nats["a"]))

    assert function.wire.written() == ["CompleteLifecycleAction", "ReplaceRoute"]


def test_action_is_completed_when_no_message_tells_of_it(
    region: Region, function: Function
) -> None:
    """A lost message costs no heartbeat: the group itself shows who waits."""
    shows_waiting(function, region.nats["a"])

    function(messages.SWEEP)

    assert function.wire.written() == ["CompleteLifecycleAction", "ReplaceRoute"]
