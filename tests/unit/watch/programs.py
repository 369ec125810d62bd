"""Programs of the system for a test: they write down what they are told, and do nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


class Programs:
    """A folder of programs that are found before those of the system."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have none yet."""
        self._folder, self._log = folder, folder / "log"
        folder.mkdir()
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def make(self, name: str, does: str = "") -> None:
        """Make a program that writes down what it is told, then does something in a shell."""
        program = self._folder / name
        program.write_text(f'#!/bin/sh\n{{ echo "{name} $*"; cat; }} >>{self._log}\n{does}\n')
        program.chmod(0o755)

    def told(self) -> list[str]:
        """Return the lines that were written down since the last time, first each command."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        self._log.unlink(missing_ok=True)
        return lines
