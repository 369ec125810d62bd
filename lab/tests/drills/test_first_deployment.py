"""A first deployment with an image that never says anything: it fails, and leaves nothing."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from lab.drills.boots.forwarding import BadImage, never_boots
from lab.drills.catalogue import BEHAVIOURS
from lab.drills.cdk import CdkError
from lab.drills.inventory import inventory
from lab.drills.lab_settings import lab_settings
from lab.drills.testbed import AppTestbed
from lab.emulator.isolation import PROJECT
from lab.emulator.region import Region
from lab.tests.emulator.factories import reasons, status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab.drills.cdk import Cdk

MINUTES = 60.0
ENDS = 25 * MINUTES
"""How long a first deployment takes at most whose NATs never boot, until all of it is gone."""

WORDS = re.compile(r"Failed to receive 2 resource signal\(s\)|Group did not stabilize\. The last")
"""What CloudFormation says of a group whose launches are abandoned: after all the time for signals,
or at the first of them, which AWS leaves open."""


def test_first_deployment_with_a_bad_image_ends_by_itself_and_leaves_nothing(
    tmp_path: Path, cli: Callable[..., Cdk]
) -> None:
    """No launch takes longer than one whose hook hears nothing."""
    settings = lab_settings(PROJECT, None)
    with (
        Region(BEHAVIOURS) as region,
        closing(cli(region.endpoint, tmp_path, context=settings.context)) as cdk,
    ):
        testbed = AppTestbed(region, cdk, settings.strategy)
        testbed.prepare()
        empty, began = inventory(region), region.clock.now()
        never_boots(region.aws, "", BadImage.SILENT)
        with pytest.raises(CdkError):
            cdk.deploy()
        assert region.clock.now() - began < ENDS
        assert status(region, testbed.stack) == "ROLLBACK_COMPLETE"
        assert WORDS.search(reasons(region, testbed.stack))
        assert inventory(region) == empty
