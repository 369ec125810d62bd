"""A first deployment with an image that cannot become a NAT: it fails, and leaves nothing."""

from __future__ import annotations

import json
import re
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from lab.drills.boots.forwarding import BadImage, never_boots
from lab.drills.catalogue import BEHAVIOURS
from lab.drills.cdk import CdkError
from lab.drills.drill_pool import Task, run_all
from lab.drills.inventory import inventory
from lab.drills.lab_settings import lab_settings
from lab.drills.testbed import AppTestbed
from lab.emulator.isolation import PROJECT
from lab.emulator.region import Region
from lab.emulator.services.ec2.images import withdraw_image
from lab.tests.emulator.factories import reasons, status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab.drills.cdk import Cdk

MINUTES = 60.0
ENDS = 25 * MINUTES
"""How long a first deployment takes at most whose NATs never boot, until all of it is gone."""

WORDS = r"Failed to receive 2 resource signal\(s\)|Group did not stabilize\. The last"
"""What CloudFormation says of a group whose launches are abandoned: after all the time for signals,
or at the first of them, which AWS leaves open."""


REFUSED = "refused"
"""A kind of image beside those that boot: it does not exist for the account."""

AT_ONCE = 10 * MINUTES
"""How long a first deployment takes at most whose image is refused, the rollback included."""

GONE = "ami-0123456789abcdef0"


def test_first_deployment_with_a_bad_image_ends_by_itself_and_leaves_nothing(
    tmp_path: Path, cli: Callable[..., Cdk], *, exhaustive: bool
) -> None:
    """No launch takes longer than one whose hook hears nothing."""
    settings = lab_settings(PROJECT, None)
    others = (BadImage.GIVES_UP.name, BadImage.SWITCHES_OFF.name)
    names = (BadImage.SILENT.name, REFUSED, *(others if exhaustive else ()))
    refused = (f"nat={json.dumps({'fleet': {'ami': {'id': GONE, 'architecture': 'arm64'}}})}",)
    with (
        Region(BEHAVIOURS) as region,
        closing(cli(region.endpoint, tmp_path, context=settings.context)) as cdk,
    ):
        testbed = AppTestbed(region, cdk, settings.strategy)
        testbed.prepare()

        def task(name: str) -> Task[float]:
            def run() -> float:
                context = refused if name == REFUSED else settings.context
                (tmp_path / name).mkdir()
                testbed.cdk = cli(region.endpoint, tmp_path / name, context=context)
                testbed.cdk.synth()
                return _deploy_in_vain(testbed, name)

            return Task(name=name, run=run)

        took = {each.name: seconds for each, seconds in run_all(testbed, map(task, names))}
    assert max(took.values()) < ENDS
    assert took[REFUSED] < AT_ONCE


def _deploy_in_vain(testbed: AppTestbed, name: str) -> float:
    """Deploy an image that cannot become a NAT; return the seconds until all of it is gone."""
    region = testbed.region
    empty, began = inventory(region), region.clock.now()
    if name == REFUSED:
        withdraw_image(region.aws, GONE)
    else:
        never_boots(region.aws, "", BadImage[name])
    with pytest.raises(CdkError):
        testbed.cdk.deploy()
    seconds = region.clock.now() - began
    assert status(region, testbed.stack) == "ROLLBACK_COMPLETE"
    words = re.escape(f"The image id '[{GONE}]' does not exist") if name == REFUSED else WORDS
    assert re.search(words, reasons(region, testbed.stack))
    assert inventory(region) == empty
    return seconds
