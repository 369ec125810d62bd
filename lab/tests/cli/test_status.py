"""How drills and comparisons end: 1 where the deployed function did not do what is documented."""

from __future__ import annotations

import pytest

from lab.cli.compare import comparison_status, failures, medians
from lab.cli.drill import status
from lab.drills.outcome import Moment
from lab.drills.scenario import read_faults
from lab.tests.report.outcomes import any_outcome


@pytest.mark.parametrize(
    ("written", "home", "expected"),
    [
        ("terminate", True, 0),
        ("terminate", False, 1),
        ("hang", False, 1),
        ("terminate delete-table", False, 0),
        ("disassociate", False, 0),
        ("delete-table", False, 0),
        ("tamper", False, 1),
        ("tamper:gateway", False, 0),
    ],
)
def test_drill_ends_with_1_when_the_function_did_not_do_what_is_documented(
    written: str,
    home: bool,  # noqa: FBT001 - a parameter of the cases
    expected: int,
) -> None:
    """A fault that nobody repairs, as documented, is none of its failures."""
    outcome = any_outcome(recovered=home, home=home)
    assert status(outcome, read_faults(written.split())) == expected


def test_nat_that_hangs_is_left_when_watches_are_off() -> None:
    """Nobody notices it then."""
    outcome = any_outcome(recovered=False, home=False)
    assert status(outcome, read_faults(["hang"]), watch=False) == 0
    assert status(outcome, read_faults(["impair"]), watch=False) == 1


@pytest.mark.parametrize(("lost", "expected"), [("nat_failover.do", 1), ("another", 0)])
def test_comparison_ends_with_1_when_our_function_failed_and_not_when_another_did(
    lost: str, expected: int
) -> None:
    """One drill of several is enough."""
    scenarios = [read_faults(["delete-table"]), read_faults(["lost"])]
    outcomes = [
        any_outcome(handler=name, fault=fault, home=(name, fault) != (lost, "lost terminate"))
        for fault in ("delete-table", "lost terminate")
        for name in ("nat_failover.do", "another")
    ]
    assert comparison_status(outcomes, scenarios) == expected


def test_comparison_names_the_exceptions_of_handlers_once_each_drill() -> None:
    """With how often they came."""
    failed = Moment(
        time=1,
        source="Lambda",
        kind="function failed",
        what="x.do failed after 5 ms: KeyError: 'A'",
    )
    outcome = any_outcome(handler="x.py:do", timeline=(failed, failed))
    assert failures([outcome, outcome]) == ["x.py:do: x.do failed: KeyError: 'A' (2 times)."]
    assert medians([outcome]).row_count == 1
