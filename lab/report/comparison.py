"""Several drills side by side: what came of each fault, handler by handler."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lab.drills.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The drills of one fault with one handler and strategy.

    `median` and `worst` are of the drills' longest outages, in seconds: at least so much where one
    did not recover, because its outage ended with the drill. `part` is the worst as a part of the
    worst of the whole comparison. `writes` and `refused` are medians. `example` is the drill with
    the worst outage.
    """

    handler: str
    strategy: str
    drills: int
    recovered: int
    home: int
    median: float
    worst: float
    part: float
    writes: float
    refused: float
    example: Outcome


def compare(outcomes: Sequence[Outcome]) -> Mapping[str, Sequence[Row]]:
    """Return for each fault a row for each handler and strategy, in the order given."""
    most = max((outcome.worst for outcome in outcomes), default=0.0) or 1.0
    groups: dict[str, dict[tuple[str, str], list[Outcome]]] = {}
    for outcome in outcomes:
        who = (outcome.handler, outcome.strategy)
        groups.setdefault(outcome.fault, {}).setdefault(who, []).append(outcome)
    return {
        fault: tuple(_row(drills, most) for drills in handlers.values())
        for fault, handlers in groups.items()
    }


def _row(drills: Sequence[Outcome], most: float) -> Row:
    example = max(drills, key=lambda outcome: outcome.worst)
    return Row(
        handler=drills[0].handler,
        strategy=drills[0].strategy,
        drills=len(drills),
        recovered=sum(outcome.recovered for outcome in drills),
        home=sum(outcome.home for outcome in drills),
        median=median(outcome.worst for outcome in drills),
        worst=example.worst,
        part=example.worst / most,
        writes=median(len(outcome.writes) for outcome in drills),
        refused=median(len(outcome.refused) for outcome in drills),
        example=example,
    )
