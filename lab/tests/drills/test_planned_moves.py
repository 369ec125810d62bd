"""Drills of NATs that leave by plan: nothing is lost, and each serves its flows to the end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from cdk_nat_failover.options.instances import InstanceOptions
from lab.drills.boots import delays
from lab.drills.drill import STEADY, run_drill
from lab.drills.drill_pool import Job, run_all
from lab.drills.scenario import read_faults
from lab.emulator.readings import LaunchFirst, LifetimePause, Readings, every
from lab.emulator.time import delays as aws

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lab.drills.outcome import Outcome
    from lab.drills.testbed import AppTestbed

CLAIM_S = (
    delays.WATCH_CALL.high + aws.SNS_DELIVERY.high + aws.COLD_START.high + 2 * aws.WRITE_CALL.high
)
"""Seconds after which a claim has led to a write, at the latest."""

DRAIN_S = InstanceOptions().drain_s
NEXT_S = DRAIN_S + aws.TERMINATION_OF_THE_LIVING.high + aws.LIFETIME_PAUSE.high
"""Seconds after which the next old NAT is replaced when the former one's tables have moved."""


@pytest.fixture(scope="module")
def refreshed(testbed: AppTestbed, *, exhaustive: bool) -> list[Outcome]:
    """Return drills in which an instance refresh replaces the NATs."""
    seeds = range(2 if exhaustive else 1)
    return drilled(testbed, "planned", {seed: Readings() for seed in seeds})


@pytest.fixture(scope="module")
def renewed(testbed: AppTestbed, *, exhaustive: bool) -> list[Outcome]:
    """Return drills in which all NATs reach their maximum lifetime, under what AWS leaves open.

    One answer to each question is played, and in an exhaustive run each with each other.
    """
    readings = dict(enumerate(every(LaunchFirst, LifetimePause)))
    last = max(readings)
    played = readings if exhaustive else {last: readings[last]}
    return drilled(testbed, "renewal", played)


def drilled(testbed: AppTestbed, fault: str, played: Mapping[int, Readings]) -> list[Outcome]:
    """Return what came of a fault, for each seed under one reading of AWS."""
    steady = STEADY + (NEXT_S if fault == "renewal" else 0)

    def job(seed: int, readings: Readings) -> Job:
        def drill() -> Outcome:
            testbed.region.aws.readings.become(readings)
            return run_drill(testbed, read_faults([fault]), seed=seed, steady=steady)

        return Job(name=f"{fault} {seed}: {readings}", run=drill)

    return [outcome for _, outcome in run_all(testbed, [job(*row) for row in played.items()])]


def moments(outcome: Outcome, said: str) -> dict[str, float]:
    """Return when the timeline says something of which instances, the last time."""
    told = ((line.time, line.what.split()) for line in outcome.timeline if said in line.what)
    return {word: time for time, words in told for word in words if word.startswith("i-")}


def used(outcome: Outcome, nat: str) -> Iterator[float]:
    """Yield until when zones left through a NAT."""
    return (span.end for spans in outcome.egress.values() for span in spans if span.through == nat)


def in_service(outcome: Outcome) -> Iterator[int]:
    """Yield how many NATs of the two are in service each time that it changes."""
    count = 2
    changes = {"in service": 1, "terminating": -1}
    for line in outcome.timeline:
        if line.time >= 0 and line.kind in changes:
            count += changes[line.kind]
            yield count


def test_refresh_lets_each_nat_serve_until_its_last_flow_has_ended(
    refreshed: list[Outcome],
) -> None:
    """Its tables have moved by then, or its drain is over; nobody loses a packet."""
    for outcome in refreshed:
        leaves = moments(outcome, "waits for the hook drain")
        ended, down = moments(outcome, "last flow has ended"), moments(outcome, "is shutting-down")
        assert leaves.keys() == down.keys()
        assert len(leaves) == 2
        for nat, since in leaves.items():
            until = min(ended.get(nat, math.inf), since + DRAIN_S)
            assert until <= down[nat] <= until + CLAIM_S
            assert max(used(outcome, nat)) < until
        assert (outcome.worst, outcome.home) == (0, True)


def test_nats_of_one_age_never_leave_together(renewed: list[Outcome]) -> None:
    """The second one leaves when there is another one for the first, whichever comes first."""
    for outcome in renewed:
        assert len(moments(outcome, "maximum instance lifetime")) == 2
        assert min(in_service(outcome)) >= 1
        assert (outcome.worst, outcome.home) == (0, True)


def test_nobody_is_told_that_redundancy_is_lost_while_nats_are_renewed(
    renewed: list[Outcome],
) -> None:
    """What is missing for as long as a launch takes, however long the drains, rings no alarm."""
    for outcome in renewed:
        assert outcome.notifications is not None
        told = [row.subject for row in outcome.notifications]
        assert [subject for subject in told if "REDUNDAN" in subject.upper()] == []
