"""The app, deployed once for a module's drills, which each play in a fork.

Not for longer: a process has one region at a time, and other modules have regions of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.drills.catalogue import BEHAVIOURS
from lab.drills.stage import Stage, deployed
from lab.emulator.region import Region

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Return the deployed app at rest."""
    with (
        Region(BEHAVIOURS) as region,
        deployed(region, tmp_path_factory.mktemp("stage"), None) as stage,
    ):
        yield stage
