"""Contracts of a group's health checks, beyond those of the dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.autoscaling.health import (
    ReplacesTheImpaired,
    ReplacesTheReported,
    SuspensionsEnd,
)
from lab.emulator.services.autoscaling.waits import LAUNCHING
from lab.emulator.services.ec2.health import impair
from lab.emulator.time import delays
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import (
    any_group,
    any_subnets,
    emulated,
    eventually,
    group_in_service,
    in_service,
    members,
)

if TYPE_CHECKING:
    from lab.emulator.region import Region

GRACE = 600
POLICY = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150}


def report(region: Region, instance: str, **settings: object) -> None:
    """Report an instance as unhealthy."""
    region.client("autoscaling").set_instance_health(
        InstanceId=instance, HealthStatus="Unhealthy", **settings
    )


def lifecycle(region: Region, instance: str) -> str:
    """Return the lifecycle state of a member; "gone" if it is none any more."""
    states = {row["InstanceId"]: str(row["LifecycleState"]) for row in members(region)}
    return states.get(instance, "gone")


@contract_of(ReplacesTheImpaired)
def test_impaired_member_is_replaced_after_minutes(region: Region) -> None:
    """Not at once: it may recover."""
    victim, survivor = group_in_service(region)
    impair(region.aws, emulated(victim))
    began = region.clock.now()
    assert eventually(region, lambda: lifecycle(region, victim) == "Terminating")
    took = region.clock.now() - began
    longest = delays.STATUS_CHECK.high + delays.GROUP_GIVES_UP.high
    assert delays.GROUP_GIVES_UP.low <= took <= longest
    assert eventually(region, lambda: len(in_service(region)) == 2)
    assert survivor in in_service(region)


@contract_of(ReplacesTheImpaired)
def test_impaired_members_are_replaced_one_at_a_time(region: Region) -> None:
    """The second one stays until the first one's replacement is in service."""
    old = group_in_service(region)
    for instance in old:
        impair(region.aws, emulated(instance))
    assert eventually(region, lambda: len(in_service(region)) == 1)
    assert eventually(region, lambda: len(set(members_in_all(region)) - set(old)) == 1)
    assert sorted(lifecycle(region, row) for row in old) == ["InService", "Terminating"]
    assert eventually(region, lambda: not set(in_service(region)) & set(old))
    assert eventually(region, lambda: len(in_service(region)) == 2)


def members_in_all(region: Region) -> list[str]:
    """Return the ids of all members, whatever their state."""
    return [row["InstanceId"] for row in members(region)]


@contract_of(ReplacesTheImpaired)
def test_impaired_member_stays_during_its_grace_period(region: Region) -> None:
    """The grace period begins when the member enters service."""
    (victim,) = group_in_service(region, 1, HealthCheckGracePeriod=GRACE)
    since = region.clock.now()
    impair(region.aws, emulated(victim))
    assert eventually(region, lambda: lifecycle(region, victim) == "Terminating")
    assert region.clock.now() - since >= GRACE


@contract_of(ReplacesTheImpaired)
def test_member_that_is_impaired_before_it_is_in_service_is_replaced_then(region: Region) -> None:
    """A group does not check a member that a launch hook holds."""
    held = {
        "LifecycleHookName": "any",
        "LifecycleTransition": LAUNCHING,
        "HeartbeatTimeout": GRACE,
        "DefaultResult": "CONTINUE",
    }
    any_group(region, any_subnets(region), 1, LifecycleHookSpecificationList=[held])
    victim = members(region)[0]["InstanceId"]
    assert eventually(region, lambda: emulated(victim).state == "running")
    impair(region.aws, emulated(victim))
    region.clock.pass_time(GRACE / 2)
    assert lifecycle(region, victim) == "Pending:Wait"
    assert eventually(region, lambda: lifecycle(region, victim) == "InService")
    assert eventually(region, lambda: lifecycle(region, victim) == "Terminating")


@contract_of(ReplacesTheReported)
def test_reported_member_is_replaced_at_once(region: Region) -> None:
    """SetInstanceHealth needs no health check."""
    victim, _ = group_in_service(region)
    report(region, victim)
    assert lifecycle(region, victim) == "Terminating"
    assert eventually(region, lambda: lifecycle(region, victim) == "gone")
    assert eventually(region, lambda: len(in_service(region)) == 2)


@contract_of(ReplacesTheReported)
def test_report_counts_in_the_grace_period_only_when_it_says_so(region: Region) -> None:
    """By default the call respects the grace period: it is refused, in AWS's words."""
    victim, _ = group_in_service(region, HealthCheckGracePeriod=GRACE)
    words = f"The age of the instance .* is less than the configured grace period of {GRACE}"
    with pytest.raises(ClientError, match=words):
        report(region, victim)
    assert lifecycle(region, victim) == "InService"
    report(region, victim, ShouldRespectGracePeriod=False)
    assert lifecycle(region, victim) == "Terminating"


@contract_of(ReplacesTheReported)
def test_report_is_refused_when_the_instance_is_leaving_or_no_member(region: Region) -> None:
    """A second report of one failure comes to nothing; so does one of another's instance."""
    victim, _ = group_in_service(region)
    report(region, victim)
    for instance in (victim, "i-0123456789abcdef0"):
        with pytest.raises(ClientError, match="No managed instance found"):
            report(region, instance)


@contract_of(ReplacesTheReported)
def test_reported_member_stays_until_its_replacement_serves_with_a_policy(region: Region) -> None:
    """A failed health check is an event that the maintenance policy is for."""
    victim, _ = group_in_service(region, InstanceMaintenancePolicy=POLICY)
    report(region, victim)
    rows = {row["InstanceId"]: row for row in members(region)}
    assert (len(rows), rows[victim]["LifecycleState"]) == (3, "InService")
    assert rows[victim]["HealthStatus"] == "Unhealthy"
    fewest = [2]
    region.clock.each_step(lambda: fewest.append(len(in_service(region))))
    assert eventually(region, lambda: lifecycle(region, victim) == "gone")
    assert (min(fewest), len(in_service(region))) == (2, 2)


@pytest.mark.parametrize("size", [3, 4])
def test_reported_members_are_replaced_one_at_a_time_with_a_policy(
    region: Region, size: int
) -> None:
    """The group exceeds its size by as many as the policy says, and keeps its size in service."""
    old = group_in_service(region, MaxSize=size, InstanceMaintenancePolicy=POLICY)
    counts = [2]
    region.clock.each_step(lambda: counts.append(len(in_service(region))))
    for instance in old:
        report(region, instance)
    assert len(members(region)) == 3
    assert eventually(region, lambda: sorted(set(in_service(region)) - set(old)) != [])
    assert eventually(region, lambda: not set(members_in_all(region)) & set(old))
    assert eventually(region, lambda: len(members(region)) == 2)
    assert min(counts) == 2


def test_dead_member_is_not_waited_for_whatever_the_policy(region: Region) -> None:
    """AWS goes on to terminate first when an instance ends unexpectedly."""
    victim, survivor = group_in_service(region, InstanceMaintenancePolicy=POLICY)
    region.client("ec2").terminate_instances(InstanceIds=[victim])
    assert eventually(region, lambda: lifecycle(region, victim) == "Terminating")
    assert (in_service(region), len(members(region))) == ([survivor], 2)
    assert eventually(region, lambda: len(in_service(region)) == 2)


def test_member_that_dies_before_its_replacement_serves_is_replaced_once(region: Region) -> None:
    """The replacement that was under way counts from then on."""
    victim, _ = group_in_service(region, InstanceMaintenancePolicy=POLICY)
    region.client("ec2").terminate_instances(InstanceIds=[victim])
    region.clock.pass_time(delays.GROUP_NOTICES.low - 1)
    report(region, victim)
    assert eventually(region, lambda: lifecycle(region, victim) == "Terminating")
    assert len(in_service(region)) == 1
    region.clock.pass_time(GRACE)
    assert len(region.journal.entries("launching")) == 3
    assert len(in_service(region)) == len(members(region)) == 2


@contract_of(SuspensionsEnd)
def test_group_launches_what_it_lacks_when_launches_are_resumed(region: Region) -> None:
    """While Launch is suspended, it stays below its size."""
    group_in_service(region, 1)
    autoscaling = region.client("autoscaling")
    launch = {"AutoScalingGroupName": "any", "ScalingProcesses": ["Launch"]}
    autoscaling.suspend_processes(**launch)
    autoscaling.set_desired_capacity(AutoScalingGroupName="any", DesiredCapacity=2)
    assert len(members(region)) == 1
    autoscaling.resume_processes(**launch)
    assert len(members(region)) == 2


@contract_of(SuspensionsEnd)
def test_group_notices_the_dead_when_health_checks_are_resumed(region: Region) -> None:
    """While HealthCheck is suspended, a dead member stays in service."""
    victim, _ = group_in_service(region)
    autoscaling = region.client("autoscaling")
    check = {"AutoScalingGroupName": "any", "ScalingProcesses": ["HealthCheck"]}
    autoscaling.suspend_processes(**check)
    region.client("ec2").terminate_instances(InstanceIds=[victim])
    region.clock.pass_time(delays.GROUP_NOTICES.high)
    assert lifecycle(region, victim) == "InService"
    autoscaling.resume_processes(**check)
    assert lifecycle(region, victim) == "Terminating"


@contract_of(SuspensionsEnd)
def test_group_replaces_the_unhealthy_when_that_is_resumed(region: Region) -> None:
    """While ReplaceUnhealthy is suspended, an unhealthy member is marked, and stays."""
    victim, _ = group_in_service(region)
    autoscaling = region.client("autoscaling")
    replace = {"AutoScalingGroupName": "any", "ScalingProcesses": ["ReplaceUnhealthy"]}
    autoscaling.suspend_processes(**replace)
    report(region, victim)
    marked = {row["InstanceId"]: row["HealthStatus"] for row in members(region)}
    assert marked[victim] == "Unhealthy"
    assert lifecycle(region, victim) == "InService"
    autoscaling.resume_processes(**replace)
    assert lifecycle(region, victim) == "Terminating"
