"""Contracts of signals: what waits for them, who sends them, and when they are refused."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from lab.drills.boots.delays import BOOT_SIGNALS
from lab.drills.boots.forwarding import bad_boots, never_boots
from lab.drills.boots.signals import REFUSED, InstancesSignalTheirStack
from lab.emulator.readings import (
    AbandonedLaunch,
    HeldLaunch,
    MovedSubnets,
    Readings,
    RolledBackTemplate,
)
from lab.emulator.services.cloudformation.stacks import StacksFail
from lab.tests.emulator.contract import contract_of, under_each
from lab.tests.emulator.factories import any_subnets, deploy, in_service, reasons, status
from lab.tests.emulator.stacks import physical, resource, update

if TYPE_CHECKING:
    from lab.emulator.region import Region

BOOT = """#!/bin/bash
group=any-nat
hook=any
stack=any
resource=Group
aws autoscaling complete-lifecycle-action
aws cloudformation signal-resource
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "ec2.amazonaws.com"},
        }
    ],
}
SIGNAL = {"Effect": "Allow", "Action": "cloudformation:SignalResource", "Resource": "*"}
COMPLETE = {"Effect": "Allow", "Action": "autoscaling:CompleteLifecycleAction", "Resource": "*"}
MINUTES_15 = 900.0


def fleet(
    subnets: tuple[str, ...],
    instance_type: str = "t3.nano",
    *,
    named: bool = True,
    statements: tuple[dict[str, str], ...] = (SIGNAL, COMPLETE),
    **properties: object,
) -> dict[str, Any]:
    """Return a held group whose instances signal; its template is named by its content or not."""
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    role = resource(
        "IAM::Role",
        AssumeRolePolicyDocument=TRUST,
        Policies=[{"PolicyName": "any", "PolicyDocument": policy}],
    )
    data = {
        "ImageId": "ami-00000000000000000",
        "InstanceType": instance_type,
        "IamInstanceProfile": {"Arn": {"Fn::GetAtt": ["Profile", "Arn"]}},
        "UserData": base64.b64encode(BOOT.encode()).decode(),
    }
    template = resource("EC2::LaunchTemplate", LaunchTemplateData=data)
    if named:
        template["Properties"]["LaunchTemplateName"] = f"any-{instance_type}"
    hook = {
        "LifecycleHookName": "any",
        "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING",
        "HeartbeatTimeout": 420,
    }
    group = resource(
        "AutoScaling::AutoScalingGroup",
        AutoScalingGroupName="any-nat",
        VPCZoneIdentifier=list(subnets),
        LifecycleHookSpecificationList=[hook],
        LaunchTemplate={
            "LaunchTemplateId": {"Ref": "Template"},
            "Version": {"Fn::GetAtt": ["Template", "LatestVersionNumber"]},
        },
        **{"MinSize": "1", "MaxSize": "2", "DesiredCapacity": "2", **properties},
    )
    group["CreationPolicy"] = {"ResourceSignal": {"Count": 2, "Timeout": "PT15M"}}
    group["UpdatePolicy"] = {
        "AutoScalingRollingUpdate": {
            "MinInstancesInService": 1,
            "MaxBatchSize": 1,
            "PauseTime": "PT15M",
            "WaitOnResourceSignals": True,
        }
    }
    profile = resource("IAM::InstanceProfile", Roles=[{"Ref": "Role"}])
    return {"Role": role, "Profile": profile, "Template": template, "Group": group}


def fewest_in_service(region: Region, group: str) -> list[int]:
    """Return a list that shows, at each step from now on, how many members are in service."""
    seen: list[int] = []
    region.clock.each_step(lambda: seen.append(len(in_service(region, group))))
    return seen


def test_creation_waits_for_the_signals_of_its_instances(region: Region) -> None:
    """They come half a minute after the group has taken the instances into service."""
    assert deploy(region, fleet(any_subnets(region))) == "CREATE_COMPLETE"
    served = [entry.at for entry in region.journal.entries("in service")]
    signalled = [entry.at for entry in region.journal.entries("signal")]
    assert len(signalled) == 2
    low, high = BOOT_SIGNALS.low, BOOT_SIGNALS.high
    assert all(low <= at - began <= high for at, began in zip(signalled, served, strict=True))


@contract_of(InstancesSignalTheirStack)
def test_instance_signals_with_its_own_role(region: Region) -> None:
    """Without a signal the creation fails when its time is over."""
    assert deploy(region, fleet(any_subnets(region))) == "CREATE_COMPLETE"


def test_creation_fails_in_its_time_when_the_role_may_not_signal(region: Region) -> None:
    """The instances serve, and nobody hears of it."""
    began = region.clock.now()
    stack = fleet(any_subnets(region), statements=(COMPLETE,))
    assert deploy(region, stack) == "ROLLBACK_COMPLETE"
    assert "Failed to receive 2 resource signal(s) within the specified duration" in reasons(region)
    assert {row.detail["error"] for row in region.journal.entries(REFUSED)} == {"AccessDenied"}
    assert region.clock.now() - began < MINUTES_15 + 300


@under_each(AbandonedLaunch)
def test_creation_ends_by_itself_when_its_instances_never_boot(
    region: Region, readings: Readings
) -> None:
    """At once, or when the creation policy's time is over: never after hours."""
    began = region.clock.now()
    never_boots(region.aws)
    assert deploy(region, fleet(any_subnets(region))) == "ROLLBACK_COMPLETE"
    at_once = readings.abandoned_launch is AbandonedLaunch.FAILS_THE_CREATION
    assert ("The last scaling activity" in reasons(region)) == at_once
    assert ("Failed to receive 2 resource signal(s)" in reasons(region)) == (not at_once)
    assert region.clock.now() - began < MINUTES_15 + 900


@pytest.mark.parametrize("readings", [Readings(abandoned_launch=AbandonedLaunch.IS_TRIED_AGAIN)])
def test_creation_succeeds_when_a_boot_fails_once_and_is_tried_again(region: Region) -> None:
    """Fifteen minutes are enough for a boot that fails and one that does not."""
    bad_boots(region.aws, 1)
    assert deploy(region, fleet(any_subnets(region))) == "CREATE_COMPLETE"


@under_each(HeldLaunch)
@contract_of(StacksFail)
def test_update_goes_on_when_the_new_instance_has_signalled(region: Region) -> None:
    """One after the other, and one is always in service."""
    subnets = any_subnets(region)
    deploy(region, fleet(subnets))
    old, fewest = in_service(region, "any-nat"), fewest_in_service(region, "any-nat")
    assert update(region, fleet(subnets, "t3.micro")) == "UPDATE_COMPLETE"
    assert min(fewest) == 1
    assert not set(old) & set(in_service(region, "any-nat"))
    assert len(in_service(region, "any-nat")) == 2
    assert "Waiting on 1 resource signal(s) with a timeout of PT15M" in reasons(region)


@under_each(HeldLaunch, RolledBackTemplate, AbandonedLaunch)
@pytest.mark.parametrize("persists", [False, True])
def test_failed_update_leaves_one_in_service_when_the_template_is_its_content(
    region: Region, *, persists: bool
) -> None:
    """The rollback replaces the one instance that the update launched, and no other."""
    subnets = any_subnets(region)
    deploy(region, fleet(subnets))
    old, fewest = in_service(region, "any-nat"), fewest_in_service(region, "any-nat")
    never_boots(region.aws, "" if persists else "t3.micro")
    ended = update(region, fleet(subnets, "t3.micro"))
    assert ended == ("UPDATE_ROLLBACK_FAILED" if persists else "UPDATE_ROLLBACK_COMPLETE")
    assert min(fewest) == 1
    assert set(old) & set(in_service(region, "any-nat"))
    assert "Terminating 1 obsolete instance(s) in batches of 1" in reasons(region)


@pytest.mark.parametrize(
    ("readings", "least"),
    [
        (Readings(), 0),
        (Readings(rolled_back_template=RolledBackTemplate.IS_THE_FORMER_ONE), 1),
    ],
)
def test_rollback_of_a_template_in_place_may_end_the_last_instance(
    region: Region, least: int
) -> None:
    """Which is why a template is its content: a version that was rolled back may be a new one."""
    subnets = any_subnets(region)
    deploy(region, fleet(subnets, named=False))
    fewest = fewest_in_service(region, "any-nat")
    never_boots(region.aws, "t3.micro")
    assert update(region, fleet(subnets, "t3.micro", named=False)) == "UPDATE_ROLLBACK_COMPLETE"
    assert min(fewest) == least


@pytest.mark.parametrize(
    ("readings", "replaced"),
    [
        (Readings(), 2),
        (Readings(moved_subnets=MovedSubnets.REPLACE_THOSE_ELSEWHERE), 1),
    ],
)
def test_group_replaces_members_when_its_subnets_change(region: Region, replaced: int) -> None:
    """All of them, or those that the new subnets leave behind: both are read."""
    first, second = any_subnets(region)
    deploy(region, fleet((first, second)))
    old = in_service(region, "any-nat")
    assert update(region, fleet((first,))) == "UPDATE_COMPLETE"
    assert len(set(old) - set(in_service(region, "any-nat"))) == replaced


def test_replacement_at_night_serves_although_its_signal_is_refused(region: Region) -> None:
    """The refusal is written down, and changes nothing."""
    deploy(region, fleet(any_subnets(region)))
    group, since = physical(region, "Group"), region.clock.now()
    region.client("ec2").terminate_instances(InstanceIds=in_service(region, group)[:1])
    assert region.clock.wait_until(
        lambda: bool(region.journal.entries(REFUSED, since=since)), MINUTES_15
    )
    (refusal,) = region.journal.entries(REFUSED, since=since)
    assert refusal.detail["error"] == "ValidationError"
    assert refusal.detail["instance"] in in_service(region, group)
    assert status(region) == "CREATE_COMPLETE"
