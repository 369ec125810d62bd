"""A region for each test, without the person's AWS settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.aws.catalogue import ALL
from lab.emulator.readings import Readings
from lab.region import Region
from tests.settings_of_nobody import settings_of_nobody

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="package", autouse=True)
def nobody() -> Iterator[None]:
    """Take the person's AWS settings out of the environment of these tests."""
    with settings_of_nobody():
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
