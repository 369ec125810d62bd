"""A region for each test, without the person's AWS settings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from lab.aws.catalogue import ALL
from lab.isolation import CREDENTIALS, REGION
from lab.region import Region

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="package", autouse=True)
def nobody() -> Iterator[None]:
    """Take the person's AWS settings out of the environment of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in {**CREDENTIALS, "AWS_DEFAULT_REGION": REGION}.items():
            patch.setenv(name, value)
        yield


@pytest.fixture
def region(request: pytest.FixtureRequest) -> Iterator[Region]:
    """Return a running region; a contract test says with which behaviours."""
    with Region(getattr(request, "param", ALL)) as region:
        yield region
