"""The report of drills: one HTML page that tells what happened to readers new to the project.

The page asks for nothing: styles and pictures are in it, there is no script, and its own policy
forbids any request. `write` and `as_svg` are all that the rest of the lab needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.report.page import as_html, as_svg

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lab.drills.outcome import Outcome

__all__ = ["as_svg", "write"]


def write(outcomes: Sequence[Outcome], directory: Path) -> Path:
    """Write `index.html` into a directory, which is made if need be; return the file.

    One outcome is a page of its own; several are compared first. Raises `OSError` where the
    directory cannot be made or written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "index.html"
    file.write_text(as_html(outcomes), encoding="utf-8", errors="replace")
    return file
