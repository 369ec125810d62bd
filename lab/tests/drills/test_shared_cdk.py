"""What the tests prepare without the CLI is what the CLI makes, and is made once in a run."""

from __future__ import annotations

import json
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from lab.drills.catalogue import BEHAVIOURS
from lab.drills.cdk import Cdk
from lab.emulator.region import Region
from lab.tests.shared_cdk import TOOLKIT, SharedCdk

if TYPE_CHECKING:
    from pathlib import Path

NOWHERE = "http://localhost:1"


def context(name: str) -> tuple[str, ...]:
    """Return settings with a name of the stack."""
    return (f"nat={json.dumps({'name': name})}",)


def files(directory: Path) -> dict[str, bytes]:
    """Return what is in a directory, by path."""
    paths = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in paths}


def test_app_is_synthesized_once_with_each_context(tmp_path: Path) -> None:
    """Each CLI has an assembly of its own, whether it was the first with its context or not."""
    kept, made = tmp_path / "kept", []
    kept.mkdir()
    for number, name in enumerate(("One", "Other", "One")):
        cdk = SharedCdk(NOWHERE, tmp_path / str(number), kept=kept, context=context(name))
        cdk.synth()
        assert (cdk.assembly / f"{name}.template.json").exists()
        made.append({path: path.stat().st_ino for path in kept.glob("*/manifest.json")})
    assert [len(each) for each in made] == [1, 2, 2]
    assert made[1] == made[2]


def test_assembly_is_the_one_that_the_cli_makes(tmp_path: Path) -> None:
    """To the byte, assets included."""
    shared = SharedCdk(NOWHERE, tmp_path / "shared", kept=tmp_path, context=context("Any"))
    shared.synth()
    (tmp_path / "own").mkdir()
    with closing(Cdk(NOWHERE, tmp_path / "own", context=context("Any"))) as cdk:
        cdk.synth()
        assert files(shared.assembly) == files(cdk.assembly)


def test_toolkit_stack_is_the_one_that_the_cli_makes(tmp_path: Path) -> None:
    """And at the same time, so that a drill goes on as in the lab."""
    made = []
    for cli in (Cdk, partial(SharedCdk, kept=tmp_path)):
        with Region(BEHAVIOURS) as region, closing(cli(region.endpoint, tmp_path)) as cdk:
            cdk.bootstrap()
            cloudformation = region.client("cloudformation")
            (stack,) = cloudformation.describe_stacks()["Stacks"]
            resources = cloudformation.describe_stack_resources(StackName=TOOLKIT)
            made.append(
                (
                    stack["StackStatus"],
                    sorted(
                        (row["ParameterKey"], row["ParameterValue"]) for row in stack["Parameters"]
                    ),
                    sorted((row["OutputKey"], row["OutputValue"]) for row in stack["Outputs"]),
                    {
                        row["LogicalResourceId"]: row["PhysicalResourceId"]
                        for row in resources["StackResources"]
                    },
                    region.clock.now(),
                )
            )
    assert made[0] == made[1]
