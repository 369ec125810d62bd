"""Networks outside of the VPC whose hosts may use the NATs, as a hub's spokes do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.packets.fabric import Fabric
from lab.packets.values import INTERNET_GATEWAY, SERVER, Host, Ingress, Subnet, Wanted
from lab.tests.packets.sockets import flow, listen
from lab.tests.packets.vpc import CIDRS, HOSTS, PUBLIC, SCRIPT, TESTED, A, script

if TYPE_CHECKING:
    from collections.abc import Iterator

SPOKE = Host("spoke", Subnet("spoke", "172.20.1.0/24"), "172.20.1.10")
STRANGER = Host("stranger", Subnet("stranger", "172.30.1.0/24"), "172.30.1.10")
SERVED = ("172.20.0.0/16", "100.64.0.0/10", "10.0.0.0/8")
"""Of which two overlap those of the VPC, as the whole of a company's network does."""


@pytest.fixture(scope="module")
def fabric() -> Iterator[Fabric]:
    """A VPC with a NAT, whose security group admits everybody, and hosts in networks behind it."""
    hosts = (HOSTS[0], SPOKE, STRANGER)
    with (
        Fabric(vpc=CIDRS, hosts=hosts) as fabric,
        listen(fabric.server, TESTED, address=SERVER),
    ):
        machine = fabric.launch(A)
        routes = {host.subnet.name: A.name for host in hosts}
        fabric.apply(
            Wanted(
                default_routes={PUBLIC.name: INTERNET_GATEWAY, **routes},
                ingress={A.name: (Ingress("0.0.0.0/0"),)},
            )
        )
        machine.write(SCRIPT, script(served=SERVED))
        machine.run("bash", SCRIPT)
        yield fabric


@pytest.mark.parametrize("host", [HOSTS[0], SPOKE], ids=lambda host: host.name)
def test_hosts_of_vpc_and_served_networks_leave_by_the_nats_address(
    fabric: Fabric, host: Host
) -> None:
    """The security group alone would not do: the NAT knows them, too."""
    with listen(fabric.server) as listener:
        opened = flow(fabric.hosts[host.name], listener)
        opened.exchange()
        assert A.public == opened.source
        opened.close()


def test_hosts_of_other_networks_are_not_served(fabric: Fabric) -> None:
    """Though routes and security group would let them."""
    with listen(fabric.server) as listener, pytest.raises(TimeoutError):
        flow(fabric.hosts[STRANGER.name], listener)


def test_rules_stay_as_they_are_when_health_looks_at_them(fabric: Fabric) -> None:
    """What a NAT serves is what it compares with."""
    looked = fabric.machines[A.name].run("/etc/nat-failover/health")
    assert (looked.stdout, looked.stderr) == ("", "")
