"""First deployments with an image that cannot become a NAT: they fail, and leave nothing.

The first of them by the CDK CLI; the others make the same stack from its template.
"""

from __future__ import annotations

import json
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from lab.drills.boots.forwarding import BadImage, boots_again, never_boots
from lab.drills.catalogue import BEHAVIOURS
from lab.drills.cdk import CdkError
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

REFUSED = 5 * MINUTES
"""And one whose image AWS refuses to the group."""

WORDS = re.compile(r"Failed to receive 2 resource signal\(s\)|Group did not stabilize\. The last")
"""What CloudFormation says of a group whose launches are abandoned: after all the time for signals,
or at the first of them, which AWS leaves open."""


def test_first_deployment_with_a_bad_image_ends_by_itself_and_leaves_nothing(
    tmp_path: Path, cli: Callable[..., Cdk]
) -> None:
    """Whatever is wrong with the image; an event of the stack says what AWS knows of it."""
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
        name = testbed.stack
        assert status(region, name) == "ROLLBACK_COMPLETE"
        assert WORDS.search(reasons(region, name))
        assert inventory(region) == empty
        given = _given(region, name)
        for image in (BadImage.GIVES_UP, BadImage.SWITCHES_OFF):
            never_boots(region.aws, "", image)
            assert WORDS.search(_deploy(region, name, given, ENDS))
            assert inventory(region) == empty
        boots_again(region.aws)
        gone = region.client("ssm").get_parameter(Name=given["Parameters"][0]["ParameterValue"])
        withdraw_image(region.aws, str(gone["Parameter"]["Value"]))
        assert "does not exist" in _deploy(region, name, given, REFUSED)
        assert inventory(region) == empty


def _given(region: Region, stack: str) -> dict[str, Any]:
    """Return what a stack was made from."""
    cloudformation = region.client("cloudformation")
    template = cloudformation.get_template(StackName=stack)["TemplateBody"]
    (described,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    parameters = [
        {"ParameterKey": row["ParameterKey"], "ParameterValue": row["ParameterValue"]}
        for row in described["Parameters"]
        if row["ParameterKey"].startswith("NatImage")
    ]
    return {"TemplateBody": json.dumps(template), "Parameters": parameters}


def _deploy(region: Region, stack: str, given: dict[str, Any], limit: float) -> str:
    """Delete a stack and make it anew; return what its events say when it is rolled back."""
    cloudformation = region.client("cloudformation")
    cloudformation.delete_stack(StackName=stack)
    began = region.clock.now()
    cloudformation.create_stack(StackName=stack, Capabilities=["CAPABILITY_IAM"], **given)
    assert status(region, stack) == "ROLLBACK_COMPLETE"
    assert region.clock.now() - began < limit
    return reasons(region, stack)
