"""The app with Elastic IPs: with which addresses private hosts are seen, whatever fails."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from lab.drills.catalogue import BEHAVIOURS
from lab.drills.drill import run_drill
from lab.drills.drill_pool import Job, run_all
from lab.drills.scenario import read_faults
from lab.drills.testbed import AppTestbed
from lab.emulator.region import Region
from lab.emulator.time import delays
from lab.tests.drills.seen_as import SEEN, SeenAs, context, elastic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.drills.cdk import Cdk
    from lab.drills.outcome import Outcome


@pytest.fixture(scope="module")
def testbed(
    tmp_path_factory: pytest.TempPathFactory, cli: Callable[..., Cdk]
) -> Iterator[AppTestbed]:
    """Return the app, deployed with Elastic IPs that are retained, at rest."""
    with ExitStack() as stack:
        region = stack.enter_context(Region(BEHAVIOURS))
        directory = tmp_path_factory.mktemp("elastic")
        cdk = stack.enter_context(
            closing(cli(region.endpoint, directory / "one", context=context("retained")))
        )
        cdk.assembly.parent.mkdir()
        testbed = AppTestbed(region, cdk, "replace-route")
        testbed.prepare()
        testbed.deploy()
        stack.callback(testbed.monitor.stop)
        yield testbed


PLAYED = ("lost-address", "terminate", "both")
FAULTS = (*PLAYED, "stop", "hang", "zone-outage", "planned")


@pytest.fixture(scope="module")
def drilled(testbed: AppTestbed, *, exhaustive: bool) -> dict[str, Outcome]:
    """Return what came of each fault."""

    def job(fault: str) -> Job:
        def drill() -> Outcome:
            SeenAs(testbed)
            return run_drill(testbed, read_faults([fault]), seed=1)

        return Job(name=fault, run=drill)

    jobs = map(job, FAULTS if exhaustive else PLAYED)
    return {row.name: outcome for row, outcome in run_all(testbed, jobs)}


def seen_as(outcome: Outcome) -> Iterator[tuple[float, str, str]]:
    """Yield when which zone began to be seen with which address."""
    for line in outcome.timeline:
        if line.kind == SEEN:
            zone, address = line.what.split()
            yield line.time, zone, address


def test_deployment_gives_each_nat_an_elastic_ip(testbed: AppTestbed) -> None:
    """It is over when they have settled; the output has the set."""
    have = elastic(testbed.region)
    nats = {nat.instance for nat in testbed.monitor.nats_now()}
    assert set(have.values()) == nats
    assert len(nats) == len(have) == 2
    (stack,) = testbed.region.client("cloudformation").describe_stacks(StackName=testbed.stack)[
        "Stacks"
    ]
    outputs = {row["OutputKey"]: row["OutputValue"] for row in stack["Outputs"]}
    assert set(outputs["ElasticIps"].split(",")) == set(have)


def test_private_hosts_are_seen_with_addresses_of_the_set_alone(
    testbed: AppTestbed, drilled: dict[str, Outcome]
) -> None:
    """Through a failover, a replacement and the failback, and with both NATs in one zone."""
    for outcome in (outcome for fault, outcome in drilled.items() if fault != "both"):
        seen = list(seen_as(outcome))
        assert {address for _, _, address in seen} <= set(elastic(testbed.region))
        assert len(seen) >= 2  # its neighbour's address first, and then again one of its own
        assert outcome.home


def test_first_nat_serves_at_once_when_both_were_lost(
    testbed: AppTestbed, drilled: dict[str, Outcome]
) -> None:
    """With the address of its launch, until its Elastic IP takes effect some seconds later."""
    ips = set(elastic(testbed.region))
    seen = list(seen_as(drilled["both"]))
    ends = [time for time, _, _ in seen[1:]] + [float("inf")]
    strange = {
        (time, end)
        for (time, _, address), end in zip(seen, ends, strict=True)
        if address not in ips
    }
    assert strange
    begins, over = min(begin for begin, _ in strange), max(end for _, end in strange)
    assert over - begins <= delays.ADDRESS_TAKES_EFFECT.high + 5
    assert drilled["both"].home


def test_nothing_moves_to_and_fro(drilled: dict[str, Outcome]) -> None:
    """A zone leaves its NAT once and fails back once, whichever runs write that at one moment."""
    for fault in {"terminate", "stop", "hang"} & set(drilled):
        made = [w.target for w in drilled[fault].writes if w.name == "ec2:ReplaceRoute"]
        moves = [
            target for target, before in zip(made, [None, *made], strict=False) if target != before
        ]
        assert len(moves) == 2, fault


def test_destroyed_stack_leaves_what_is_retained_alone(testbed: AppTestbed) -> None:
    """And nothing else; it is the last test, for which the others' stack is not there any more."""
    addresses = testbed.region.client("ec2").describe_addresses()["Addresses"]
    testbed.cdk.destroy()
    assert testbed.left() == {str(row["AllocationId"]) for row in addresses}
    assert len(addresses) == 2
