"""Updates of the deployed app whose new NATs cannot become one: the last one that serves stays."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from moto.cloudformation.models import cloudformation_backends

from lab.drills.boots.forwarding import BadImage, boots_again, never_boots
from lab.drills.catalogue import BEHAVIOURS
from lab.drills.drill_pool import Job, run_all
from lab.drills.injectors.context import FaultContext
from lab.drills.injectors.updates import update_the_stack
from lab.drills.measure import measure
from lab.drills.outcome import losses
from lab.drills.testbed import AppTestbed
from lab.emulator.isolation import ACCOUNT, PROJECT, REGION
from lab.emulator.readings import HeldLaunch, LaunchFirst, RolledBackTemplate, every
from lab.emulator.region import Region

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
PLAYED = {
    "template": [(False, READINGS[0]), (True, READINGS[0]), (True, READINGS[-1])],
    "configuration": [(True, READINGS[0])],
}
"""What is played of it: each answer once where the cause persists, which is worst, and a cause that
passes. A launch configuration has no versions, which leaves less open."""


@pytest.fixture(scope="module", params=["template", "configuration"])
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
    played = EVERYTHING if exhaustive else PLAYED[launch]
    jobs = [_job(testbed, readings, persists=persists) for persists, readings in played]
    if launch == "template":  # what becomes of an instance depends on neither
        others = [image for image in BadImage if image is not BadImage.GIVES_UP]
        jobs += [_job(testbed, READINGS[0], persists=False, image=image) for image in others]
    outcomes = {job.name: outcome for job, outcome in run_all(testbed, jobs)}
    assert len(outcomes) == len(jobs)
    assert max(map(_longest, outcomes.values())) < FAILOVER


def _longest(outcome: Outcome) -> float:
    return max(seconds for spans in outcome.egress.values() for seconds in (0.0, *losses(spans)))


def _job(
    testbed: AppTestbed,
    readings: Readings,
    *,
    persists: bool,
    image: BadImage = BadImage.GIVES_UP,
) -> Job:
    def drill() -> Outcome:
        testbed.region.aws.readings.become(readings)
        return _drill(testbed, image, persists=persists)

    return Job(name=f"{image.name} {persists} {readings}", run=drill)


def _drill(testbed: AppTestbed, image: BadImage, *, persists: bool) -> Outcome:
    region, monitor = testbed.region, testbed.monitor
    began, serving, (status, limit) = region.clock.now(), list[int](), ENDS[persists]
    region.clock.each_step(lambda: serving.append(_serving(testbed)))
    never_boots(region.aws, "" if persists else "t4g.micro", image)
    update_the_stack(FaultContext(region, testbed.stack, monitor), None)
    assert region.clock.wait_until(lambda: _status() == status, limit), _status()
    assert min(serving) == 1, f"{min(serving)} NATs forwarded"
    boots_again(region.aws)
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
