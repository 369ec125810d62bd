"""What the tests of the lab share: an isolated AWS environment, and a running region."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

import pytest

import tests.conftest  # noqa: F401 - how every test begins, these too
from lab.emulator.catalogue import ALL
from lab.emulator.readings import Readings
from lab.emulator.region import Region
from lab.tests.shared_cdk import SharedCdk
from tests.isolated_aws_environment import isolated_aws_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.drills.cdk import Cdk
    from lab.emulator.behaviour import Behaviour


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let all readings of AWS be played where a test otherwise plays some of them."""
    parser.addoption("--every-reading", action="store_true", help="play all readings of AWS")


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
