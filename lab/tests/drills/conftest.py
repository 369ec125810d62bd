"""The app, deployed once for a module's drills, each of which runs in a fork.

Not for longer: a process has one region at a time, and other modules have regions of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.drills.catalogue import BEHAVIOURS
from lab.drills.testbed import AppTestbed, deployed
from lab.emulator.region import Region

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.drills.cdk import Cdk


@pytest.fixture(scope="module")
def testbed(
    tmp_path_factory: pytest.TempPathFactory, cli: Callable[..., Cdk]
) -> Iterator[AppTestbed]:
    """Return the deployed app at rest."""
    with (
        Region(BEHAVIOURS) as region,
        deployed(region, tmp_path_factory.mktemp("testbed"), None, cli=cli) as testbed,
    ):
        yield testbed
