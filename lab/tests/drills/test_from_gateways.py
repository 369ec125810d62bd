"""From NAT gateways and old NAT instances, and back, with the real CDK CLI.

One deployed story, from which others branch off in forks.
"""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import starmap
from typing import TYPE_CHECKING, Any

import pytest

from cdk_nat_failover.instances.watch.judgement import GRACE_S
from lab.drills.catalogue import BEHAVIOURS
from lab.drills.drill_pool import Task, run_all
from lab.drills.egress_monitor import EgressMonitor
from lab.drills.notifications import notifications, ringing
from lab.drills.testbed import AppTestbed
from lab.emulator.isolation import PROJECT
from lab.emulator.region import Region
from lab.emulator.time.chance import Chance
from lab.tests.drills.old_owner import DEAD, OLD, OldOwner
from nat_failover.contract import MEMORY_KEY, Item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from lab.drills.cdk import Cdk

NOBODY: tuple[str, ...] = ()
ONE: tuple[str, ...] = ("a",)
ALL: tuple[str, ...] = ("a", "b", OLD)
"""The tables that a deployment takes over, in the order of the operations page."""

MOST_S, WORST_S = 61, 31
"""What the operations page says that it costs when the old owner deletes the routes: at most, and
at the worst moment in the lab, which depends on when NATs happen to say that they are well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came of a part of the story: where each table led, what it lost, and what was told."""

    through: dict[str, str | None]
    lost: dict[str, float]
    told: tuple[str, ...]
    ringing: tuple[str, ...]
    routes: dict[str, str | None]


class Story:
    """The network with the app in it, and what is seen of it from a moment on."""

    def __init__(self, region: Region, testbed: AppTestbed, old: OldOwner) -> None:
        self.region, self.testbed, self.old = region, testbed, old
        self.monitor = EgressMonitor(region, tuple(old.homes.values()))
        self.began = region.clock.now()
        self.parts: dict[str, Seen] = {}

    def end(self, part: str) -> None:
        """Keep what happened in a part of the story; the next one begins."""
        self.parts[part] = self.seen()
        self.began = self.region.clock.now()

    def seen(self) -> Seen:
        """Return what has happened in this part."""
        entries = self.region.journal.entries(since=self.began)
        told = notifications(entries, began=self.began, ringing=ringing(self.region))
        alarms = self.region.client("cloudwatch").describe_alarms(StateValue="ALARM")
        return Seen(
            through={name: self.monitor.now(home).through for name, home in self.old.homes.items()},
            lost={name: self._lost(name) for name in self.old.homes},
            told=tuple(row.subject for row in told),
            ringing=tuple(row["AlarmName"] for row in alarms["MetricAlarms"]),
            routes=self.old.routes(),
        )

    def _lost(self, name: str) -> float:
        """Return the seconds for which the subnets of a table had no internet."""
        changes = self.monitor.changes[self.old.homes[name]]
        ends = [change.at for change in changes[1:]] + [self.region.clock.now()]
        return sum(
            max(0.0, end - max(change.at, self.began))
            for change, end in zip(changes, ends, strict=True)
            if not change.egress.works
        )

    def ring(self) -> set[str]:
        """Return the NATs that know each other, and would accuse one that answers nothing."""
        (table,) = self.region.client("dynamodb").list_tables()["TableNames"]
        key: Any = {MEMORY_KEY: {"S": Item.PEERS}}
        item = self.region.client("dynamodb").get_item(TableName=table, Key=key)["Item"]
        return {str(row["instance"]) for row in json.loads(item["ring"]["S"])}

    def nat_of(self, zone: str) -> str:
        """Return the NAT of the group in a zone."""
        groups = self.region.client("autoscaling").describe_auto_scaling_groups()
        (group,) = groups["AutoScalingGroups"]
        return next(
            str(row["InstanceId"])
            for row in group["Instances"]
            if row["AvailabilityZone"].endswith(zone)
            and row["InstanceId"] not in self.old.nats.values()
        )


@dataclass(frozen=True, slots=True)
class Played:
    """What was seen in each part of the story, and which NATs and gateways there were."""

    parts: dict[str, Seen]
    nats: dict[str, str]
    gateways: dict[str, str]
    old: dict[str, str]


@pytest.fixture(scope="module")
def played(
    tmp_path_factory: pytest.TempPathFactory,
    cli: Callable[..., Cdk],
    exhaustive: bool,  # noqa: FBT001 - a fixture
) -> Iterator[Played]:
    """Return what was seen of the whole path, and of what may go another way."""
    with ExitStack() as stack:
        region = stack.enter_context(Region(BEHAVIOURS))
        old = OldOwner(region)
        region.clock.pass_time(300)  # until one NAT forwards, and the other is dead
        directory = tmp_path_factory.mktemp("gateways")
        deployments = {
            adopt: _cdk(cli, stack, region, directory / str(len(adopt)), old.context(adopt))
            for adopt in (NOBODY, ONE, ALL)
        }
        deployments[NOBODY].bootstrap()
        testbed = AppTestbed(region, deployments[ALL], "replace-route")
        story = Story(region, testbed, old)
        _take_over(story, deployments)
        nats = {zone: story.nat_of(zone) for zone in "ab"}
        back = lambda story: _give_back(story, cli, directory / "back")  # noqa: E731
        moments = {f"deleted {seed}": _deleted(seed) for seed in SEEDS if exhaustive or not seed}
        branches = _in_forks(story, BRANCHES | moments | {"attached": back})
        _go_to_the_end(story)
        story.monitor.stop()
        yield Played(story.parts | branches, nats, old.gateways, old.nats)


def _cdk(
    cli: Callable[..., Cdk],
    stack: ExitStack,
    region: Region,
    directory: Path,
    context: tuple[str, ...],
) -> Cdk:
    directory.mkdir()
    cdk = stack.enter_context(closing(cli(region.endpoint, directory, context=context)))
    cdk.synth()
    return cdk


def _take_over(story: Story, deployments: dict[tuple[str, ...], Cdk]) -> None:
    """Deploy with nobody's tables, with one, and with all."""
    for name, adopt in {"nobody": NOBODY, "one": ONE, "all": ALL}.items():
        deployments[adopt].deploy()
        story.region.clock.pass_time(200 if name == "nobody" else 65)
        story.end(name)


def _give_back(story: Story, cli: Callable[..., Cdk], directory: Path) -> None:
    """Give all back with one deployment, and attach the old NAT instance to the group."""
    with ExitStack() as stack:
        _cdk(cli, stack, story.region, directory, story.old.context(NOBODY)).deploy()
    story.region.clock.pass_time(65)
    story.end("back")
    _attach(story)


def _go_to_the_end(story: Story) -> None:
    """Let the old owner let go as the page says, and remove what is not used; then destroy."""
    story.old.update(policy="Retain")
    story.old.update(policy="Retain", routes=False)
    story.old.update(routes=False, gateways=False)
    story.region.client("ec2").terminate_instances(InstanceIds=[story.old.nats[OLD]])
    story.region.clock.pass_time(125)
    story.end("let go")
    story.testbed.cdk.destroy()
    story.end("destroyed at the end")


def _in_forks(story: Story, plays: Mapping[str, Callable[[Story], None]]) -> dict[str, Seen]:
    """Return what is seen where the story goes on in other ways."""

    def task(name: str, play: Callable[[Story], None]) -> Task[dict[str, Seen]]:
        def run() -> dict[str, Seen]:
            story.parts.clear()
            play(story)
            story.testbed.insist()
            story.end(name)
            return story.parts

        return Task(name, run)

    seen: dict[str, Seen] = {}
    for _, parts in run_all(story.testbed, starmap(task, plays.items())):
        seen |= parts
    return seen


def _attach(story: Story) -> None:
    """Attach the old NAT instance to the group; when peers would have accused it, let it leave."""
    autoscaling, nat = story.region.client("autoscaling"), story.old.nats[OLD]
    (group,) = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    autoscaling.attach_instances(
        AutoScalingGroupName=group["AutoScalingGroupName"], InstanceIds=[nat]
    )
    story.region.clock.pass_time(GRACE_S + 60)
    assert nat == story.monitor.now(story.old.homes[OLD]).through
    assert {story.nat_of(zone) for zone in "ab"} == story.ring()
    autoscaling.terminate_instance_in_auto_scaling_group(
        InstanceId=nat, ShouldDecrementDesiredCapacity=True
    )
    story.region.clock.pass_time(125)


def _deleted(seed: int) -> Callable[[Story], None]:
    """Let the old owner take its routes out of the template, and so delete the NATs'.

    At any moment of the sweep's minute; with seed 0 at the worst, when no run of the function is
    near: besides the sweep, each NAT makes it observe once a minute.
    """

    def play(story: Story) -> None:
        clock = story.region.clock
        clock.chance = Chance(seed)
        worst = _begin_of_longest_pause(story)
        clock.pass_time(clock.chance.between(0, 60, "the old owner lets go") if seed else worst)
        story.old.update(routes=False)
        clock.pass_time(125)

    return play


def _begin_of_longest_pause(story: Story) -> float:
    """Return in how many seconds the longest pause between runs of the function begins."""
    now = story.region.clock.now()
    rows = story.region.journal.entries("function answered", since=now - 120)
    ends = sorted({row.at % 60 for row in rows})
    _, begin = max(
        (later - end, end) for end, later in zip(ends, [*ends[1:], ends[0] + 60], strict=True)
    )
    return (begin - now) % 60


def _written_back(story: Story) -> None:
    """Let the stack, and the script of the old NAT, write their routes back, twice.

    The first time they are taken over again.
    """
    taken = story.seen().through
    story.old.update(crossed=True)
    story.old.write_back()
    story.region.clock.pass_time(65)
    seen = story.seen()
    assert (seen.through, seen.told) == (taken, ())
    story.old.update()
    story.old.write_back()
    story.region.clock.pass_time(200)


def _destroyed(story: Story) -> None:
    """Delete the app's stack while what it took over is still there."""
    cloudformation = story.region.client("cloudformation")
    cloudformation.delete_stack(StackName=story.testbed.stack)
    story.region.clock.wait_until(
        lambda: all(
            row["StackName"] != story.testbed.stack
            for row in cloudformation.describe_stacks()["Stacks"]
        ),
        3600,
    )


SEEDS = range(12)
BRANCHES: dict[str, Callable[[Story], None]] = {
    "written back": _written_back,
    "destroyed": _destroyed,
}


def test_nobody_is_served_by_nats_that_may_take_nothing_over(played: Played) -> None:
    """The tables stay where they are, nothing rings, and nobody is told of them.

    One whose old NAT is dead already leads nowhere, and is repaired at once.
    """
    seen = played.parts["nobody"]
    assert seen.through == {**played.gateways, OLD: played.old[OLD], DEAD: played.nats["b"]}
    assert {name: lost for name, lost in seen.lost.items() if lost}.keys() == {DEAD}
    assert seen.ringing == ()
    assert [said for said in seen.told if not said.startswith("OK: ")] == []


def test_tables_are_taken_over_one_by_one_and_given_back_without_an_interruption(
    played: Played,
) -> None:
    """From gateways and from an old NAT instance, which serve until the new NATs do."""
    serves = {name: set(played.parts[name].through.items()) for name in ("one", "all", "back")}
    ours, theirs = played.nats, {**played.gateways, OLD: played.old[OLD]}
    assert serves["one"] >= {("a", ours["a"]), ("b", theirs["b"]), (OLD, theirs[OLD])}
    assert serves["all"] >= {("a", ours["a"]), ("b", ours["b"]), (OLD, ours["a"])}
    assert serves["back"] >= set(theirs.items())
    for name in ("one", "all", "back"):
        assert set(played.parts[name].lost.values()) == {0}
        assert (played.parts[name].told, played.parts[name].ringing) == ((), ())


def test_old_owner_that_retains_its_routes_first_takes_nothing_away(played: Played) -> None:
    """Neither when it lets the routes go, nor with the gateways, nor with the old NAT instance."""
    seen = played.parts["let go"]
    assert seen.through == played.parts["all"].through
    assert set(seen.lost.values()) == {0}


def test_old_owner_that_deletes_its_routes_costs_what_the_page_says(played: Played) -> None:
    """They are the NATs' by then, and the next sweep writes them again."""
    lost = [played.parts[name].lost for name in played.parts if name.startswith("deleted")]
    worst = max(row[zone] for row in lost for zone in "ab")
    assert worst <= MOST_S
    assert abs(worst - WORST_S) < WORST_S / 3
    assert {row[name] for row in lost for name in (OLD, DEAD)} == {0}
    page = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert f"until the function looks, {MOST_S} s at most: the sweep's minute" in page
    assert f"In the lab it was {WORST_S} s at the worst moment" in page


def test_route_that_is_written_back_twice_is_a_conflict_that_is_told_once(played: Played) -> None:
    """It is left alone: with the stack's gateways, and with the script's NAT instance."""
    seen = played.parts["written back"]
    theirs = {**played.gateways, OLD: played.old[OLD]}
    assert {name: seen.through[name] for name in theirs} == theirs
    assert set(seen.lost.values()) == {0}
    assert [said.split(":")[0] for said in seen.told] == ["DEGRADED", "ALARM"]
    assert len(seen.ringing) == 1
    assert "NotOurs" in seen.ringing[0]


def test_destroyed_stack_gives_back_what_is_still_there(played: Played) -> None:
    """While its NATs serve; what led nowhere before has no default route."""
    seen = played.parts["destroyed"]
    theirs = {**played.gateways, OLD: played.old[OLD]}
    assert {name: seen.through[name] for name in theirs} == theirs
    assert {seen.lost[name] for name in theirs} == {0}
    assert seen.routes[DEAD] is None


def test_destroyed_stack_deletes_routes_whose_former_targets_are_gone(played: Played) -> None:
    """Gateways that are deleted, and a NAT instance that its owner has terminated."""
    assert set(played.parts["destroyed at the end"].routes.values()) == {None}


def test_attached_nat_is_neither_missed_nor_accused_and_leaves_by_drain(played: Played) -> None:
    """Its table is the stack's without a takeover, and moves before it ends."""
    seen = played.parts["attached"]
    assert seen.through == {**played.parts["back"].through, OLD: played.nats["a"]}
    assert (seen.told, seen.ringing, set(seen.lost.values())) == ((), (), {0})
