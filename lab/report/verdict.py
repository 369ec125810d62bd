"""What came of a drill in sentences and in figures, for readers who read nothing else."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.drills.outcome import losses
from lab.emulator.journal import Who
from lab.report.lines import seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.drills.outcome import Outcome

_DURATION = re.compile(r" after \d+ ms")

CLOCKS = {
    "virtual": "Virtual: AWS's delays are modelled, and nobody waited for them. The times are what"
    " it takes if AWS takes as long as the model says.",
    "real": "Real: the times are by the clock on the wall, with AWS's delays modelled. What the"
    " function takes is what it took on the machine of the drill.",
    "account": "Account: the drill ran in an account of AWS, and the times are that account's.",
}
"""What the times of a drill are, by its clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a drill ended: "good", "fair" (something is left to do) or "bad"; a sign, and words."""

    tone: str
    sign: str
    word: str
    headline: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A time of the drill, from when to when it is, and its seconds; None if it did not happen."""

    name: str
    value: float | None
    meaning: str


def verdict(outcome: Outcome) -> Verdict:
    """Return how a drill ended."""
    if not outcome.recovered:
        return Verdict(tone="bad", sign="✗", word="Not recovered", headline=_stuck(outcome))
    if not outcome.home:
        return Verdict(tone="fair", sign="!", word="Recovered, not home", headline=_lost(outcome))
    return Verdict(tone="good", sign="✓", word="Recovered and home", headline=_lost(outcome))


def what_was_done(outcome: Outcome) -> tuple[str, ...]:
    """Return what was done to the region, from the first fault on."""
    return tuple(
        f"{line.what} (at {seconds(line.time)})"
        for line in outcome.timeline
        if line.source == Who.YOU.value and line.time >= 0
    )


def what_zones_lost(outcome: Outcome) -> tuple[str, ...]:
    """Return a sentence for each zone: how long, and how often, it was without internet."""
    return tuple(
        f"{zone} {_losses(lost, losses(outcome.egress[zone]))}"
        for zone, lost in outcome.outage.items()
    )


def what_failed(outcome: Outcome) -> tuple[str, ...]:
    """Return a sentence for each way in which runs of the function failed."""
    return tuple(
        f"{why} ({count} time{'s' * (count != 1)})."
        for why, count in Counter(_DURATION.sub("", line) for line in outcome.failures).items()
    )


def figures(outcome: Outcome) -> tuple[Figure, ...]:
    """Return the times that a drill is compared by."""
    return (
        Figure(
            name="Longest outage",
            value=outcome.worst,
            meaning="without internet, the zone that had it worst",
        ),
        *_noticed(outcome),
        Figure(
            name="To detect",
            value=outcome.time_to_detect,
            meaning="from the first fault to the message for the first run that writes",
        ),
        Figure(
            name="To decide",
            value=outcome.time_to_decide,
            meaning="from that message to the first write",
        ),
        Figure(
            name="To write",
            value=outcome.time_to_write,
            meaning="from there to the answer to the last write of that run",
        ),
        Figure(
            name="To come home",
            value=outcome.time_to_come_home,
            meaning="from the first fault until each zone left through its own NAT for good",
        ),
    )


def _noticed(outcome: Outcome) -> tuple[Figure, ...]:
    """Return when a NAT noticed that something is wrong, if one did."""
    if outcome.time_to_notice is None:
        return ()
    meaning = "from the first fault until a NAT said that something is wrong"
    return (Figure(name="To notice", value=outcome.time_to_notice, meaning=meaning),)


def _lost(outcome: Outcome) -> str:
    if not outcome.worst:
        return "No zone was without internet"
    worst = max(outcome.outage, key=lambda zone: outcome.outage[zone])
    longest = " longest:" if sum(map(bool, outcome.outage.values())) > 1 else " for"
    return f"{worst} was without internet{longest} {seconds(outcome.worst)}"


def _stuck(outcome: Outcome) -> str:
    still = [zone for zone, spans in outcome.egress.items() if spans and not spans[-1].works]
    if not still:
        return f"The drill ended without recovery; {_lost(outcome)}"
    return (
        f"{' and '.join(still)} {'were' if still[1:] else 'was'} still without internet at the end,"
        f" after {seconds(outcome.worst)}"
    )


def _losses(lost: float, parts: Sequence[float]) -> str:
    if not lost:
        return "was never without internet."
    if len(parts) == 1:
        return f"was without internet once, for {seconds(lost)}."
    each = ", ".join(seconds(part) for part in parts)
    return f"was without internet {len(parts)} times ({each}), for {seconds(lost)} in all."
