"""Contracts of the maximum lifetime of a group's instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lab.emulator.readings import (
    LaunchFirst,
    LifetimeChange,
    LifetimePause,
    Readings,
    ReplacementZone,
)
from lab.emulator.services.autoscaling.lifetimes import LifetimesAreLimited
from lab.emulator.services.autoscaling.settings import SHORTEST_LIFETIME
from lab.emulator.services.autoscaling.waits import TERMINATING
from lab.emulator.time import delays
from lab.tests.emulator.contract import contract_of, under_each
from lab.tests.emulator.factories import eventually, group_in_service, in_service, members

if TYPE_CHECKING:
    from lab.emulator.region import Region

HEARTBEAT = 300
WARMUP = 200
HOUR = 3600
POLICY = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150}
DRAIN = {
    "LifecycleHookName": "any",
    "LifecycleTransition": TERMINATING,
    "HeartbeatTimeout": HEARTBEAT,
    "DefaultResult": "CONTINUE",
}
LIVES = {"MaxInstanceLifetime": SHORTEST_LIFETIME}
DRAINED: dict[str, Any] = {
    **LIVES,
    "InstanceMaintenancePolicy": POLICY,
    "LifecycleHookSpecificationList": [DRAIN],
}


def limit(region: Region, lifetime: int) -> None:
    """Change the maximum lifetime of the group's instances."""
    region.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName="any", MaxInstanceLifetime=lifetime
    )


class Watched:
    """From now on: the fewest members in service, and the most old ones leaving at a time."""

    def __init__(self, region: Region, old: list[str]) -> None:
        self.fewest, self.leaving = len(old), 0
        self._region, self._old = region, old
        region.clock.each_step(self._look)

    def _look(self) -> None:
        states = {row["InstanceId"]: row["LifecycleState"] for row in members(self._region)}
        serving = [name for name, state in states.items() if state == "InService"]
        leave = [name for name in self._old if states.get(name, "").startswith("Terminating")]
        self.fewest = min(self.fewest, len(serving))
        self.leaving = max(self.leaving, len(leave))


def aged(region: Region, old: list[str]) -> Watched:
    """Let a group become nearly as old as it may, and watch it from then on."""
    region.clock.pass_time(SHORTEST_LIFETIME - delays.LAUNCH.high)
    assert in_service(region) == old
    return Watched(region, old)


def renewed(region: Region, old: list[str]) -> bool:
    """Wait until none of the members is an old one, and none is leaving."""

    def are_new() -> bool:
        states = {row["InstanceId"]: row["LifecycleState"] for row in members(region)}
        whole = len(states) == len(old) and set(states.values()) == {"InService"}
        return whole and states.keys().isdisjoint(old)

    return region.clock.wait_until(are_new, HOUR)


@contract_of(LifetimesAreLimited)
def test_members_are_replaced_one_at_a_time_when_their_time_is_up(region: Region) -> None:
    """Without a maintenance policy the group lacks one meanwhile, and never more."""
    old = group_in_service(region, **LIVES)
    watched = aged(region, old)
    assert renewed(region, old)
    assert watched.fewest == 1


@contract_of(LifetimesAreLimited)
def test_lifetime_counts_for_members_that_the_group_has_already(region: Region) -> None:
    """An update of the group sets it."""
    (old,) = group_in_service(region, 1)
    limit(region, SHORTEST_LIFETIME)
    region.clock.pass_time(SHORTEST_LIFETIME - 1)
    assert in_service(region) == [old]
    assert eventually(region, lambda: old not in in_service(region))


@pytest.mark.parametrize("lifetime", [0, 2 * SHORTEST_LIFETIME])
def test_lifetime_that_was_raised_or_cleared_spares_the_members(
    region: Region, lifetime: int
) -> None:
    """What counts is the limit at the end of the former one."""
    old = group_in_service(region, **LIVES)
    limit(region, lifetime)
    region.clock.pass_time(SHORTEST_LIFETIME + 600)
    assert in_service(region) == old


@contract_of(LifetimesAreLimited)
def test_protected_member_stays_until_its_protection_is_lifted(region: Region) -> None:
    """Scale-in protection holds up the replacement, as AWS's page recommends it."""
    (old,) = group_in_service(region, 1, **LIVES)
    protect = region.client("autoscaling").set_instance_protection
    named = {"AutoScalingGroupName": "any", "InstanceIds": [old]}
    protect(**named, ProtectedFromScaleIn=True)
    region.clock.pass_time(SHORTEST_LIFETIME + 600)
    assert in_service(region) == [old]
    protect(**named, ProtectedFromScaleIn=False)
    assert eventually(region, lambda: old not in in_service(region))


@under_each(LifetimePause)
def test_members_of_one_age_leave_one_after_the_other_and_are_replaced_before(
    region: Region,
) -> None:
    """With a policy that launches first the group always has its size in service."""
    old = group_in_service(region, **DRAINED)
    watched = aged(region, old)
    assert renewed(region, old)
    assert watched.fewest == 2


@under_each(LifetimePause, ReplacementZone)
def test_members_of_one_age_drain_together_unless_the_group_pauses_and_stays_balanced(
    region: Region, readings: Readings
) -> None:
    """The next one may be in Terminating:Wait while the former one still is: its hook is long.

    So it is when the first replacement unbalanced the zones: a rebalancing knows no pause.
    """
    old = group_in_service(region, **DRAINED)
    watched = aged(region, old)
    assert renewed(region, old)
    pauses = readings.lifetime_pause is LifetimePause.UNTIL_IT_IS_GONE
    balanced = readings.replacement_zone is ReplacementZone.WITHOUT_THE_LEAVING
    assert watched.leaving == (1 if pauses and balanced else 2)


@under_each(LaunchFirst, LifetimePause)
def test_full_group_lacks_one_at_most_while_its_members_are_renewed(
    region: Region, readings: Readings
) -> None:
    """Whether a group at its maximum size launches first is open; it never lacks two."""
    old = group_in_service(region, MaxSize=2, **DRAINED)
    watched = aged(region, old)
    assert renewed(region, old)
    first = readings.launch_first is LaunchFirst.BEYOND_THE_MAXIMUM
    assert watched.fewest == (2 if first else 1)


@under_each(LifetimeChange)
def test_change_of_the_lifetime_spreads_the_replacements_or_waits(
    region: Region, readings: Readings
) -> None:
    """All members but the youngest one may be replaced at once, and never below the size."""
    old = group_in_service(region, 3, InstanceMaintenancePolicy=POLICY)
    watched = Watched(region, old)
    limit(region, SHORTEST_LIFETIME)
    region.clock.pass_time(HOUR)
    left = set(in_service(region)) & set(old)
    spread = readings.lifetime_change is LifetimeChange.SPREADS_AT_ONCE
    assert len(left) == (1 if spread else 3)
    assert watched.fewest == 3


@contract_of(LifetimesAreLimited)
def test_old_member_stays_until_its_replacement_is_warm(region: Region) -> None:
    """With a default instance warm-up a new member is ready that much later."""
    settings = {**DRAINED, "DefaultInstanceWarmup": WARMUP}
    (old,) = group_in_service(region, 1, **settings)
    aged(region, [old])
    assert eventually(region, lambda: len(in_service(region)) == 2)
    since = region.clock.now()
    assert eventually(region, lambda: old not in in_service(region))
    assert region.clock.now() - since == pytest.approx(WARMUP)
