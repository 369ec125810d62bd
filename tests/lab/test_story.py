"""The whole story with the real CDK CLI: deployed, failed over, home again, diffed, destroyed."""

from __future__ import annotations

import io
import json
from contextlib import closing
from typing import TYPE_CHECKING

import lab.demo
import pytest
from lab.demo import Demo
from lab.play import lab_context, play
from rich.console import Console

from lab.__main__ import STRATEGIES
from lab.aws.autoscaling.notifications import PublishesNotifications
from lab.aws.catalogue import ALL
from lab.aws.state_changes import PublishesStateChanges
from lab.cdk import Cdk
from lab.inventory import inventory
from lab.isolation import PROJECT
from lab.region import Region

if TYPE_CHECKING:
    from pathlib import Path

    from lab.aws.behaviour import Behaviour
    from lab.watch import Watch

REPAIR = 5.0  # seconds from a message to the repaired route, on a busy machine


ONLY_NOTIFICATIONS = tuple(piece for piece in ALL if piece is not PublishesStateChanges)


@pytest.mark.parametrize(
    ("strategy", "behaviours"),
    [("replace-route", ONLY_NOTIFICATIONS), ("swap-route-table", ALL)],
    ids=["replace-route-by-notification", "swap-route-table-by-state-change"],
)
def test_killed_nat_costs_no_table_more_than_the_first_message(
    strategy: str, behaviours: tuple[type[Behaviour], ...], tmp_path: Path
) -> None:
    """Deployed, destroyed, deployed, failed over, home again, diffed, destroyed: all with the CLI.

    A deployment is over when two NATs in two zones serve two tables. The table that loses its NAT
    waits for the first message and for the function's own work; the other one never loses anything.
    Where EC2's events are lost, the first message is the group's notification. CloudFormation sees
    no change in what the function did, and leaves nothing behind.
    """
    with Region(behaviours) as region, closing(cdk_of(region, tmp_path, strategy)) as cdk:
        demo = Demo(region, cdk)
        demo.prepare()
        empty = inventory(region)
        demo.deploy().stop()
        cdk.destroy()
        assert inventory(region) == empty
        watch = demo.deploy()
        story = demo.kill_a_nat(watch)
        watch.stop()
        assert cdk.diff().status == 0
        cdk.destroy()
        assert inventory(region) == empty

    hit, other = sorted(story.homes, key=lambda row: story.killed not in row.before.instances)
    for row in (hit, other):
        assert row.before.works
        assert row.after.works
        assert f"zone {row.home.zone[-1]}" in row.before.words
        assert f"zone {row.home.zone[-1]}" in row.after.words
    assert hit.during.works
    assert hit.during.instances == other.before.instances == other.during.instances
    assert hit.after.instances != hit.before.instances
    by_notification = behaviours is ONLY_NOTIFICATIONS
    assert by_notification == (story.published_after < story.told_after)
    assert 0 < hit.until_told <= story.told_after < story.published_after + REPAIR
    assert hit.until_repaired < REPAIR
    assert other.outage == 0


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_stack_is_diffed_and_destroyed_when_a_zone_is_served_from_elsewhere(
    strategy: str, tmp_path: Path
) -> None:
    """A failover leaves nothing that CloudFormation would change or fail to delete."""
    context = json.loads((PROJECT / "cdk.json").read_text())["context"]["nat"]
    context["failover"] = {"strategy": strategy, "failback": "manual"}
    with (
        Region() as region,
        closing(Cdk(region.endpoint, tmp_path, context=(f"nat={json.dumps(context)}",))) as cdk,
    ):
        demo = Demo(region, cdk)
        demo.prepare()
        empty = inventory(region)
        watch = demo.deploy()
        (victim,) = watch.now(watch.homes[0]).instances
        region.client("ec2").terminate_instances(InstanceIds=[victim])
        assert region.clock.wait_until(lambda: _is_away(watch), 30)
        watch.stop()
        assert cdk.diff().status == 0
        cdk.destroy()
        assert inventory(region) == empty


def _is_away(watch: Watch) -> bool:
    """Return whether both homes leave through the second zone's NAT."""
    here, there = (watch.now(home) for home in watch.homes)
    return here.works and here.instances == there.instances


def test_demo_ends_with_a_sentence_when_the_subnets_do_not_recover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit status 1, and what did not happen: here nothing tells the function of the death."""
    monkeypatch.setattr(lab.demo, "FAILOVER_LIMIT", 5.0)
    mute = tuple(piece for piece in ONLY_NOTIFICATIONS if piece is not PublishesNotifications)
    said = io.StringIO()
    assert play(Console(file=said, width=200), tmp_path, None, mute) == 1
    assert (
        "The lab stops: a private subnet is still without internet 5 s after its NAT died"
        in said.getvalue()
    )


def cdk_of(region: Region, directory: Path, strategy: str) -> Cdk:
    """Return the CLI for the app with a strategy."""
    return Cdk(region.endpoint, directory, context=lab_context(PROJECT, strategy))
