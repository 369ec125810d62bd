"""Contracts of what an instance does about its launch when its boot script has ended."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cdk_nat_failover.instances.nat_user_data import Boot, user_data
from lab.drills.boots import delays
from lab.drills.boots.forwarding import BOOTED, bad_boots, forwards
from lab.drills.boots.launches import (
    ATTEMPTS,
    REFUSED,
    SAID,
    InstancesCompleteTheirLaunch,
    LaunchAction,
    launch_action_of,
)
from lab.emulator.time import delays as aws
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import (
    any_subnets,
    emulated,
    eventually,
    in_service,
    members,
    state_of,
)
from lab.tests.emulator.launches import any_profile, launched_group

if TYPE_CHECKING:
    from lab.emulator.region import Region

COMPLETE = "autoscaling:CompleteLifecycleAction"


def boot_script(group: str = "any", hook: str = "any-hook") -> str:
    """Return the user data that the app gives to its instances."""
    boot = Boot(
        targets=["example.com"],
        group=group,
        hook=hook,
        stack="any",
        resource="Any",
        session_manager=False,
    )
    return base64.b64encode(user_data(boot).encode()).decode()


def policy_for(group: str, action: str = COMPLETE) -> dict[str, Any]:
    """Return a policy that lets an instance do one thing to a group."""
    groups = "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:*:autoScalingGroupName"
    statement = {"Effect": "Allow", "Action": action, "Resource": f"{groups}/{group}"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def launched_nat(
    region: Region, *, script: str | None = None, policy: dict[str, Any] | None = None
) -> str:
    """Return the first instance of a group whose instances complete their launch."""
    profile = {"IamInstanceProfile": {"Arn": any_profile(region, policy or policy_for("any"))}}
    launched_group(region, {"UserData": script or boot_script(), **profile})
    return str(members(region)[0]["InstanceId"])


def said(region: Region, instance: str) -> list[str]:
    """Return what an instance told its group."""
    entries = region.journal.entries(SAID)
    return [row.detail["result"] for row in entries if row.detail["instance"] == instance]


def test_deployed_boot_script_says_which_action_it_completes() -> None:
    """The lab reads the names where the script has them."""
    assert launch_action_of(boot_script("a-group", "a-hook")) == LaunchAction(
        group="a-group", hook="a-hook"
    )
    assert launch_action_of(boot_script("O'Neill nat")) == LaunchAction(
        group="O'Neill nat", hook="any-hook"
    )


@pytest.mark.parametrize(
    "script",
    [
        "",
        "#!/bin/bash\nyum install -y iptables-services\n",
        "group=any\n",
        "hook=any-hook\n",
    ],
)
def test_other_user_data_completes_nothing(script: str) -> None:
    """It must name a group and a hook."""
    assert launch_action_of(base64.b64encode(script.encode()).decode()) is None


def test_user_data_that_is_no_text_completes_nothing() -> None:
    """User data may be anything: an archive, say."""
    assert launch_action_of(base64.b64encode(b"\x1f\x8b\xff").decode()) is None
    assert launch_action_of("not base64!") is None


@contract_of(InstancesCompleteTheirLaunch)
def test_instance_enters_service_when_it_forwards(region: Region) -> None:
    """It says CONTINUE after its boot, long before the heartbeat of the hook ends the wait."""
    nat = launched_nat(region)
    assert eventually(region, lambda: forwards(emulated(nat), region.clock.now()))
    began = region.clock.now()
    assert in_service(region) == []
    assert eventually(region, lambda: in_service(region) == [nat])
    assert region.clock.now() - began <= delays.CLI_CALL.high + aws.LAUNCH_PROCEEDS.high
    assert said(region, nat) == ["CONTINUE"]


@contract_of(InstancesCompleteTheirLaunch)
def test_instance_is_replaced_when_its_boot_fails(region: Region) -> None:
    """It says ABANDON, and the group does not wait for the heartbeat; the next one boots well."""
    bad_boots(region.aws, 1)
    bad = launched_nat(region)
    assert eventually(region, lambda: any(row.kind == BOOTED for row in region.journal.entries()))
    assert region.clock.wait_until(
        lambda: emulated(bad).state == "shutting-down", delays.CLI_CALL.high
    )
    assert said(region, bad) == ["ABANDON"]
    assert eventually(region, lambda: bool(in_service(region)))
    assert in_service(region) != [bad]


@contract_of(InstancesCompleteTheirLaunch)
@pytest.mark.parametrize(
    "policy",
    [policy_for("another"), policy_for("any", "autoscaling:SetInstanceHealth")],
    ids=["another group", "another action"],
)
def test_heartbeat_ends_the_launch_when_the_role_may_not_tell(
    region: Region, policy: dict[str, Any]
) -> None:
    """The instance tries for a while, and then leaves the action open."""
    nat = launched_nat(region, policy=policy)
    assert eventually(region, lambda: bool(said(region, nat)))
    region.clock.pass_time(ATTEMPTS * (delays.CLI_CALL.high + delays.BOOT_TRIES_AGAIN.high))
    continued = said(region, nat)
    assert set(continued) == {"CONTINUE"}
    assert 1 < len(continued) <= ATTEMPTS
    refused = [row.what for row in region.journal.entries(REFUSED)]
    assert refused == [f"{nat} is answered AccessDenied"] * len(continued)
    (state,) = members(region)
    assert state["LifecycleState"] == "Pending:Wait"
    assert eventually(region, lambda: state_of(region, nat) == "terminated")


@contract_of(InstancesCompleteTheirLaunch)
def test_instance_cannot_tell_when_it_has_no_profile(region: Region) -> None:
    """A call needs credentials."""
    launched_group(region, {"UserData": boot_script()})
    nat = members(region)[0]["InstanceId"]
    assert eventually(region, lambda: bool(region.journal.entries(REFUSED)))
    assert region.journal.entries(REFUSED)[0].what == f"{nat} is answered NoCredentials"


@contract_of(InstancesCompleteTheirLaunch)
def test_instance_tries_again_when_its_action_has_not_begun(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An instance that is faster than its group is told that there is no such action yet."""
    late = aws.INSTANCE_BOOT.high + delays.BOOT_SCRIPT.high + delays.CLI_CALL.high + 1
    monkeypatch.setattr(delays, "BOOT_SCRIPT", replace(delays.BOOT_SCRIPT, low=45.0))
    monkeypatch.setattr(aws, "LAUNCH_HOOK", replace(aws.LAUNCH_HOOK, low=late, high=late))
    nat = launched_nat(region)
    assert eventually(region, lambda: in_service(region) == [nat])
    assert region.journal.entries(REFUSED)[0].what == f"{nat} is answered ValidationError"
    assert len(said(region, nat)) > 1
    assert set(said(region, nat)) == {"CONTINUE"}


@contract_of(InstancesCompleteTheirLaunch)
def test_instance_says_nothing_more_when_it_boots_again(region: Region) -> None:
    """User data runs at the first boot. Here nobody asks: the instance is of no group."""
    instance = region.client("ec2").run_instances(
        ImageId="ami-00000000000000000",
        MinCount=1,
        MaxCount=1,
        SubnetId=any_subnets(region)[0],
        UserData=base64.b64decode(boot_script()).decode(),
        IamInstanceProfile={"Arn": any_profile(region, policy_for("any"))},
    )["Instances"][0]["InstanceId"]
    assert eventually(region, lambda: bool(said(region, instance)))
    region.client("ec2").stop_instances(InstanceIds=[instance])
    assert eventually(region, lambda: state_of(region, instance) == "stopped")
    before = said(region, instance)
    region.client("ec2").start_instances(InstanceIds=[instance])
    assert eventually(region, lambda: forwards(emulated(instance), region.clock.now()))
    assert not eventually(region, lambda: said(region, instance) != before)
