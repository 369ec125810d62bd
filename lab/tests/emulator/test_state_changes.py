"""Contracts of EventBridge's state-change events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.emulator.services.messaging.state_changes import PublishesStateChanges
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import (
    ECHO,
    any_function,
    any_instance,
    any_rule,
    eventually,
    heard,
)

if TYPE_CHECKING:
    from lab.emulator.region import Region

ENDING = {"source": ["aws.ec2"], "detail": {"state": ["shutting-down"]}}


@contract_of(PublishesStateChanges)
def test_rule_invokes_its_function_when_an_instance_enters_a_state_that_matches(
    region: Region,
) -> None:
    """The event names the instance and its state; other states invoke nothing."""
    any_rule(region, ENDING, any_function(region, ECHO))
    instance = any_instance(region)
    region.client("ec2").terminate_instances(InstanceIds=[instance])
    assert eventually(region, lambda: len(heard(region)) == 1)
    (event,) = heard(region)
    assert event["source"] == "aws.ec2"
    assert event["detail-type"] == "EC2 Instance State-change Notification"
    assert event["detail"] == {"instance-id": instance, "state": "shutting-down"}


def test_rule_invokes_nothing_when_the_function_does_not_let_it(region: Region) -> None:
    """A rule needs a permission of the function's own policy."""
    any_rule(region, ENDING, any_function(region, ECHO), permit=False)
    region.client("ec2").terminate_instances(InstanceIds=[any_instance(region)])
    assert not region.clock.wait_until(lambda: bool(heard(region)), 1.0)
