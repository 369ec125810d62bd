"""The library as `pip install .` leaves it, without its dependencies and without a network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[1]


def install(directory: Path) -> Path:
    """Build the wheel and unpack it; return the folder to import from, which has nothing else."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 - our own package
    (wheel,) = directory.glob("*.whl")
    site = directory / "site"
    with ZipFile(wheel) as archive:
        archive.extractall(site)
    return site
