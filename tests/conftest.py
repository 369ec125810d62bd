"""What every test begins with: a keyboard interrupt that reaches what tests start, and no hurry."""

from __future__ import annotations

import gc
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

signal.signal(signal.SIGINT, signal.default_int_handler)
"""A shell lets what it starts in its background ignore the interrupt, and so would whatever that
starts (POSIX, "Shell Command Language", 2.11)."""

gc.set_threshold(50_000, 20, 50)
"""What is loaded are hundreds of thousands of objects: going through them as often as Python does
otherwise takes a tenth of these tests."""

settings.register_profile("brief", deadline=None, max_examples=50)
settings.register_profile("exhaustive", deadline=None, max_examples=500)
settings.load_profile("brief")
"""How long an example takes says more of the machine than of the code. The other one is for `make
exhaustive`."""

BEGIN_FIRST = (
    "unit/test_properties.py",
    "synth/test_library.py",
    "synth/test_checks.py",
    "unit/test_claims.py",
    "unit/test_machine.py",
    "aws/test_standby.py",
    "synth/test_app.py",
)
"""The files that take longest: one that began last would keep one processor busy, and the others
waiting."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the files that take longest begin first."""
    begin(items, BEGIN_FIRST, Path(__file__).parent)


def begin(items: list[pytest.Item], first: Sequence[str], folder: Path) -> None:
    """Order tests by their files: the first ones in this order, and all others as they stand."""
    place = {folder / name: number for number, name in enumerate(first)}
    items.sort(key=lambda item: place.get(item.path, len(place)))
