"""The region of these tests is that of a drill: its instances boot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.drills.catalogue import BEHAVIOURS

if TYPE_CHECKING:
    from lab.emulator.behaviour import Behaviour


@pytest.fixture
def behaviours() -> tuple[type[Behaviour], ...]:
    """Return what AWS does, and what instances do in it."""
    return BEHAVIOURS
