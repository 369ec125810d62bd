"""The drill that README and the lab's page tell: kept to the last digit of its times.

Its story and its picture are made of what is kept.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from lab import report
from lab.drills.outcome import Outcome
from lab.report.short_ids import short

if TYPE_CHECKING:
    from pathlib import Path

FILE = "docs/drill.json"
PICTURE = "docs/drill.svg"


def load(project: Path) -> Outcome:
    """Return the drill that is kept."""
    return TypeAdapter(Outcome).validate_json((project / FILE).read_bytes())


def save(outcome: Outcome, project: Path) -> None:
    """Keep a drill."""
    text = json.dumps(asdict(outcome), ensure_ascii=False, indent=1)
    (project / FILE).write_text(f"{text}\n", encoding="utf-8")


def draw(outcome: Outcome, project: Path) -> None:
    """Write the picture of a drill."""
    (project / PICTURE).write_text(report.as_svg(outcome), encoding="utf-8")


def story(outcome: Outcome) -> tuple[str, ...]:
    """Return the lines of a drill from its first fault until all is home, as a terminal shows."""
    end = outcome.time_to_come_home or 0.0
    told = [line for line in outcome.timeline if 0 <= line.time <= end]
    return tuple(f"{line.time:8.2f} s  {line.source:<14} {short(line.what)}" for line in told)
