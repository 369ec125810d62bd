"""Drills in which routes and members are taken from the stack, and what people are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.cli.drill import status
from lab.drills.drill import run_drill
from lab.drills.drill_pool import Job, run_all
from lab.drills.handlers import Handler, install
from lab.drills.scenario import read_faults
from lab.emulator.time import delays
from lab.report.verdict import what_failed
from nat_failover.incidents import REDUNDANCY_GRACE_S

if TYPE_CHECKING:
    from pathlib import Path

    from lab.drills.outcome import Notification, Outcome
    from lab.drills.testbed import AppTestbed

ZONE = "us-east-1a"


def drilled(testbed: AppTestbed, written: str, handler: Handler | None = None) -> Outcome:
    """Return what came of one drill in a fork."""

    def drill() -> Outcome:
        install(testbed, handler)
        return run_drill(testbed, read_faults(written.split()), seed=0)

    ((_, outcome),) = run_all(testbed, [Job(name=written, run=drill)])
    return outcome


def notified(outcome: Outcome) -> tuple[Notification, ...]:
    """Return what people got, which the lab always knows."""
    assert outcome.notifications is not None
    return outcome.notifications


@pytest.mark.parametrize(
    ("option", "through"),
    [
        ("elsewhere", "not of the group"),
        pytest.param(
            "gateway",
            "igw-",
            marks=pytest.mark.exhaustive("tests/aws has a table that leads to one"),
        ),
    ],
)
def test_table_that_leads_to_something_foreign_is_left_alone(
    option: str, through: str, testbed: AppTestbed
) -> None:
    """To a running instance of somebody else's, or to the internet gateway: no write, no home."""
    outcome = drilled(testbed, f"tamper:{option}")
    assert outcome.writes == ()
    assert through in outcome.egress[ZONE][-1].words
    assert (outcome.recovered, outcome.home) == (False, False)
    faults = read_faults([f"tamper:{option}"])
    assert status(outcome, faults) == 0
    assert status(outcome, faults, adopt=True) == 1


def test_nat_in_standby_hands_its_table_over_and_gets_it_back(testbed: AppTestbed) -> None:
    """A person takes it out of service for a while, and nobody is without internet."""
    outcome = drilled(testbed, "standby:b+120")
    assert (outcome.recovered, outcome.home) == (True, True)
    assert len({span.through for span in outcome.egress["us-east-1b"]}) == 2
    assert outcome.worst < 61


def test_twenty_minutes_without_a_replacement_are_told_and_ring_until_there_is_one(
    testbed: AppTestbed,
) -> None:
    """Once for the failover and the redundancy each, and for the end of each; and the alarm.

    There are NATs enough a minute before the table fails back to one that has settled.
    """
    outcome = drilled(testbed, "no-capacity+1200 terminate")
    told = [row for row in notified(outcome) if row.source == "Lambda"]
    said = ["DEGRADED", "NOT REDUNDANT", "IMPROVED", "HEALED"]
    assert [row.subject.split(":")[0] for row in told] == said
    lost = told[1]
    assert REDUNDANCY_GRACE_S <= lost.time < REDUNDANCY_GRACE_S + 180
    assert "fewer NATs than wanted" in lost.text
    assert lost.text.count("To do: ") == 1
    assert "To do: look at the group's activity history" in lost.text
    rung = [row for row in notified(outcome) if "RedundancyLost" in row.subject]
    assert [row.subject.split(":")[0] for row in rung] == ["ALARM", "OK"]
    assert (outcome.recovered, outcome.home) == (True, True)


def test_nat_that_lost_its_address_is_left_and_replaced(testbed: AppTestbed) -> None:
    """Its table leaves it within a minute, and comes home when a person has ended it."""
    outcome = drilled(testbed, "lost-address:b")
    assert (outcome.recovered, outcome.home) == (True, True)
    assert 0 < outcome.outage["us-east-1b"] < 61 + delays.ROUTE_TAKES_EFFECT.high
    assert outcome.outage[ZONE] == 0


def test_nat_whose_subnet_lost_its_gateway_is_left_until_the_route_is_back(
    testbed: AppTestbed,
) -> None:
    """Its table leaves it within a minute, people read why, and nothing is launched for it."""
    outcome = drilled(testbed, "lost-gateway:b")
    assert (outcome.recovered, outcome.home) == (True, True)
    assert 0 < outcome.outage["us-east-1b"] < 61 + delays.ROUTE_TAKES_EFFECT.high
    assert outcome.outage[ZONE] == 0
    told = [row for row in notified(outcome) if row.source == "Lambda"]
    assert [row.subject.split(":")[0] for row in told] == ["DEGRADED", "HEALED"]
    assert "sick, no route leads from its subnet to the internet" in told[0].text


def test_failing_handler_shows_its_exception(testbed: AppTestbed, tmp_path: Path) -> None:
    """In the timeline, and once in the summary."""
    file = tmp_path / "any.py"
    file.write_text("def do(event, context):\n    raise ValueError('no such table')\n")
    outcome = drilled(testbed, "terminate", Handler(path=file, function="do"))
    failed = [line.what for line in outcome.timeline if line.kind == "function failed"]
    assert failed
    assert all(what.endswith(": ValueError: no such table") for what in failed)
    assert what_failed(outcome) == (
        f"any.do failed: ValueError: no such table ({len(failed)} times).",
    )


def test_people_are_told_what_the_function_publishes_and_what_alarms_ring(
    testbed: AppTestbed,
) -> None:
    """Both NATs die: the function says it at once, and an alarm within minutes."""
    outcome = drilled(testbed, "both no-capacity")
    told = [(row.source, row.subject) for row in notified(outcome)]
    assert any(who == "Lambda" for who, _ in told)
    assert any(who == "CloudWatch" and "NoEgress" in said for who, said in told)
    assert all(row.text and row.time >= 0 for row in notified(outcome))
    assert outcome.as_json()["notifications"][0]["subject"] == notified(outcome)[0].subject
