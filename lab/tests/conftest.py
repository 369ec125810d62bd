"""What the tests of the lab share: an isolated AWS environment, and a running region."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tests.conftest  # noqa: F401 - how every test begins, these too
from lab.emulator.catalogue import ALL
from lab.emulator.readings import Readings
from lab.emulator.region import Region
from tests.isolated_aws_environment import isolated_aws_environment

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let all readings of AWS be played where a test otherwise plays some of them."""
    parser.addoption("--every-reading", action="store_true", help="play all readings of AWS")


@pytest.fixture(scope="package", autouse=True)
def isolated() -> Iterator[None]:
    """Take AWS settings out of the environment of these tests."""
    with isolated_aws_environment():
        yield


@pytest.fixture
def readings() -> Readings:
    """Return the pessimistic readings; a test that touches an open question asks for each."""
    return Readings()


@pytest.fixture
def region(request: pytest.FixtureRequest, readings: Readings) -> Iterator[Region]:
    """Return a running region; a contract test says with which behaviours."""
    with Region(getattr(request, "param", ALL), readings=readings) as region:
        yield region
