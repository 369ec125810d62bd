"""Drills with the real CDK CLI: each fault ends as documented, and repeats exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.cli.compare import mixed
from lab.drills.catalogue import BEHAVIOURS
from lab.drills.drill import run_drill
from lab.drills.drill_pool import DrillPoolError, Job, run_all
from lab.drills.faults import FAULTS
from lab.drills.handlers import RECIPE_2016, install
from lab.drills.scenario import read_faults
from lab.drills.testbed import AppTestbed, deployed
from lab.emulator.readings import LaunchFirst, Readings, every
from lab.emulator.region import Region
from lab.emulator.time import delays
from nat_failover.contract import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from lab.drills.cdk import Cdk
    from lab.drills.handlers import Handler
    from lab.drills.outcome import Outcome

HOME = (True, True)
AWAY = (True, False)
LOST = (False, False)

MOVED = {"terminate", "delete-table", "during-deploy"}
"""Faults after which subnets are moved in another way than routes are replaced.

A NAT is gone, and a table; and CloudFormation writes too. The others differ in what is noticed,
which no strategy knows.
"""


def job(testbed: AppTestbed, written: str, *, seed: int = 0, handler: Handler | None = None) -> Job:
    """Return a drill of faults as they are written on the command line."""

    def drill() -> Outcome:
        install(testbed, handler)
        return run_drill(testbed, read_faults(written.split()), seed=seed)

    return Job(name=written, run=drill)


def outcomes_of(testbed: AppTestbed, jobs: Iterable[Job]) -> dict[str, Outcome]:
    """Return the outcomes by the drills' names."""
    return {job.name: outcome for job, outcome in run_all(testbed, jobs)}


def end(outcome: Outcome) -> tuple[bool, bool]:
    """Return whether a drill ended with internet, and at home."""
    return outcome.recovered, outcome.home


def test_faults_end_as_documented_when_subnets_are_moved(
    tmp_path: Path, cli: Callable[..., Cdk], *, exhaustive: bool
) -> None:
    """One deployment, one fork for each fault, and what the table of faults says of its end.

    How all of them end when routes are replaced, the tests of the published figures say.
    """
    strategy = Strategy.SWAP_ROUTE_TABLE.value
    faults = [fault for fault in FAULTS if exhaustive or fault.name in MOVED]
    assert len(faults) == len(FAULTS if exhaustive else MOVED)
    with Region(BEHAVIOURS) as region, deployed(region, tmp_path, strategy, cli=cli) as testbed:
        drills = outcomes_of(testbed, [job(testbed, fault.name) for fault in faults])
        ends = {name: end(outcome) for name, outcome in drills.items()}
        expected = {
            fault.name: HOME if fault.ends_well(None, strategy) else LOST for fault in faults
        }
        assert ends == {**expected, "delete-table": AWAY}
        testbed.diff()


def test_drill_repeats_to_the_last_digit_from_its_seed(
    tmp_path: Path, cli: Callable[..., Cdk]
) -> None:
    """Two deployments, two regions: the same seed tells the same story, ids included.

    And another seed another one. A drill in a fork is a drill without one.
    """
    stories = []
    for number in range(2):
        directory = tmp_path / str(number)
        directory.mkdir()
        with Region(BEHAVIOURS) as region, deployed(region, directory, None, cli=cli) as testbed:
            jobs = [job(testbed, "terminate:b lost@5", seed=seed) for seed in (3, 4)]
            stories.append([outcome for _, outcome in sorted(played_in_order(testbed, jobs))])
            stories.append([stories[-1][0], jobs[1].run()])
    first = stories[0]
    assert stories == [first] * 4
    assert first[0].timeline != first[1].timeline


def played_in_order(testbed: AppTestbed, jobs: list[Job]) -> Iterable[tuple[int, Outcome]]:
    """Yield each outcome with its job's number."""
    for job_, outcome in run_all(testbed, jobs):
        yield jobs.index(job_), outcome


def test_drill_shows_what_our_function_gains(testbed: AppTestbed) -> None:
    """Each number has the bounds that its delays allow."""
    drills = outcomes_of(
        testbed,
        [job(testbed, written) for written in ("terminate", "lost", "both", "denied", "tamper")],
    )
    killed = drills["terminate"]
    assert killed.depth == 2
    assert killed.time_to_detect == pytest.approx(delays.EVENT_DELIVERY.high)
    assert killed.time_to_decide is not None
    assert killed.time_to_decide < delays.WARM_START.high + delays.READ_CALL.high
    assert killed.outage["us-east-1b"] == 0
    sweep = delays.SCHEDULED_MINUTE.high + 1
    assert 0 < (drills["lost"].time_to_detect or 0) <= sweep
    assert 0 < drills["tamper"].worst <= sweep + delays.ROUTE_TAKES_EFFECT.high
    assert min(drills["both"].outage.values()) > delays.GROUP_NOTICES.low
    refused = drills["denied"].refused
    assert {write.error for write in refused} == {"UnauthorizedOperation"}
    assert all(write.time < FAULTS_LAST["denied"] for write in refused)
    assert "alarm" in " ".join(line.what for line in drills["denied"].timeline)


FAULTS_LAST = {fault.name: fault.seconds for fault in FAULTS if fault.seconds}


def test_recipe_of_2016_fails_where_the_comparison_says(testbed: AppTestbed) -> None:
    """It waits for the group, never comes home, and a second death is for good."""
    first, second = "terminate:a", "terminate:a terminate:b@200"
    recipe = outcomes_of(
        testbed, [job(testbed, text, handler=RECIPE_2016) for text in (first, second)]
    )
    ours = outcomes_of(testbed, [job(testbed, text) for text in (first, second)])
    assert [end(ours[first]), end(ours[second])] == [HOME, HOME]
    assert end(recipe[first]) == (True, False)
    assert recipe[first].worst > delays.GROUP_NOTICES.low > ours[first].worst
    assert not recipe[second].recovered


def test_message_that_comes_twice_or_late_leads_to_the_same_end(testbed: AppTestbed) -> None:
    """The table is written once more at most, and never to anything else."""
    drills = outcomes_of(
        testbed, [job(testbed, text) for text in ("terminate", "doubled", "reordered")]
    )
    ends = {name: outcome.egress["us-east-1a"][-1].through for name, outcome in drills.items()}
    assert len(set(ends.values())) == 1
    assert {end(outcome) for outcome in drills.values()} == {HOME}


def test_fault_changes_nothing_when_another_one_came_first(testbed: AppTestbed) -> None:
    """A route that is gone cannot be deleted: the drill says so and goes on."""
    (drill,) = outcomes_of(testbed, [job(testbed, "tamper:a tamper:a@0.1")]).values()
    said = [line.what for line in drill.timeline if line.source == "You"]
    assert said[-1].startswith("tamper changes nothing: no route with destination-cidr-block")
    assert end(drill) == HOME


@pytest.mark.exhaustive("updates are played under both readings")
def test_nats_that_a_group_replaces_end_alike_whether_it_may_exceed_its_maximum(
    testbed: AppTestbed,
) -> None:
    """AWS leaves open whether such a group launches first: a planned replacement costs nothing."""

    def under(readings: Readings, fault: str) -> Job:
        def drill() -> Outcome:
            testbed.region.aws.readings.become(readings)
            return run_drill(testbed, read_faults([fault]), seed=0)

        return Job(name=f"{fault}: {readings.launch_first.value}", run=drill)

    cross = list(every(LaunchFirst))
    drills = outcomes_of(
        testbed, [under(each, fault) for each in cross for fault in ("planned", "impair")]
    )
    assert {name: end(outcome) for name, outcome in drills.items()} == dict.fromkeys(drills, HOME)
    assert {outcome.worst for name, outcome in drills.items() if "planned" in name} == {0}
    begun = {_what_the_group_does_first(outcome) for outcome in drills.values()}
    assert begun == {"launches", "terminates"}


def _what_the_group_does_first(outcome: Outcome) -> str:
    said = (line.what.split()[0] for line in outcome.timeline if line.source == "Auto Scaling")
    return next(word for word in said if word in {"launches", "terminates"})


def test_mixed_drills_recover(testbed: AppTestbed, *, exhaustive: bool) -> None:
    """A small soak: what `make soak` plays a thousand of."""
    jobs = [
        Job(
            name=str(seed),
            run=lambda seed=seed: run_drill(testbed, mixed(seed), seed=seed),  # type: ignore[misc]
        )
        for seed in range(6 if exhaustive else 2)
    ]
    lost = [name for name, outcome in outcomes_of(testbed, jobs).items() if end(outcome) != HOME]
    assert lost == []


def test_mixed_drills_are_drawn_from_the_seed() -> None:
    """The same faults for the same seed, and over some seeds every fault that recovers."""
    assert mixed(5) == mixed(5)
    drills = [mixed(seed) for seed in range(1000)]
    assert {len(faults) for faults in drills} == {3, 4, 5, 6}
    terminated = [faults[-1].fault.name for faults in drills if len(faults) == 6]
    assert set(terminated) == {"terminate"}
    drawn = {scheduled.fault.name for faults in drills for scheduled in faults}
    assert drawn == {fault.name for fault in FAULTS if fault.ends_well(None, "replace-route")}
    letters = {scheduled.option for seed in range(50) for scheduled in mixed(seed, "abc")} - {None}
    assert letters == {"a", "b", "c"}


def test_farm_says_which_drill_failed_and_why(testbed: AppTestbed) -> None:
    """An error in a fork is told where the drills were asked for."""

    def fail() -> Outcome:
        message = "no"
        raise ValueError(message)

    with pytest.raises(DrillPoolError, match="the drill any: ValueError: no"):
        list(run_all(testbed, [Job(name="any", run=fail)]))
    assert end(outcomes_of(testbed, [job(testbed, "terminate")])["terminate"]) == HOME
