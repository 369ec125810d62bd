"""The whole story with the real CDK CLI: deployed, failed over, home again, diffed, destroyed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cdk_nat_failover.instances.nat_fleet import HEARTBEAT_S
from lab.drills.boots.launches import SAID
from lab.drills.catalogue import BEHAVIOURS
from lab.drills.drill import run_drill
from lab.drills.inventory import inventory
from lab.drills.scenario import read_faults
from lab.drills.testbed import deployed
from lab.emulator.region import Region
from lab.emulator.time import delays
from lab.tests.emulator.factories import eventually, in_service
from nat_failover.contract import Strategy

if TYPE_CHECKING:
    from pathlib import Path


def held_launch(region: Region) -> str:
    """Kill a NAT; return its replacement, which the group holds."""
    before = _held(region)
    (nat, *_) = in_service(region, group_of(region))
    region.client("ec2").terminate_instances(InstanceIds=[nat])
    assert eventually(region, lambda: bool(_held(region) - before - {nat}))
    (replacement,) = _held(region) - before - {nat}
    return replacement


def _held(region: Region) -> set[str]:
    """Return the instances that a hook has held so far: each as it is launched, and as it ends."""
    return {entry.detail["instance"] for entry in region.journal.entries("hook")}


def group_of(region: Region) -> str:
    """Return the name of the group."""
    (group,) = region.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    return str(group["AutoScalingGroupName"])


def hold_members(region: Region) -> None:
    """Keep the group from being emptied: one in standby beside a full group, the others protected.

    And Terminate suspended (EC2 Auto Scaling user guide, "Suspend and resume a process").
    """
    autoscaling, group = region.client("autoscaling"), group_of(region)
    resting, *_ = in_service(region, group)
    autoscaling.enter_standby(
        AutoScalingGroupName=group, InstanceIds=[resting], ShouldDecrementDesiredCapacity=False
    )
    assert eventually(region, lambda: len(in_service(region, group)) == 2)
    autoscaling.set_instance_protection(
        AutoScalingGroupName=group,
        InstanceIds=in_service(region, group),
        ProtectedFromScaleIn=True,
    )
    autoscaling.suspend_processes(AutoScalingGroupName=group, ScalingProcesses=["Terminate"])


def ended(region: Region, instance: str) -> float:
    """Return when an instance began to end, without having said how its launch went."""
    mine = [row for row in region.journal.entries() if row.detail.get("instance") == instance]
    assert SAID not in [row.kind for row in mine]
    return next(row.at for row in mine if row.detail.get("state") == "shutting-down")


@pytest.mark.exhaustive("the demo tells it, and test_destroy.py destroys what is held")
@pytest.mark.parametrize("strategy", list(Strategy))
def test_nat_is_killed_and_nothing_is_left_of_it(strategy: str, tmp_path: Path) -> None:
    """Deployed, failed over, home again, diffed, destroyed, deployed again: all with the CLI.

    The table of the dead NAT moves before the instance has stopped forwarding, and comes home when
    the replacement has said that it forwards: neither table is ever without egress. CloudFormation
    sees no change in what the function did, and leaves nothing behind, also when people keep the
    NATs from being terminated, and while the group holds a launch. A deployment rings no alarm.
    """
    with Region(BEHAVIOURS) as region, deployed(region, tmp_path, strategy) as testbed:
        rung = [entry.what for entry in region.journal.entries() if "ALARM" in entry.what]
        outcome = run_drill(testbed, read_faults(["terminate:a"]), seed=0)
        testbed.diff()
        hold_members(region)
        testbed.destroy()
        empty = inventory(region)
        testbed.deploy()
        held = held_launch(region)
        began = region.clock.now()
        testbed.destroy()
        assert inventory(region) == empty
        assert ended(region, held) - began < HEARTBEAT_S

    assert rung == []
    hit, other = (outcome.egress[zone] for zone in sorted(outcome.egress))
    assert (outcome.recovered, outcome.home, outcome.depth) == (True, True, 2)
    moved = next(span for span in hit if span.start > 0)
    assert moved.works
    assert moved.through == other[0].through
    assert moved.start < delays.FORWARDS_ON.low
    assert hit[-1].through not in (hit[0].through, moved.through)
    assert [span for span in (*hit, *other) if not span.works] == []
