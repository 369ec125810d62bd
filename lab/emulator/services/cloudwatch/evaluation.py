"""What an alarm's datapoints make of its state. Pure: no AWS, no clock.

Source: CloudWatch user guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat
missing data".
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"

EXTRA = 2
"""How many periods an alarm looks further back than it evaluates; the guide's example has two."""

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When an alarm rings: `needed` of the last `periods` datapoints are beyond the threshold."""

    comparison: str
    threshold: float
    periods: int
    needed: int
    missing: str

    def breaches(self, value: float) -> bool:
        """Return whether a datapoint is beyond the threshold."""
        return COMPARISONS[self.comparison](value, self.threshold)


def evaluate(rule: Rule, points: Sequence[float | None], state: str) -> str:
    """Return the state that an alarm goes to from a state.

    `points` are the datapoints of all periods that it looks at, the oldest first, None where there
    is none. What is missing counts only where there are too few real datapoints.
    """
    real = [rule.breaches(value) for value in points if value is not None]
    if len(real) >= rule.periods:
        return ALARM if sum(real[-rule.periods :]) >= rule.needed else OK
    lacking, breaching = rule.periods - len(real), sum(real)
    match rule.missing:
        case "breaching":
            return ALARM if breaching + lacking >= rule.needed else OK
        case "notBreaching":
            return ALARM if breaching >= rule.needed else OK
        case "ignore":
            return _decided(rule, real) or state
        case _:
            return _with_gaps(rule, points, real, state)


def _decided(rule: Rule, real: Sequence[bool]) -> str | None:
    """Return the state that no further datapoint could change, if there is one."""
    if sum(real) >= rule.needed:
        return ALARM
    fine = len(real) - sum(real)
    return OK if fine > rule.periods - rule.needed else None


def _with_gaps(rule: Rule, points: Sequence[float | None], real: Sequence[bool], state: str) -> str:
    """Return the state where gaps are gaps.

    It rings too when the oldest datapoint is old enough, and it and all newer ones are beyond the
    threshold.
    """
    if not real:
        return INSUFFICIENT
    first = next(number for number, value in enumerate(points) if value is not None)
    if all(real):
        old_enough = len(points) - first >= rule.needed
        return ALARM if old_enough or sum(real) >= rule.needed else state
    return ALARM if sum(real) >= rule.needed else OK
