"""The app with Elastic IPs: with which addresses private hosts are seen, whatever fails."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest
from moto.ec2.models import ec2_backends

from lab.drills.catalogue import BEHAVIOURS
from lab.drills.drill import run_drill
from lab.drills.drill_pool import Job, run_all
from lab.drills.inventory import inventory
from lab.drills.scenario import read_faults
from lab.drills.testbed import AppTestbed
from lab.emulator.isolation import ACCOUNT, REGION
from lab.emulator.journal import Who
from lab.emulator.region import Region
from lab.emulator.services.ec2.elastic_ips import public_address
from lab.emulator.time import delays
from lab.tests.emulator.factories import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lab.drills.cdk import Cdk
    from lab.drills.outcome import Outcome

SEEN = "seen as"


def context(elastic_ips: object, **fleet: object) -> tuple[str, ...]:
    """Return the app's settings with Elastic IPs, or none."""
    return (f"nat={json.dumps({'fleet': {'elastic_ips': elastic_ips, **fleet}})}",)


class SeenAs:
    """Notes with which public addresses the private subnets leave, whenever that changes."""

    def __init__(self, testbed: AppTestbed) -> None:
        self._testbed = testbed
        self._now: dict[str, str | None] = {}
        testbed.region.clock.each_step(self._look)

    def _look(self) -> None:
        region, monitor = self._testbed.region, self._testbed.monitor
        for home in monitor.homes:
            way = monitor.now(home)
            if not way.works or way.through is None:
                continue
            interface = ec2_backends[ACCOUNT][REGION].get_instance(way.through).nics[0]
            address = public_address(interface, region.clock.now())
            if self._now.get(home.zone) != address:
                self._now[home.zone] = address
                region.journal.note(Who.EC2, SEEN, f"{home.zone} {address}")


def elastic(region: Region) -> dict[str, str | None]:
    """Return the Elastic IPs of the account, with the instances that have them."""
    rows = region.client("ec2").describe_addresses()["Addresses"]
    return {row["PublicIp"]: row.get("InstanceId") or None for row in rows}


@pytest.fixture(scope="module")
def testbed(
    tmp_path_factory: pytest.TempPathFactory, cli: Callable[..., Cdk]
) -> Iterator[AppTestbed]:
    """Return the app, deployed with Elastic IPs, at rest."""
    with ExitStack() as stack:
        region = stack.enter_context(Region(BEHAVIOURS))
        directory = tmp_path_factory.mktemp("elastic")
        cdk = stack.enter_context(
            closing(cli(region.endpoint, directory / "one", context=context("created")))
        )
        cdk.assembly.parent.mkdir()
        testbed = AppTestbed(region, cdk, "replace-route")
        testbed.prepare()
        testbed.deploy()
        stack.callback(testbed.monitor.stop)
        yield testbed


FAULTS = ("terminate", "stop", "hang", "zone-outage", "lost-address", "planned", "both")


@pytest.fixture(scope="module")
def drilled(testbed: AppTestbed) -> dict[str, Outcome]:
    """Return what came of each fault."""

    def job(fault: str) -> Job:
        def drill() -> Outcome:
            SeenAs(testbed)
            return run_drill(testbed, read_faults([fault]), seed=1)

        return Job(name=fault, run=drill)

    return {row.name: outcome for row, outcome in run_all(testbed, map(job, FAULTS))}


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


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "both"])
def test_private_hosts_are_seen_with_addresses_of_the_set_alone(
    fault: str, testbed: AppTestbed, drilled: dict[str, Outcome]
) -> None:
    """Through a failover, a replacement and the failback, and with both NATs in one zone."""
    seen = list(seen_as(drilled[fault]))
    assert {address for _, _, address in seen} <= set(elastic(testbed.region))
    assert len(seen) > 2  # the zone was seen with its neighbour's address, and then its own again
    assert drilled[fault].home


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
    """A zone leaves its NAT once and fails back once."""
    for fault in ("terminate", "stop", "hang"):
        moves = [write for write in drilled[fault].writes if write.name == "ec2:ReplaceRoute"]
        assert len(moves) == 2, fault


def test_elastic_ips_are_turned_on_and_off_without_an_interruption(
    tmp_path: Path, cli: Callable[..., Cdk]
) -> None:
    """NATs are replaced one by one, and no flow of one that serves changes its address.

    Made and retained they are still there when the stack has none any more, or is destroyed.
    """
    with ExitStack() as stack:
        region = stack.enter_context(Region(BEHAVIOURS))
        names = {"none": None, "created": "created", "retained": "retained"}
        none, created, retained = (
            stack.enter_context(
                closing(cli(region.endpoint, tmp_path / name, context=context(value, drain_s=30)))
            )
            for name, value in names.items()
        )
        for cdk in (none, created, retained):
            cdk.assembly.parent.mkdir()
        testbed = AppTestbed(region, none, "replace-route")
        testbed.prepare()
        created.synth()
        retained.synth()
        empty = inventory(region)
        testbed.deploy()
        before = {nat.instance for nat in testbed.monitor.nats_now()}
        SeenAs(testbed)
        began = region.clock.now()
        assert "UPDATE_COMPLETE" in created.deploy().output
        ips = set(elastic(region))
        assert eventually(region, testbed.monitor.at_home)
        assert before.isdisjoint(elastic(region).values())
        region.clock.pass_time(delays.ADDRESS_TAKES_EFFECT.high)
        last = {row.what.split()[0]: row.what for row in region.journal.entries(SEEN)}
        assert {row.split()[1] for row in last.values()} == ips
        assert "There were no differences" in created.diff().output
        assert "UPDATE_COMPLETE" in none.deploy().output
        assert {} == elastic(region)
        assert "UPDATE_COMPLETE" in retained.deploy().output
        works = region.journal.entries("egress", since=began)
        assert {entry.detail["works"] for entry in works} == {"True"}
        kept = _allocations(region)
        retained.destroy()
        testbed.monitor.stop()
        assert kept == inventory(region) - empty


def _allocations(region: Region) -> set[str]:
    return {
        str(row["AllocationId"]) for row in region.client("ec2").describe_addresses()["Addresses"]
    }
