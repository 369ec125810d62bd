"""The lines of a drill's timeline, and what they say in words.

A write is told by `Outcome.writes` alone: moments of kind "write" are left out, so that none stands
there twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.drills.outcome import Moment
from lab.emulator.journal import Who

if TYPE_CHECKING:
    from lab.drills.outcome import Outcome, Write

FUNCTION = Who.LAMBDA.value
"""Who runs the function, in the timeline's words."""

EGRESS = "egress"
"""The kind of the lines that say how a zone leaves."""

WRITE = "write"
REFUSED = "refused"

_EXACT = ((0.1, 3), (10, 2), (100, 1))
"""Below so many seconds, so many decimals."""


def lines(outcome: Outcome) -> tuple[Moment, ...]:
    """Return what happened and what the function wrote, by time."""
    told = (moment for moment in outcome.timeline if moment.kind != WRITE)
    written = (_line(write) for write in outcome.writes)
    return tuple(sorted([*told, *written], key=lambda line: line.time))


def call(name: str) -> str:
    """Return an operation without its service ("ec2:ReplaceRoute")."""
    return name.rpartition(":")[2]


def seconds(value: float) -> str:
    """Return seconds in words, as exact as they are short."""
    if round(value, 3) == 0:
        return "0 s"
    decimals = next((decimals for below, decimals in _EXACT if abs(value) < below), 0)
    return f"{plain(value, decimals)} s"


def plain(value: float, decimals: int = 2) -> str:
    """Return a number with so many decimals, and with a minus that is as wide as a digit."""
    return f"{value:.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def _line(write: Write) -> Moment:
    what = f"{call(write.name)} {write.target}"
    return Moment(
        time=write.time,
        source=FUNCTION,
        kind=REFUSED if write.error else WRITE,
        what=f"{what}: {write.error}" if write.error else what,
    )
