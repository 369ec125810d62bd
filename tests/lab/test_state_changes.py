"""Contracts of EventBridge's state-change events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lab.aws.state_changes import PublishesStateChanges
from tests.lab.contract import contract_of
from tests.lab.small import ECHO, any_function, any_instance, eventually

if TYPE_CHECKING:
    from lab.region import Region


@contract_of(PublishesStateChanges)
def test_rule_invokes_its_function_when_an_instance_enters_a_state_that_matches(
    region: Region,
) -> None:
    """The event names the instance and its state; other states invoke nothing."""
    _rule(region, any_function(region, ECHO), permit=True)
    instance = any_instance(region)
    region.client("ec2").terminate_instances(InstanceIds=[instance])
    assert eventually(region, lambda: len(_answers(region)) == 1)
    (event,) = _answers(region)
    assert event["source"] == "aws.ec2"
    assert event["detail-type"] == "EC2 Instance State-change Notification"
    assert event["detail"] == {"instance-id": instance, "state": "shutting-down"}


def test_rule_invokes_nothing_when_the_function_does_not_let_it(region: Region) -> None:
    """A rule needs a permission of the function's own policy."""
    _rule(region, any_function(region, ECHO), permit=False)
    region.client("ec2").terminate_instances(InstanceIds=[any_instance(region)])
    assert not region.clock.wait_until(lambda: bool(_answers(region)), 1.0)


def _rule(region: Region, function: str, *, permit: bool) -> None:
    events = region.client("events")
    pattern = {"source": ["aws.ec2"], "detail": {"state": ["shutting-down"]}}
    rule = events.put_rule(Name="any", EventPattern=json.dumps(pattern))["RuleArn"]
    events.put_targets(Rule="any", Targets=[{"Id": "any", "Arn": function}])
    if permit:
        region.client("lambda").add_permission(
            FunctionName=function,
            StatementId="any",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=rule,
        )


def _answers(region: Region) -> list[dict[str, object]]:
    """Return the events that the echoing function was invoked with."""
    entries = region.journal.entries("function answered")
    return [json.loads(entry.detail["payload"])["event"] for entry in entries]
