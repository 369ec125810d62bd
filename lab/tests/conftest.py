"""What the tests of the lab share: nobody's AWS settings, and a running region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.lab.conftest import nobody, readings, region

if TYPE_CHECKING:
    import pytest

__all__ = ["nobody", "pytest_addoption", "readings", "region"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let all readings of AWS be played where a test otherwise plays some of them."""
    parser.addoption("--every-reading", action="store_true", help="play all readings of AWS")
