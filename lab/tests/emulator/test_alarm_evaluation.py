"""What an alarm's datapoints make of its state: the examples of the CloudWatch user guide."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.emulator.services.cloudwatch.evaluation import ALARM, INSUFFICIENT, OK, Rule, evaluate

RULE = Rule(
    comparison="GreaterThanOrEqualToThreshold", threshold=1.0, periods=3, needed=3, missing="any"
)
KEPT = "any state"
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


def points(written: str) -> list[float | None]:
    """Return datapoints as the guide writes them: 0, X for one beyond the threshold, - for none."""
    values = {"0": 0.0, "X": 1.0, "-": None}
    return [values[letter] for letter in written.split()]


@pytest.mark.parametrize(
    ("written", "states"),
    [
        ("0 - X - X", (OK, OK, OK, OK)),
        ("0 - - - -", (OK, OK, OK, OK)),
        ("- - - - -", (INSUFFICIENT, KEPT, ALARM, OK)),
        ("0 X X - X", (ALARM, ALARM, ALARM, ALARM)),
        ("- - X - -", (ALARM, KEPT, ALARM, OK)),
        ("- - - - X", (KEPT, KEPT, ALARM, OK)),
        ("- - - 0 X", (OK, OK, OK, OK)),
    ],
)
def test_alarm_on_three_of_three_treats_what_is_missing_as_it_was_told(
    written: str, states: tuple[str, ...]
) -> None:
    """What is missing counts only where there are too few real datapoints."""
    found = [
        evaluate(replace(RULE, missing=missing), points(written), KEPT) for missing in TREATMENTS
    ]
    assert found == list(states)


@pytest.mark.parametrize(
    ("written", "states"),
    [
        ("0 0 X 0 X", (ALARM, ALARM, ALARM, ALARM)),
        ("X X 0 0 X", (OK, OK, OK, OK)),
        ("- - - X X", (ALARM, ALARM, ALARM, ALARM)),
        ("- - - 0 X", (OK, KEPT, ALARM, OK)),
        ("- - - X -", (ALARM, KEPT, ALARM, OK)),
    ],
)
def test_alarm_on_two_of_three_rings_when_two_of_the_last_three_are_beyond(
    written: str, states: tuple[str, ...]
) -> None:
    """Which two of them does not matter."""
    rule = replace(RULE, needed=2)
    found = [
        evaluate(replace(rule, missing=missing), points(written), KEPT) for missing in TREATMENTS
    ]
    assert found == list(states)


@pytest.mark.parametrize(
    ("comparison", "beyond"),
    [
        ("GreaterThanOrEqualToThreshold", [1.0, 2.0]),
        ("GreaterThanThreshold", [2.0]),
        ("LessThanThreshold", [0.0]),
        ("LessThanOrEqualToThreshold", [0.0, 1.0]),
    ],
)
def test_alarm_compares_as_it_was_told(comparison: str, beyond: list[float]) -> None:
    """The threshold is 1."""
    rule = replace(RULE, comparison=comparison)
    assert [value for value in (0.0, 1.0, 2.0) if rule.breaches(value)] == beyond
