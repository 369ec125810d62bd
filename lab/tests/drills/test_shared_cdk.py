"""The app is synthesized once in a run of the tests with each context, as the CLI does it."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

from lab.drills.cdk import Cdk
from lab.tests.shared_cdk import SharedCdk

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
