"""Updates of the deployed app whose new NATs cannot become one: the last one that serves stays."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from moto.cloudformation.models import cloudformation_backends

from lab.drills.boots.forwarding import BadImage, boots_again, never_boots
from lab.drills.catalogue import BEHAVIOURS
from lab.drills.cdk import CdkError
from lab.drills.drill_pool import Job, Task, run_all
from lab.drills.injectors.conditions import zone_outage
from lab.drills.injectors.context import FaultContext
from lab.drills.injectors.instances import terminate
from lab.drills.injectors.updates import update_the_stack
from lab.drills.measure import measure
from lab.drills.outcome import losses
from lab.drills.testbed import AppTestbed
from lab.emulator.isolation import ACCOUNT, PROJECT, REGION
from lab.emulator.readings import HeldLaunch, LaunchFirst, RolledBackTemplate, every
from lab.emulator.region import Region
from lab.emulator.services.ec2.capacity import restore_capacity
from lab.emulator.services.ec2.images import withdraw_image
from lab.tests.drills.test_first_deployment import AT_ONCE, GONE
from lab.tests.emulator.factories import reasons

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lab.drills.cdk import Cdk
    from lab.drills.outcome import Outcome
    from lab.emulator.readings import Readings

MINUTES = 60.0
ENDS = {
    False: ("UPDATE_ROLLBACK_COMPLETE", 25 * MINUTES),
    True: ("UPDATE_ROLLBACK_FAILED", 45 * MINUTES),
}
"""How an update ends whose cause passes with it, or persists, and after how long at most."""

FAILOVER = 10.0
"""Seconds that a zone is without internet at most, each time that a NAT of its ends.

While a group replaces NATs that never boot, a zone loses more than one, and its time without
internet in all is a sum of such times.
"""

READINGS = tuple(every(HeldLaunch, RolledBackTemplate, LaunchFirst))
EVERYTHING = [(persists, readings) for persists in (False, True) for readings in READINGS]
PLAYED = [(True, READINGS[-1])]
"""What is played of it: the cause persists. That it passes is played while a zone is failed over,
and images that boot badly are in the first deployment of test_first_deployment.py."""


CONFIGURATION = pytest.param(
    "configuration", marks=pytest.mark.exhaustive("a template leaves more open, and that is played")
)


@pytest.fixture(scope="module", params=["template", CONFIGURATION])
def testbed(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    cli: Callable[..., Cdk],
) -> Iterator[AppTestbed]:
    """Return the app, deployed with each of the two ways to launch."""
    directory = tmp_path_factory.mktemp(str(request.param))
    given = json.loads((PROJECT / "cdk.json").read_text(encoding="utf-8"))["context"]["nat"]
    fleet = {**given.get("fleet", {}), "launch": request.param}
    context = (f"nat={json.dumps({**given, 'fleet': fleet})}",)
    with (
        Region(BEHAVIOURS) as region,
        closing(cli(region.endpoint, directory, context=context)) as cdk,
    ):
        testbed = AppTestbed(region, cdk, "replace-route")
        testbed.prepare()
        testbed.deploy()
        yield testbed
        testbed.monitor.stop()


def test_update_whose_nats_never_boot_ends_by_itself_and_one_serves(
    request: pytest.FixtureRequest, testbed: AppTestbed, *, exhaustive: bool
) -> None:
    """Under the readings of AWS that matter, whether the cause passes or persists.

    When it persists the group goes on trying, and is whole again when the cause has passed.
    """
    launch = str(request.node.callspec.params["testbed"])
    played = EVERYTHING if exhaustive else PLAYED
    jobs = [_job(testbed, readings, persists=persists) for persists, readings in played]
    if launch == "template" and exhaustive:  # what becomes of an instance depends on neither
        jobs += [
            _job(testbed, READINGS[0], persists=each, image=image)
            for image in (BadImage.SWITCHES_OFF, BadImage.SILENT)
            for each in (False, True)
        ]
    outcomes = {job.name: outcome for job, outcome in run_all(testbed, jobs)}
    assert len(outcomes) == len(jobs)
    assert max(map(_longest, outcomes.values())) < FAILOVER


@pytest.mark.parametrize("testbed", ["template"], indirect=True)
def test_update_whose_nats_never_boot_takes_the_internet_from_nobody_in_a_failover(
    testbed: AppTestbed, *, exhaustive: bool
) -> None:
    """One NAT serves alone as it begins, and is held until the update has gone back."""
    everything = [*((False, readings) for readings in READINGS), (True, READINGS[0])]
    played = everything if exhaustive else everything[:1]
    jobs = [_job(testbed, readings, persists=each, failed_over=True) for each, readings in played]
    outcomes = {job.name: outcome for job, outcome in run_all(testbed, jobs)}
    assert len(outcomes) == len(jobs)
    assert {name: _longest(outcome) for name, outcome in outcomes.items()} == dict.fromkeys(
        outcomes, 0.0
    )


@pytest.mark.exhaustive("deaths in updates are drilled as during-deploy")
@pytest.mark.parametrize("testbed", ["template"], indirect=True)
def test_nat_that_dies_during_the_rollback_of_an_update_is_failed_over(testbed: AppTestbed) -> None:
    """And the rollback succeeds, as the new NATs signal."""

    def drill() -> Outcome:
        region, monitor = testbed.region, testbed.monitor
        began = region.clock.now()
        never_boots(region.aws, "t4g.micro")
        fault = FaultContext(region, testbed.stack, monitor)
        update_the_stack(fault, None)
        going_back = "UPDATE_ROLLBACK_IN_PROGRESS"
        assert region.clock.wait_until(
            lambda: _status() == going_back and _serving(testbed) == 2, 25 * MINUTES
        )
        terminate(fault, "b")
        assert region.clock.wait_until(lambda: _status() == ENDS[False][0], 25 * MINUTES)
        assert region.clock.wait_until(monitor.at_home, 25 * MINUTES)
        return measure(
            region, monitor, began=began, fault="update", strategy="", handler="", seed=0
        )

    ((_, outcome),) = run_all(testbed, [Job(name="dies", run=drill)])
    assert _longest(outcome) < FAILOVER


@pytest.mark.parametrize("testbed", ["template"], indirect=True)
def test_update_to_an_image_that_is_refused_ends_at_once_and_touches_no_nat(
    testbed: AppTestbed, tmp_path: Path, cli: Callable[..., Cdk]
) -> None:
    """One that does not exist for the account, and one of another architecture."""

    def drill() -> tuple[str, ...]:
        region, monitor = testbed.region, testbed.monitor
        withdraw_image(region.aws, GONE)
        before, began = monitor.nats_now(), region.clock.now()
        said = tuple(
            _refused(testbed, cli, tmp_path / image, image) for image in (GONE, _of_x86(region))
        )
        assert region.clock.now() - began < 2 * AT_ONCE
        assert monitor.nats_now() == before
        return said

    ((_, (gone, other)),) = run_all(testbed, [Task(name="refused", run=drill)])
    assert f"The image id '[{GONE}]' does not exist" in gone
    assert "does not match the architecture 'x86_64' of the specified AMI" in other


def _of_x86(region: Region) -> str:
    """Return a public image that t4g.nano cannot boot, once EC2 was asked for it."""
    name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-x86_64"
    image = str(region.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
    region.client("ec2").describe_images(ImageIds=[image])
    return image


def _refused(testbed: AppTestbed, cli: Callable[..., Cdk], at: Path, image: str) -> str:
    """Deploy an image that is refused, and return the reasons of the stack's events."""
    fleet = {"ami": {"id": image, "architecture": "arm64"}}
    at.mkdir()
    with closing(
        cli(testbed.region.endpoint, at, context=(f"nat={json.dumps({'fleet': fleet})}",))
    ) as cdk:
        cdk.synth()
        with pytest.raises(CdkError):
            cdk.deploy()
    assert _status() == "UPDATE_ROLLBACK_COMPLETE"
    return reasons(testbed.region, testbed.stack)


def _longest(outcome: Outcome) -> float:
    return max(seconds for spans in outcome.egress.values() for seconds in (0.0, *losses(spans)))


def _job(
    testbed: AppTestbed,
    readings: Readings,
    *,
    persists: bool,
    image: BadImage = BadImage.GIVES_UP,
    failed_over: bool = False,
) -> Job:
    def drill() -> Outcome:
        testbed.region.aws.readings.become(readings)
        if failed_over:
            _fail_over(testbed)
        return _drill(testbed, image, persists=persists)

    return Job(name=f"{image.name} {persists} {readings}", run=drill)


def _fail_over(testbed: AppTestbed) -> None:
    """Let zone a have no NAT, and none to come, and wait until zone b's serves it."""
    fault = FaultContext(testbed.region, testbed.stack, testbed.monitor)
    home = fault.home("a")
    zone_outage(fault, "a")
    away = lambda: testbed.monitor.now(home).zone != home.zone  # noqa: E731
    assert testbed.region.clock.wait_until(away, MINUTES)
    testbed.region.clock.pass_time(1)


def _drill(testbed: AppTestbed, image: BadImage, *, persists: bool) -> Outcome:
    region, monitor = testbed.region, testbed.monitor
    began, serving, (status, limit) = region.clock.now(), list[int](), ENDS[persists]
    region.clock.each_step(lambda: serving.append(_serving(testbed)))
    never_boots(region.aws, "" if persists else "t4g.micro", image)
    update_the_stack(FaultContext(region, testbed.stack, monitor), None)
    assert region.clock.wait_until(lambda: _status() == status, limit), _status()
    assert min(serving) == 1, f"{min(serving)} NATs forwarded"
    boots_again(region.aws)
    restore_capacity(region.aws)
    assert region.clock.wait_until(
        lambda: monitor.at_home() and _serving(testbed) == 2, 25 * MINUTES
    )
    return measure(region, monitor, began=began, fault="update", strategy="", handler="", seed=0)


def _serving(testbed: AppTestbed) -> int:
    """Return how many NATs forward, as the monitor, which looks at each step before, saw it."""
    return sum(nat.forwards for nat in testbed.monitor.nats_at(testbed.region.clock.now()))


def _status() -> str:
    """Return the status of the app's stack: asked for at each step, and so not of the API."""
    stacks = cloudformation_backends[ACCOUNT][REGION].stacks.values()
    return next(str(stack.status) for stack in stacks if stack.name != "CDKToolkit")
