"""The examples, deployed from an installed wheel: their NATs fail over as those of the app do."""

from __future__ import annotations

import shutil
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from lab.drills.catalogue import BEHAVIOURS
from lab.drills.cdk import Cdk
from lab.drills.drill import run_drill
from lab.drills.scenario import read_faults
from lab.drills.testbed import AppTestbed
from lab.emulator.isolation import PROJECT
from lab.emulator.region import Region
from tests.wheel import install

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library without the checkout."""
    return install(tmp_path_factory.mktemp("wheel"))


@pytest.mark.parametrize(
    "example",
    [
        "network-with-alerts",
        pytest.param(
            "vpc-with-nats",
            marks=pytest.mark.exhaustive("test_library.py runs its app"),
        ),
    ],
)
def test_example_is_deployed_fails_over_and_leaves_nothing_behind(
    tmp_path: Path, installed: Path, example: str
) -> None:
    """Each subnet gets internet, a dead NAT costs none, and `cdk diff` sees no difference."""
    project = tmp_path / "project"
    shutil.copytree(PROJECT / "examples" / example, project)
    (project / "node_modules").symlink_to(PROJECT / "node_modules")
    app = f"env PYTHONPATH={installed} python3 app.py"
    with (
        Region(BEHAVIOURS) as region,
        closing(Cdk(region.endpoint, tmp_path, project=project, app=app)) as cdk,
    ):
        testbed = AppTestbed(region, cdk, "replace-route")
        testbed.prepare()
        testbed.deploy()
        outcome = run_drill(testbed, read_faults(["terminate:a"]), seed=0)
        testbed.diff()
        testbed.destroy()
        testbed.monitor.stop()
    assert (outcome.recovered, outcome.home, outcome.worst) == (True, True, 0)
