"""What a NAT does when something takes its rules or its forwarding away, and its units."""

from __future__ import annotations

import re
import shutil
import subprocess
from threading import Timer
from typing import TYPE_CHECKING, NamedTuple

import pytest

from cdk_nat_failover.instances.nat_user_data import FOLDER
from lab.tests.packets.sockets import flow, listen
from lab.tests.packets.vpc import A, any_vpc, booted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.packets.fabric import Fabric
    from lab.packets.machine import Machine

HEALTH = "/etc/nat-failover/health"
LOGGED = (
    "the rules, the forwarding or the VPC's networks are not as this host loaded them: loading them"
    " again\n"
)


@pytest.fixture(scope="module")
def fabric() -> Iterator[Fabric]:
    """A VPC with a NAT."""
    with any_vpc() as fabric:
        booted(fabric, A)
        yield fabric


@pytest.fixture
def machine(fabric: Fabric) -> Machine:
    """The NAT, which every test leaves as it was."""
    return fabric.machines[A.name]


def test_health_says_and_changes_nothing_when_all_is_well(machine: Machine) -> None:
    """The rules keep their handles: nothing was loaded again."""
    before = _rules(machine)
    assert ("", "") == _look(machine)
    assert before == _rules(machine)


def test_health_says_nothing_when_the_filter_was_changed_as_it_should_be(machine: Machine) -> None:
    """A reload of the unit is no damage."""
    machine.run("/etc/nat-failover/up", "filter")
    assert ("", "") == _look(machine)


def test_health_says_nothing_when_the_watch_has_told_the_kernel_of_peers(machine: Machine) -> None:
    """What sets and maps hold is the watch's, and comes and goes."""
    before = _rules(machine)
    said = "\n".join(
        f"add element ip nat_failover_peers {element}"
        for element in (
            "peers { 10.0.0.5 }",
            'next { "lo" : 240.0.0.5 }',
            'through { "lo" : "lo" }',
        )
    )
    machine.rules(said)
    assert before != _rules(machine)
    assert ("", "") == _look(machine)
    machine.rules("flush set ip nat_failover_peers peers\nflush map ip nat_failover_peers through")


@pytest.mark.parametrize(
    "damage",
    [
        "nft flush ruleset",
        "nft delete table ip nat_failover_nat",
        "nft delete table ip nat_failover_filter",
        "nft delete table ip nat_failover_peers",
        "nft flush chain ip nat_failover_nat postrouting",
        "nft flush table ip nat_failover_peers",
        "nft insert rule ip nat_failover_filter forward drop",
        "nft add chain ip nat_failover_filter input { policy accept ; }",
        "sysctl --write net.ipv4.ip_forward=0",
    ],
)
def test_health_brings_back_and_logs_what_was_taken_away(
    fabric: Fabric, machine: Machine, damage: str
) -> None:
    """Afterwards the NAT is as it was when it booted, and hosts get out."""
    before = _all_rules(machine)
    machine.run(*damage.split())
    assert (LOGGED, "") == _look(machine)
    assert before == _all_rules(machine)
    assert ("", "") == _look(machine)
    with listen(fabric.server) as listener:
        flow(fabric.hosts["a"], listener).close()


@pytest.fixture
def networks(fabric: Fabric, machine: Machine) -> Iterator[Networks]:
    """What the metadata service says of the VPC's networks, which is as before afterwards."""
    told = fabric.told[A.name]
    (path,) = (path for path in told if path.endswith("/vpc-ipv4-cidr-blocks"))
    before = told[path]
    yield Networks(told, path)
    told[path] = before
    _look(machine)


class Networks(NamedTuple):
    """What an instance is told, and the path at which its VPC's networks are."""

    told: dict[str, str]
    path: str


def test_health_takes_up_a_network_that_the_vpc_was_given(
    machine: Machine, networks: Networks
) -> None:
    """Both tables know it, and a look later there is nothing to do."""
    networks.told[networks.path] += "\n100.64.0.0/16"
    assert (LOGGED, "") == _look(machine)
    assert "100.64.0.0/16" in _chain(machine, "nat_failover_nat", "postrouting")
    assert "100.64.0.0/16" in _chain(machine, "nat_failover_filter", "forward")
    assert ("", "") == _look(machine)


@pytest.mark.parametrize("said", ["", None])
def test_health_keeps_the_networks_when_the_metadata_service_does_not_say(
    machine: Machine, networks: Networks, said: str | None
) -> None:
    """An empty answer, or none, is not a VPC without networks, also when rules are missing."""
    networks.told.pop(networks.path)
    if said is not None:
        networks.told[networks.path] = said
    before = _all_rules(machine)
    assert ("", "") == _look(machine)
    machine.run(*["nft", "flush", "ruleset"])
    assert LOGGED == _look(machine)[0]
    assert before == _all_rules(machine)


def test_nat_waits_for_the_networks_when_nobody_has_said_them_yet(
    machine: Machine, networks: Networks
) -> None:
    """Metadata of a new interface may come a moment after it, and a first boot has nothing else."""
    said = networks.told.pop(networks.path)
    machine.run("rm", "/run/nat-failover/vpc")
    later = Timer(1.0, networks.told.__setitem__, (networks.path, said))
    later.start()
    machine.run("/etc/nat-failover/up")
    later.join()
    assert said.replace("\n", ",") == machine.read("/run/nat-failover/vpc").strip()


def _chain(machine: Machine, table: str, chain: str) -> str:
    return machine.run("nft", "list", "chain", "ip", table, chain).stdout


def test_health_leaves_the_rules_of_others_alone(machine: Machine) -> None:
    """Somebody's own table is nobody else's business."""
    machine.rules("table ip someones { }")
    assert ("", "") == _look(machine)
    machine.run("nft", "delete", "table", "ip", "someones")


def test_units_are_what_systemd_understands(tmp_path: Path) -> None:
    """No unknown setting, no missing unit."""
    verify = shutil.which("systemd-analyze")
    if not verify:
        pytest.skip("systemd-analyze is not on this machine")
    units = sorted(FOLDER.glob("nat-failover*"))
    for unit in units:
        text = unit.read_text(encoding="utf-8")
        # What the units start is on instances only, and looked for.
        (tmp_path / unit.name).write_text(text.replace("=/etc/nat-failover/", "=/bin/true /"))
    run = subprocess.run(  # noqa: S603 - our own units
        [verify, "verify", "--recursive-errors=no", *(tmp_path / unit.name for unit in units)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (4, "", 0) == (len(units), run.stderr, run.returncode)


def _look(machine: Machine) -> tuple[str, str]:
    run = machine.run(HEALTH)
    return run.stdout, run.stderr


def _all_rules(machine: Machine) -> list[str]:
    """Return the tables of everybody, without what sets hold: a host may be counted meanwhile."""
    rules = machine.run("nft", "--stateless", "--terse", "list", "ruleset").stdout
    return sorted(re.split("^(?=table )", rules, flags=re.MULTILINE))


def _rules(machine: Machine) -> str:
    return machine.run("nft", "--handle", "list", "ruleset").stdout
