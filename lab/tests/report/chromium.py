"""A browser without a window, to see pages as people do."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

BROWSER = shutil.which("chromium")

_LIMIT = 60
"""Seconds for one start on the busiest of machines."""

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_MEASURE = Path(__file__).with_name("measure.js")
_HEIGHT = 1000


def measure(pages: Mapping[tuple[str, int], str], directory: Path) -> dict[str, dict[str, Any]]:
    """Return what `measure.js` says of pages by name and width in pixels, as "name width"."""
    frames = (
        f'<iframe title="{name} {width}" width="{width}" height="{_HEIGHT}" style="border: 0"'
        f' srcdoc="{html.escape(page)}"></iframe>'
        for (name, width), page in pages.items()
    )
    file = directory / "measured.html"
    file.write_text(
        f"<!DOCTYPE html><body><script>{_MEASURE.read_text()}</script>{''.join(frames)}"
    )
    seen = _run(directory, "--dump-dom", file.as_uri())
    found = re.search('<pre id="measured">(.*)</pre>', seen, re.DOTALL)
    assert found, seen
    measured: dict[str, dict[str, Any]] = json.loads(html.unescape(found[1]))
    return measured


def printed_pages(page: Path, directory: Path) -> int:
    """Print a page; return how many sheets it takes."""
    sheets = directory / "printed.pdf"
    _run(directory, f"--print-to-pdf={sheets}", page.as_uri())
    return len(re.findall(rb"/Type\s*/Page\b", sheets.read_bytes()))


def _run(directory: Path, *arguments: str) -> str:
    assert BROWSER
    command = [BROWSER, *_FLAGS, f"--user-data-dir={directory / 'profile'}", *arguments]
    result = subprocess.run(  # noqa: S603 - no shell, and nothing but files of the test
        command, check=True, capture_output=True, text=True, timeout=_LIMIT
    )
    return result.stdout
