"""Contracts of terminate hooks: whatever ends a member, they hold it, and a rule hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.autoscaling.hooks import LifecycleHooksHold
from lab.emulator.services.autoscaling.settings import SHORTEST_LIFETIME
from lab.emulator.services.autoscaling.waits import TERMINATING
from lab.emulator.services.ec2.capacity import no_capacity, restore_capacity
from lab.emulator.services.ec2.health import impair
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import (
    ECHO,
    any_function,
    any_rule,
    emulated,
    eventually,
    group_in_service,
    heard,
    in_service,
    members,
    state_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.emulator.region import Region

HEARTBEAT = 300
POLICY = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150}


def drain(name: str = "drain") -> dict[str, Any]:
    """Return a terminate hook that lets a member go when nobody completes its action."""
    return {
        "LifecycleHookName": name,
        "LifecycleTransition": TERMINATING,
        "HeartbeatTimeout": HEARTBEAT,
        "DefaultResult": "CONTINUE",
    }


def drained(region: Region, **settings: object) -> list[str]:
    """Return the members of a group of two with the hook."""
    given = {"LifecycleHookSpecificationList": [drain()], **settings}
    return group_in_service(region, 2, **given)


def scale_in(region: Region) -> None:
    """Let a group have one member too many."""
    drained(region)
    region.client("autoscaling").set_desired_capacity(AutoScalingGroupName="any", DesiredCapacity=1)


def terminate(region: Region) -> None:
    """Terminate a member through its group."""
    region.client("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=drained(region)[0], ShouldDecrementDesiredCapacity=False
    )


def refresh(region: Region) -> None:
    """Start an instance refresh."""
    drained(region)
    region.client("autoscaling").start_instance_refresh(AutoScalingGroupName="any")


def grow_old(region: Region) -> None:
    """Let the members reach their maximum lifetime."""
    drained(region, MaxInstanceLifetime=SHORTEST_LIFETIME)
    region.clock.pass_time(SHORTEST_LIFETIME - 60)


def unbalance(region: Region) -> None:
    """Let both members be in one zone until the other one has capacity again."""
    no_capacity(region.aws, "us-east-1a")
    drained(region)
    restore_capacity(region.aws)


def fail_checks(region: Region) -> None:
    """Let a member's status checks fail."""
    impair(region.aws, emulated(drained(region)[0]))


def report(region: Region) -> None:
    """Report a member as unhealthy, in a group that launches first."""
    region.client("autoscaling").set_instance_health(
        InstanceId=drained(region, InstanceMaintenancePolicy=POLICY)[0], HealthStatus="Unhealthy"
    )


def lifecycle(region: Region) -> dict[str, str]:
    """Return the lifecycle state of each member."""
    return {row["InstanceId"]: row["LifecycleState"] for row in members(region)}


def listen(region: Region, group: str = "any") -> None:
    """Let a function hear of the lifecycle actions of a group's terminations."""
    pattern = {
        "source": ["aws.autoscaling"],
        "detail-type": ["EC2 Instance-terminate Lifecycle Action"],
        "detail": {"AutoScalingGroupName": [group]},
    }
    any_rule(region, pattern, any_function(region, ECHO))


@pytest.mark.parametrize(
    "end", [scale_in, terminate, refresh, grow_old, unbalance, fail_checks, report]
)
@contract_of(LifecycleHooksHold)
def test_member_is_held_and_a_rule_hears_of_it(
    region: Region, end: Callable[[Region], None]
) -> None:
    """In Terminating:Wait it runs; after the heartbeat its default result lets it go."""
    listen(region)
    end(region)
    assert eventually(region, lambda: bool(heard(region)))
    since = region.clock.now()
    event = heard(region)[0]
    held = event["detail"]["EC2InstanceId"]
    assert lifecycle(region)[held] == "Terminating:Wait"
    assert state_of(region, held) == "running"
    assert eventually(region, lambda: lifecycle(region)[held] == "Terminating:Proceed")
    assert region.clock.now() - since == pytest.approx(HEARTBEAT, abs=5)
    assert eventually(region, lambda: held not in lifecycle(region))
    assert state_of(region, held) == "terminated"
    assert len([row for row in heard(region) if row["detail"]["EC2InstanceId"] == held]) == 1


@contract_of(LifecycleHooksHold)
def test_event_has_the_documented_shape(region: Region) -> None:
    """EventBridge's envelope, the group as its resource, and what completes the action."""
    listen(region)
    terminate(region)
    assert eventually(region, lambda: bool(heard(region)))
    (event,) = heard(region)
    (group,) = region.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert event["detail-type"] == "EC2 Instance-terminate Lifecycle Action"
    assert event["source"] == "aws.autoscaling"
    assert event["resources"] == [group["AutoScalingGroupARN"]]
    detail, token = event["detail"], event["detail"]["LifecycleActionToken"]
    assert detail == {
        "LifecycleActionToken": token,
        "AutoScalingGroupName": "any",
        "LifecycleHookName": "drain",
        "EC2InstanceId": detail["EC2InstanceId"],
        "LifecycleTransition": TERMINATING,
        "Origin": "AutoScalingGroup",
        "Destination": "EC2",
    }
    complete(region, LifecycleActionToken=token)
    assert lifecycle(region)[detail["EC2InstanceId"]] == "Terminating:Proceed"


def test_rule_for_another_group_hears_nothing(region: Region) -> None:
    """A pattern matches the detail, too."""
    listen(region, group="other")
    terminate(region)
    region.clock.pass_time(HEARTBEAT)
    assert heard(region) == []


def complete(region: Region, result: str = "CONTINUE", hook: str = "drain", **named: str) -> None:
    """Complete the action of a hook, by its token or its instance."""
    region.client("autoscaling").complete_lifecycle_action(
        AutoScalingGroupName="any",
        LifecycleHookName=hook,
        LifecycleActionResult=result,
        **named,
    )


@pytest.mark.parametrize("result", ["CONTINUE", "ABANDON"])
@contract_of(LifecycleHooksHold)
def test_completion_by_instance_lets_the_member_go_once(region: Region, result: str) -> None:
    """Both results do; a second completion is refused."""
    terminate(region)
    (held,) = [name for name, state in lifecycle(region).items() if state == "Terminating:Wait"]
    complete(region, result, InstanceId=held)
    assert lifecycle(region)[held] == "Terminating:Proceed"
    with pytest.raises(ClientError, match="No active Lifecycle Action found"):
        complete(region, InstanceId=held)


@pytest.mark.parametrize("result", ["CONTINUE", "ABANDON"])
@contract_of(LifecycleHooksHold)
def test_abandoned_action_ends_the_other_hooks_of_a_termination(
    region: Region, result: str
) -> None:
    """One that continues waits for them."""
    hooks = [drain("first"), drain("second")]
    held, _ = drained(region, LifecycleHookSpecificationList=hooks)
    region.client("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=held, ShouldDecrementDesiredCapacity=False
    )
    complete(region, result, hook="first", InstanceId=held)
    expected = "Terminating:Proceed" if result == "ABANDON" else "Terminating:Wait"
    assert lifecycle(region)[held] == expected


@pytest.mark.parametrize("kill", ["terminate_instances", "stop_instances"])
@contract_of(LifecycleHooksHold)
def test_held_member_that_dies_stays_until_its_action_is_completed(
    region: Region, kill: str
) -> None:
    """AWS says so of interrupted Spot Instances: the action must still be completed."""
    terminate(region)
    (held,) = [name for name, state in lifecycle(region).items() if state == "Terminating:Wait"]
    getattr(region.client("ec2"), kill)(InstanceIds=[held])
    assert eventually(region, lambda: state_of(region, held) in ("terminated", "stopped"))
    region.clock.pass_time(HEARTBEAT / 2)
    assert lifecycle(region)[held] == "Terminating:Wait"
    complete(region, InstanceId=held)
    assert eventually(region, lambda: held not in lifecycle(region))
    assert state_of(region, held) == "terminated"
    assert len(in_service(region)) == 2


@pytest.mark.parametrize("end", [terminate, report])
@contract_of(LifecycleHooksHold)
def test_replacement_does_not_wait_for_the_hook(
    region: Region, end: Callable[[Region], None]
) -> None:
    """Launched first, or after the termination began, it serves before the heartbeat ends."""
    end(region)
    assert eventually(region, lambda: "Terminating:Wait" in lifecycle(region).values())
    assert eventually(region, lambda: len(in_service(region)) == 2)
    assert "Terminating:Wait" in lifecycle(region).values()


@contract_of(LifecycleHooksHold)
def test_hook_that_is_deleted_lets_go_whom_it_holds(region: Region) -> None:
    """Outstanding actions are completed first, CONTINUE for terminating instances."""
    terminate(region)
    region.client("autoscaling").delete_lifecycle_hook(
        AutoScalingGroupName="any", LifecycleHookName="drain"
    )
    assert "Terminating:Proceed" in lifecycle(region).values()


def test_held_member_does_not_count_when_the_group_scales_out(region: Region) -> None:
    """Nor does it come back: the group launches."""
    scale_in(region)
    region.client("autoscaling").set_desired_capacity(AutoScalingGroupName="any", DesiredCapacity=2)
    assert sorted(lifecycle(region).values()) == ["InService", "Pending", "Terminating:Wait"]
