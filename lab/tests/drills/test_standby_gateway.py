"""A NAT gateway that serves while no NAT does: turned on by the CDK CLI, drilled, turned off."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from lab.drills.cdk import CdkError
from lab.drills.drill import run_drill
from lab.drills.drill_pool import Job, run_all
from lab.drills.outcome import losses
from lab.drills.scenario import read_faults
from lab.emulator.time import delays
from nat_failover.claims import FELL_SILENT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.drills.cdk import Cdk
    from lab.drills.outcome import Outcome
    from lab.drills.testbed import AppTestbed

BOTH, LONG, DOWN = FAULTS = ("both", "no-capacity+1200 both", "internet-down+900")
"""NATs that are lost and replaced, that are lost for long, and that run and reach nothing."""

MOST_S = 5.0
"""Seconds without internet at most, where EC2 tells of the end of both NATs."""


@pytest.fixture(scope="module")
def gateway(testbed: AppTestbed) -> str:
    """Return a NAT gateway in a public subnet of the stack, available."""
    ec2 = testbed.region.client("ec2")
    subnets = ec2.describe_subnets()["Subnets"]
    private = {subnet for home in testbed.monitor.homes for subnet in home.subnets}
    public = next(s["SubnetId"] for s in subnets if s["SubnetId"] not in private and s["Tags"])
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=public, AllocationId=address)["NatGateway"]
    testbed.region.clock.pass_time(delays.NAT_GATEWAY_CREATION.high)
    return str(made["NatGatewayId"])


@pytest.fixture(scope="module")
def named(
    testbed: AppTestbed,
    gateway: str,
    tmp_path_factory: pytest.TempPathFactory,
    cli: Callable[..., Cdk],
) -> Iterator[Cdk]:
    """Return the CLI that has deployed the app with the gateway."""
    directory, context = tmp_path_factory.mktemp("named"), _context(gateway)
    with closing(cli(testbed.region.endpoint, directory, context=context)) as cdk:
        cdk.deploy()
        clock, functions = testbed.region.clock, testbed.region.functions
        assert clock.wait_until(lambda: not functions.busy(), 60)
        yield cdk


def _context(gateway: str) -> tuple[str, ...]:
    return (f"nat={json.dumps({'failover': {'standby_gateway': gateway}})}",)


@pytest.fixture(scope="module")
def drilled(testbed: AppTestbed, named: Cdk) -> dict[str, Outcome]:
    """Return what came of each fault, in forks."""
    del named

    def job(written: str) -> Job:
        faults = read_faults(written.split())
        return Job(name=written, run=lambda: run_drill(testbed, faults, seed=1))

    return {row.name: outcome for row, outcome in run_all(testbed, map(job, FAULTS))}


def opened(outcome: Outcome) -> int:
    """Return how often people were told that the gateway began to serve."""
    began = ": no NAT serves private subnets, and the standby gateway does"
    texts = (row.text.split("\n") for row in outcome.notifications or ())
    return sum(line.startswith("Since") and began in line for text in texts for line in text)


@pytest.mark.parametrize("fault", [BOTH, LONG])
def test_gateway_serves_within_seconds_and_the_nats_again_when_they_are_well(
    fault: str, drilled: dict[str, Outcome], gateway: str
) -> None:
    """Nobody waits for a replacement; each table comes home, and a person is told of both."""
    outcome = drilled[fault]
    assert (outcome.recovered, outcome.home) == (True, True)
    assert outcome.worst < MOST_S
    for spans in outcome.egress.values():
        assert [span.through for span in spans].count(gateway) == 1
    assert opened(outcome) == 1
    told = [row.subject for row in outcome.notifications or () if row.source == "Lambda"]
    assert told[-1].startswith("HEALED")


def test_gateway_is_tried_once_when_all_nats_reach_nothing(
    drilled: dict[str, Outcome], gateway: str
) -> None:
    """They cannot say so, and fall silent; it gets out another way, and is left when they speak."""
    outcome = drilled[DOWN]
    assert (outcome.recovered, outcome.home) == (True, True)
    for spans in outcome.egress.values():
        (lost,) = losses(spans)
        assert FELL_SILENT_S - 60 < lost < FELL_SILENT_S + 75
        assert [span.through for span in spans].count(gateway) == 1
    assert opened(outcome) == 1
    assert outcome.notifications
    told = next(row for row in outcome.notifications if row.subject.startswith("STANDBY"))
    assert "NATs run and have lost the internet, as far as they say anything" in told.text


def test_deployment_refuses_a_gateway_that_is_none(
    testbed: AppTestbed,
    named: Cdk,
    tmp_path_factory: pytest.TempPathFactory,
    cli: Callable[..., Cdk],
) -> None:
    """It says so in CloudFormation's event, and what was deployed serves on."""
    del named
    directory, context = tmp_path_factory.mktemp("none"), _context(f"nat-{0:017}")
    refused = pytest.raises(CdkError, match=r"standby_gateway is nat-0{17}, which is not in vpc-")
    with closing(cli(testbed.region.endpoint, directory, context=context)) as cdk, refused:
        cdk.deploy()
    assert testbed.monitor.at_home()


def test_deployment_without_the_gateway_changes_nothing_that_serves(
    testbed: AppTestbed, named: Cdk
) -> None:
    """The setting is turned off, and the CLI finds no difference afterwards."""
    del named
    testbed.cdk.deploy()
    testbed.diff()
    assert testbed.monitor.at_home()
