"""Contracts of instance refreshes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.autoscaling.refreshes import InstanceRefreshes
from lab.emulator.time import delays
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import eventually, group_in_service, in_service, members

if TYPE_CHECKING:
    from lab.emulator.region import Region

WARMUP = 200


def start(region: Region, **settings: object) -> str:
    """Start an instance refresh; return its id."""
    reply = region.client("autoscaling").start_instance_refresh(
        AutoScalingGroupName="any", **settings
    )
    return str(reply["InstanceRefreshId"])


def last(region: Region) -> dict[str, Any]:
    """Return the last instance refresh as it is described."""
    reply = region.client("autoscaling").describe_instance_refreshes(AutoScalingGroupName="any")
    described: dict[str, Any] = reply["InstanceRefreshes"][0]
    return described


def is_over(region: Region) -> bool:
    """Return whether the last instance refresh has succeeded."""
    return bool(last(region)["Status"] == "Successful")


@contract_of(InstanceRefreshes)
def test_refresh_replaces_the_members_one_by_one(region: Region) -> None:
    """Of two members, 90 percent are two, but one at a time is replaced all the same."""
    old = group_in_service(region)
    started = start(region)
    least = len(old)

    def look() -> bool:
        nonlocal least
        least = min(least, len(in_service(region)))
        return is_over(region)

    assert eventually(region, look)
    assert least == 1
    assert not set(in_service(region)) & set(old)
    assert len(in_service(region)) == 2
    described = last(region)
    assert described["InstanceRefreshId"] == started
    assert described["PercentageComplete"] == 100
    assert described["InstancesToUpdate"] == 0
    assert described["EndTime"] > described["StartTime"]


@contract_of(InstanceRefreshes)
def test_refresh_waits_until_a_new_member_is_warm(region: Region) -> None:
    """The instance warm-up begins when the new member enters service."""
    old = group_in_service(region)
    start(region, Preferences={"InstanceWarmup": WARMUP})
    assert eventually(region, lambda: len(set(in_service(region)) - set(old)) == 1)
    since = region.clock.now()
    assert eventually(region, lambda: not set(in_service(region)) & set(old))
    waited = region.clock.now() - since
    assert WARMUP <= waited <= WARMUP + delays.REFRESH_LOOKS.high


@contract_of(InstanceRefreshes)
@pytest.mark.parametrize(
    "preferences",
    [{"MinHealthyPercentage": 100}, {"MinHealthyPercentage": 90, "MaxHealthyPercentage": 150}],
)
def test_refresh_launches_first_when_all_are_to_stay_healthy(
    region: Region, preferences: dict[str, int]
) -> None:
    """The group always has its two members in service, and a third one meanwhile."""
    old = group_in_service(region)
    start(region, Preferences=preferences)
    most = 0

    def look() -> bool:
        nonlocal most
        assert len(in_service(region)) >= 2
        most = max(most, len([row for row in members(region) if row["LifecycleState"] in COUNTED]))
        return is_over(region)

    assert eventually(region, look)
    assert most == 3
    assert not set(in_service(region)) & set(old)
    assert len(in_service(region)) == 2


COUNTED = ("Pending", "InService")


@contract_of(InstanceRefreshes)
def test_refresh_replaces_nobody_when_all_match_and_matching_ones_are_skipped(
    region: Region,
) -> None:
    """Nothing differs from the group's launch template."""
    old = group_in_service(region)
    start(region, Preferences={"SkipMatching": True})
    assert eventually(region, lambda: is_over(region))
    assert sorted(in_service(region)) == sorted(old)


@contract_of(InstanceRefreshes)
def test_refresh_launches_the_desired_template_version(region: Region) -> None:
    """The group has it from then on."""
    group_in_service(region, 1)
    region.client("ec2").create_launch_template_version(
        LaunchTemplateName="any", LaunchTemplateData={"ImageId": "ami-1"}
    )
    template = {"LaunchTemplateName": "any", "Version": "2"}
    start(
        region,
        DesiredConfiguration={"LaunchTemplate": template},
        Preferences={"SkipMatching": True},
    )
    assert eventually(region, lambda: is_over(region))
    assert [row["LaunchTemplate"]["Version"] for row in members(region)][-1] == "2"


@contract_of(InstanceRefreshes)
def test_refresh_is_refused_when_one_is_in_progress_and_when_the_lab_cannot_play_it(
    region: Region,
) -> None:
    """Nothing is skipped in silence."""
    group_in_service(region, 1)
    with pytest.raises(ClientError, match="CheckpointDelay"):
        start(region, Preferences={"CheckpointDelay": 60})
    start(region)
    with pytest.raises(ClientError, match="InstanceRefreshInProgress"):
        start(region)


@contract_of(InstanceRefreshes)
def test_cancelled_refresh_leaves_the_other_members_alone(region: Region) -> None:
    """What is under way goes on; the group keeps its size."""
    old = group_in_service(region)
    start(region)
    assert eventually(region, lambda: len(in_service(region)) == 1)
    cancel = region.client("autoscaling").cancel_instance_refresh
    cancel(AutoScalingGroupName="any")
    assert last(region)["Status"] == "Cancelled"
    assert eventually(region, lambda: len(in_service(region)) == 2)
    region.clock.pass_time(600)
    assert len(set(in_service(region)) & set(old)) == 1
    with pytest.raises(ClientError, match="ActiveInstanceRefreshNotFound"):
        cancel(AutoScalingGroupName="any")
