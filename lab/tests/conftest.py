"""What the tests of the lab share: an isolated AWS environment, and a running region."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.emulator.catalogue import ALL
from lab.emulator.readings import Readings
from lab.emulator.region import Region
from lab.tests.shared_cdk import SharedCdk
from tests.conftest import begin  # and with it, how every test begins
from tests.isolated_aws_environment import isolated_aws_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.drills.cdk import Cdk
    from lab.emulator.behaviour import Behaviour


PLAYED_BY = "make exhaustive plays it"


def pytest_configure(config: pytest.Config) -> None:
    """Name the mark of tests that take minutes and show what shorter ones show another way."""
    config.addinivalue_line(
        "markers", f"exhaustive(why): {PLAYED_BY}, for the reason that it names"
    )


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let everything be played where a test otherwise plays a selection."""
    parser.addoption(
        "--exhaustive",
        action="store_true",
        help="play all readings of AWS, all faults with both strategies, and more seeds",
    )


BEGIN_FIRST = (
    "drills/test_drills.py",
    "drills/test_published_figures.py",
    "drills/test_from_gateways.py",
    "cli/test_command.py",
    "account/test_drill.py",
    "packets/test_drill.py",
    "drills/test_updates.py",
    "drills/test_zones.py",
    "drills/test_settings_in_failover.py",
    "drills/test_destroy.py",
    "drills/test_existing_vpc.py",
    "drills/test_standby_gateway.py",
    "drills/test_elastic_ips.py",
    "drills/test_elastic_ip_settings.py",
    "cli/test_commands_of_pages.py",
    "packets/test_watch.py",
    "drills/test_foreign.py",
    "drills/test_planned_moves.py",
    "drills/test_watched_nats.py",
    "drills/test_examples.py",
    "drills/test_redeployment.py",
)
"""The files that take longest; those whose clock is the wall's not at first, when all is loaded."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let the files that take longest begin first, in this order, and all others as they stand.

    And leave out what is for an exhaustive run.
    """
    for item in items:
        if (mark := item.get_closest_marker("exhaustive")) and not config.getoption("exhaustive"):
            item.add_marker(pytest.mark.skip(reason=f"{PLAYED_BY}: {mark.args[0]}"))
    begin(items, BEGIN_FIRST, Path(__file__).parent)


@pytest.fixture(scope="package", autouse=True)
def isolated() -> Iterator[None]:
    """Take AWS settings out of the environment of these tests."""
    with isolated_aws_environment():
        yield


@pytest.fixture(scope="session")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Cdk]:
    """Return what makes a CDK CLI that shares assemblies with the other tests of the run."""
    base = tmp_path_factory.getbasetemp()
    in_a_worker = "PYTEST_XDIST_WORKER" in os.environ  # each of which has a directory of its own
    kept = (base.parent if in_a_worker else base) / "assemblies"
    kept.mkdir(exist_ok=True)
    return partial(SharedCdk, kept=kept)


@pytest.fixture(scope="session")
def exhaustive(request: pytest.FixtureRequest) -> bool:
    """Return whether a test is to play everything, and not a selection in which each path is."""
    return bool(request.config.getoption("exhaustive"))


@pytest.fixture
def readings() -> Readings:
    """Return the pessimistic readings; a test that touches an open question asks for each."""
    return Readings()


@pytest.fixture
def behaviours() -> tuple[type[Behaviour], ...]:
    """Return what the region does: what AWS does, unless a folder of tests says otherwise."""
    return ALL


@pytest.fixture
def region(
    request: pytest.FixtureRequest, behaviours: tuple[type[Behaviour], ...], readings: Readings
) -> Iterator[Region]:
    """Return a running region; a contract test says without which behaviours."""
    without = getattr(request, "param", ())
    with Region([row for row in behaviours if row not in without], readings=readings) as region:
        yield region
