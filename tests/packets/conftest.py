"""Skips where packets cannot flow, and says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.packets.namespaces import Namespaces, obstacle

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def namespaces() -> Iterator[Namespaces]:
    """Return a set of namespaces, which is gone after the test."""
    if reason := obstacle():
        pytest.skip(reason)
    with Namespaces() as made:
        yield made
