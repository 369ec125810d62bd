"""Sizes of packets: the tunnel takes 50 bytes of each, and what is too big loses nothing."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from lab.packets.namespace_setup import configure
from lab.tests.packets.hand_over.hand_overs import C, HandOvers, moved
from lab.tests.packets.sockets import listen, receive
from lab.tests.packets.vpc import A, B, lead

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.packets.fabric import Fabric
    from lab.packets.values import Nat
    from lab.tests.packets.sockets import Flow

SENT = bytes(range(256)) * 1000
INTERNET, JUMBO, NARROW = 1500, 9001, 1000
MTU_DISCOVER, MTU, DO_NOT = 10, 14, 0  # linux/in.h: IP_MTU_DISCOVER, IP_MTU, IP_PMTUDISC_DONT

_SIZE = """
for interface in /sys/class/net/*; do
    name=${interface##*/}
    case $name in
        lo) ;;
        peer-*) ip link delete "$name" ;;
        igw) ip link set igw mtu "$2" ;;
        *) ip link set "$name" mtu "$1" ;;
    esac
done
ip route flush cache
"""


@pytest.fixture(params=[(A, B), (A, B, C)], ids=["two NATs", "three NATs"])
def nats(request: pytest.FixtureRequest) -> Sequence[Nat]:
    """NATs whose tunnels are made when the sizes of their interfaces are set."""
    nats: Sequence[Nat] = request.param
    return nats


@pytest.fixture(autouse=True)
def _as_before(fabric: Fabric) -> Iterator[None]:
    yield
    lead(fabric, B)
    _size(fabric, inside=INTERNET, outside=INTERNET)


@pytest.mark.parametrize(
    ("inside", "outside", "heard"),
    [(1500, 1500, 1450), (JUMBO, INTERNET, JUMBO), (JUMBO, JUMBO, 8951)],
)
def test_client_hears_of_the_smaller_path_when_its_packets_do_not_fit_the_tunnel(
    fabric: Fabric, nats: Sequence[Nat], inside: int, outside: int, heard: int
) -> None:
    """With 9001 in the VPC and 1500 beyond it, as on AWS, all of them fit. Nothing is lost."""
    _size(fabric, inside=inside, outside=outside)
    with (
        HandOvers(fabric, nats),
        listen(fabric.server) as listener,
        moved(fabric, listener, nats) as opened,
    ):
        assert inside == opened.client.getsockopt(socket.IPPROTO_IP, MTU)
        _upload(opened)
        assert heard == opened.client.getsockopt(socket.IPPROTO_IP, MTU)


def test_client_that_lets_its_packets_be_fragmented_hears_of_the_smaller_path_too(
    fabric: Fabric, nats: Sequence[Nat]
) -> None:
    """The kernel forbids it for the copies, so that nobody has to put anything together."""
    _size(fabric, inside=INTERNET, outside=INTERNET)
    with (
        HandOvers(fabric, nats),
        listen(fabric.server) as listener,
        moved(fabric, listener, nats) as opened,
    ):
        opened.client.setsockopt(socket.IPPROTO_IP, MTU_DISCOVER, DO_NOT)
        before = _put_together(fabric, nats[-1])
        _upload(opened)
        assert 1450 == opened.client.getsockopt(socket.IPPROTO_IP, MTU)
        assert before == _put_together(fabric, nats[-1])


def test_fragments_are_handed_over_whatever_their_size(fabric: Fabric, nats: Sequence[Nat]) -> None:
    """Each NAT puts them together; what they make up goes through the tunnel in fragments again."""
    _size(fabric, inside=INTERNET, outside=INTERNET)
    with (
        HandOvers(fabric, nats),
        listen(fabric.server) as listener,
        moved(fabric, listener, nats) as opened,
    ):
        opened.client.setsockopt(socket.IPPROTO_IP, MTU_DISCOVER, DO_NOT)
        _let_router_fragment(fabric, nats[0])
        before = [_put_together(fabric, nat) for nat in nats]
        _upload(opened)
        packets = len(SENT) // INTERNET
        for nat, so_far in zip(nats, before, strict=True):
            assert so_far + packets <= _put_together(fabric, nat)


def _size(fabric: Fabric, *, inside: int, outside: int) -> None:
    """Set the sizes of all interfaces, in bytes; forget tunnels, and what was learnt of paths."""
    beyond = (fabric._internet._gateway, fabric.firewall, fabric.server)
    for namespace in beyond:
        namespace.run("bash", "-c", _SIZE, "size", str(outside), str(outside))
    for namespace in (fabric.router, *fabric.hosts.values(), *fabric.machines.values()):
        namespace.run("bash", "-c", _SIZE, "size", str(inside), str(outside))


def _let_router_fragment(fabric: Fabric, nat: Nat) -> None:
    """Let the router send packets of a thousand bytes at most to a NAT, from the first host."""
    way = f"via {nat.address} dev {fabric._ports[nat.name]} onlink mtu lock {NARROW}"
    table = fabric._routes._tables[fabric.wired["a"].subnet.name]
    configure(fabric.router, f"route replace default {way} table {table}")


def _upload(opened: Flow) -> None:
    opened.client.sendall(SENT)
    assert receive(opened.server, len(SENT)) == SENT


def _put_together(fabric: Fabric, nat: Nat) -> int:
    """Return how many packets a NAT has put together from fragments."""
    names, numbers = fabric.machines[nat.name].read("/proc/net/snmp").splitlines()[:2]
    return int(dict(zip(names.split(), numbers.split(), strict=True))["ReasmOKs"])
