"""Each setting, deployed and taken back by the real CDK CLI while a zone is failed over.

A deployment that begins then undoes nothing, and takes the internet from nobody for an instant.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import pytest

from lab.drills.catalogue import BEHAVIOURS
from lab.drills.cdk import CdkError
from lab.drills.drill_pool import Task, run_all
from lab.drills.injectors import conditions, instances
from lab.drills.injectors.context import FaultContext
from lab.drills.testbed import AppTestbed
from lab.emulator.isolation import REGION
from lab.emulator.region import Region
from lab.emulator.services.ec2 import capacity
from lab.tests.drills.their_vpc import MORE, TheirVpc
from lab.tests.emulator.factories import status
from stacks.settings.table import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from lab.drills.cdk import Cdk
    from lab.drills.egress_monitor import EgressMonitor

MINUTES = 60.0

ELSEWHERE = ("name", "account", "region", "network.vpc")
"""Settings whose change makes another stack, or should: docs/operations.md."""

ZONES = [f"{REGION}{letter}" for letter in "abc"]

OF_A_NEW_VPC: Mapping[str, tuple[object, ...]] = {
    "network.cidr": ("10.1.0.0/16",),
    "network.additional_cidrs": ([MORE],),
    "network.zones": (ZONES,),
    "fleet.launch": ("configuration",),
    "fleet.instance_type": ("t4g.micro",),
    "fleet.image": ("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-arm64",),
    "fleet.ami": ({"id": "ami-0123456789abcdef0", "architecture": "arm64"},),
    "fleet.min": (2,),
    "fleet.max": (3,),
    "fleet.desired": (1,),
    "fleet.self_test": (["1.1.1.1"],),
    "fleet.session_manager": (True,),
    "fleet.watch": (False,),
    "fleet.drain_s": (120,),
    "fleet.max_lifetime_days": (None,),
    "fleet.image_updates": ("at-launch",),
    "fleet.elastic_ips": ("created", "retained"),
    "topic.customer_key": (True,),
    "failover.strategy": ("swap-route-table",),
    "failover.failback": ("manual",),
    "failover.adopt": ([], True),
    "alerts.emails": (["any@example.com"],),
    "logs.retention_days": (7,),
}
"""What each setting becomes, one value after the other, before it is what it was."""

OF_AN_EXISTING_VPC = (
    "network.public_subnets",
    "network.route_tables",
    "network.served_cidrs",
    "failover.standby_gateway",
)

FAILS = frozenset({"network.cidr"})
"""Settings whose change fails, as documented, and is rolled back."""

ENDS = 25 * MINUTES
"""How long a deployment takes at most, whether it succeeds or is rolled back."""

STAYS_AWAY = frozenset({"failover.strategy"})
"""Settings after whose change back a subnet stays where it is: the function may not move it to
another table any more."""

KIND = "fleet.instance_type"
"""What is played otherwise, and not back: a change that replaces NATs. One in place does not."""


class Failed(Enum):
    """Why a zone is failed over while the deployment begins."""

    ZONE = "its NAT is dead, and EC2 has no capacity in the zone"
    BOOTING = "its NAT is dead, and the group has just launched another one"


@dataclass(frozen=True, slots=True)
class Deployed:
    """How one deployment ended, after how long, and what hosts and the CLI saw of it."""

    status: str
    seconds: float
    without_internet: tuple[str, ...]
    quiet: bool
    at_home: bool

    @property
    def done(self) -> bool:
        """Whether it succeeded."""
        return self.status == "UPDATE_COMPLETE"

    @property
    def well(self) -> bool:
        """Whether nobody noticed, and what CloudFormation has is what the app says."""
        return not self.without_internet and self.quiet and self.seconds < ENDS


def there_and_back(
    values: Mapping[str, Sequence[object]], base: Mapping[str, Any]
) -> dict[str, list[tuple[str, ...]]]:
    """Return the app's settings with each value of each of them, and then as they were."""

    def context(setting: str, value: object) -> tuple[str, ...]:
        section, _, key = setting.partition(".")
        return (f"nat={json.dumps({**base, section: {**base.get(section, {}), key: value}})}",)

    first = (f"nat={json.dumps(base)}",)
    return {
        setting: [*(context(setting, value) for value in each), first]
        for setting, each in values.items()
    }


def test_every_setting_is_changed_here() -> None:
    """But for those that make another stack."""
    names = {row.split("`")[1] for row in table().splitlines() if row.startswith("| `")}
    assert names == {*OF_A_NEW_VPC, *OF_AN_EXISTING_VPC, *ELSEWHERE}


def test_settings_change_while_a_zone_is_failed_over(
    tmp_path: Path, cli: Callable[..., Cdk], *, exhaustive: bool
) -> None:
    """There and back again, from one deployment of the app as it is by default."""
    played, states = there_and_back(OF_A_NEW_VPC, {}), tuple(Failed)
    if not exhaustive:
        played, states = {KIND: played[KIND][:1]}, (Failed.ZONE,)
    with Region(BEHAVIOURS) as region:
        _play(region, cli, tmp_path, {}, played, states)


@pytest.mark.exhaustive("a kind of change that others are, too")
def test_settings_of_an_existing_vpc_change_while_a_zone_is_failed_over(
    tmp_path: Path, cli: Callable[..., Cdk]
) -> None:
    """Other subnets for the NATs, another table to serve, and networks elsewhere."""
    with Region(BEHAVIOURS) as region:
        theirs = TheirVpc(region)
        for number, letter in enumerate("ab", 10):
            theirs.subnet(letter, f"10.7.{number}.0/24", theirs.table(letter))
        tables = list(theirs.tables.values())
        theirs.subnet("b", "10.7.20.0/24", theirs.table("second of b"))
        other = theirs.subnet("b", "10.7.2.0/24", theirs.public_table)
        gateway = theirs.ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
        theirs.ec2.create_route(
            RouteTableId=theirs.public_table, DestinationCidrBlock="10.1.0.0/16", GatewayId=gateway
        )
        standby = _nat_gateway(theirs)
        region.clock.pass_time(10 * MINUTES)  # until reads show all of it
        values: dict[str, tuple[object, ...]] = {
            "network.public_subnets": ([theirs.public[0], other],),
            "network.route_tables": (list(theirs.tables.values()),),
            "network.served_cidrs": (["10.1.0.0/16"],),
            "failover.standby_gateway": (standby,),
        }
        assert set(values) == set(OF_AN_EXISTING_VPC)
        base = {"network": theirs.network(route_tables=tables)}
        _play(region, cli, tmp_path, base, there_and_back(values, base), tuple(Failed))


def _nat_gateway(theirs: TheirVpc) -> str:
    address = theirs.ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = theirs.ec2.create_nat_gateway(SubnetId=theirs.public[0], AllocationId=address)
    return str(made["NatGateway"]["NatGatewayId"])


def _play(  # noqa: PLR0913, PLR0917 - a region, the CLI, where it writes, and what is played
    region: Region,
    cli: Callable[..., Cdk],
    directory: Path,
    base: Mapping[str, Any],
    changes: Mapping[str, Sequence[tuple[str, ...]]],
    states: Sequence[Failed],
) -> None:
    """Deploy the app, and play each change in each state, each in a fork."""
    first = (f"nat={json.dumps(base)}",)

    def app(at: Path, settings: tuple[str, ...]) -> Cdk:
        at.mkdir(parents=True, exist_ok=True)
        cdk = cli(region.endpoint, at, context=settings)
        cdk.synth()
        return cdk

    with closing(cli(region.endpoint, directory, context=first)) as cdk:
        testbed = AppTestbed(region, cdk, "replace-route")
        testbed.prepare()
        for setting, values in changes.items():
            for number, settings in enumerate(values):
                app(directory / setting / str(number), settings)  # keeps what the forks use
        testbed.deploy()

        def job(setting: str, failed: Failed) -> Task[tuple[Deployed, ...]]:
            def run() -> tuple[Deployed, ...]:
                at = directory / f"{setting} {failed.name}"
                there = [app(at / str(n), each) for n, each in enumerate(changes[setting])]
                return tuple(_drill(testbed, there, failed))

            return Task(name=f"{setting}: {failed.value}", run=run)

        jobs = [job(setting, failed) for setting in changes for failed in states]
        ended = {job.name: result for job, result in run_all(testbed, jobs)}
        testbed.monitor.stop()
    assert len(ended) == len(jobs)
    wrong = {name: rows for name, rows in ended.items() if not all(each.well for each in rows)}
    assert wrong == {}
    failed = {name for name, rows in ended.items() if any(not each.done for each in rows)}
    away = {name for name, rows in ended.items() if not rows[-1].at_home}
    assert {name.partition(":")[0] for name in failed} == FAILS & set(changes)
    assert {name.partition(":")[0] for name in away} == STAYS_AWAY & set(changes)


def _drill(testbed: AppTestbed, there: Sequence[Cdk], failed: Failed) -> Iterator[Deployed]:
    """Fail a zone over and deploy, as often as there is something to deploy."""
    region, monitor = testbed.region, testbed.monitor
    deployed = there[-1]
    for cdk in there:
        _fail_over(FaultContext(region, testbed.stack, monitor), failed)
        began, result = region.clock.now(), _deploy(testbed, cdk)
        seconds = region.clock.now() - began
        deployed = cdk if result == "UPDATE_COMPLETE" else deployed
        quiet = "There were no differences" in deployed.diff().output
        capacity.restore_capacity(region.aws)
        region.clock.wait_until(monitor.at_home, 15 * MINUTES)
        region.clock.pass_time(2 * MINUTES)
        testbed.insist()
        egress = region.journal.entries("egress", since=began)
        lost = tuple(each.what for each in egress if each.detail["works"] != "True")
        yield Deployed(result, seconds, lost, quiet, monitor.at_home())


def _deploy(testbed: AppTestbed, cdk: Cdk) -> str:
    """Deploy, and return the status of the stack, which tells what went wrong."""
    try:
        cdk.deploy()
    except CdkError:
        testbed.insist()
    return status(testbed.region, testbed.stack)


def _fail_over(fault: FaultContext, failed: Failed) -> None:
    """Let zone a lose its NAT, and wait until another zone's serves its table.

    Of one NAT, there is none to fail over to.
    """
    if sum(nat.forwards for nat in fault.monitor.nats_now()) < len("ab"):
        return
    home, clock, monitor = fault.home("a"), fault.region.clock, fault.monitor
    if failed is Failed.ZONE:
        conditions.zone_outage(fault, "a")
    elif monitor.now(home).zone == home.zone:
        instances.terminate(fault, "a")
    assert clock.wait_until(lambda: monitor.all_work() and monitor.now(home).zone != home.zone, 60)
    if failed is Failed.BOOTING:
        clock.wait_until(lambda: _is_booting(monitor), 3 * MINUTES)


def _is_booting(monitor: EgressMonitor) -> bool:
    return any(nat.state == "pending" for nat in monitor.nats_now())
