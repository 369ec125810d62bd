"""The fabric carries packets as a VPC does, and loses those that a VPC loses."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lab.packets.fabric import Fabric
from lab.packets.namespaces import leftovers
from lab.packets.values import SERVER, Host, Ingress, Nat, Secondary, Subnet
from lab.tests.packets.network import FROM_THE_VPC, NATS, PUBLIC, VPC, everything_works, masquerade
from lab.tests.packets.traffic import (
    LOST,
    PORT,
    TIMEOUT,
    Echo,
    ask,
    connect,
    source,
    source_of_datagrams,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lab.packets.machine import Machine
    from lab.packets.namespaces import Namespace
    from lab.packets.values import Wanted

ROUTES = everything_works().default_routes


def lead(fabric: Fabric, **routes: str | None) -> None:
    """Change default routes of private subnets, by their zone."""
    changed = {f"private-{zone}": target for zone, target in routes.items()}
    fabric.apply(replace(everything_works(), default_routes={**ROUTES, **changed}))


def assert_lost(namespace: Namespace, address: str = SERVER, port: int = PORT) -> None:
    """Expect a new connection to be lost without a word."""
    with pytest.raises(TimeoutError):
        connect(namespace, address, port, LOST)


@contextmanager
def counting(machine: Machine, address: str) -> Iterator[Callable[[], int]]:
    """Count what reaches a NAT on its way to an address."""
    machine.rules(f"""
        table ip count {{
            counter reached {{
            }}
            chain prerouting {{
                type filter hook prerouting priority raw; policy accept;
                ip daddr {address} counter name reached
            }}
        }}
    """)

    def count() -> int:
        told = machine.run("nft", "list", "counter", "ip", "count", "reached").stdout
        return int(told.partition("packets ")[2].split()[0])

    yield count
    machine.rules("delete table ip count")


def test_hosts_reach_the_server_from_the_public_address_of_their_nat(fabric: Fabric) -> None:
    """TCP and UDP of each private host leave through the NAT that its route table names."""
    seen = {name: (source(host), source_of_datagrams(host)) for name, host in fabric.hosts.items()}

    assert {"a": ("203.0.113.4",) * 2, "b": ("203.0.113.5",) * 2} == seen


def test_the_host_leaves_through_the_other_nat_when_its_route_moved(fabric: Fabric) -> None:
    """A moved default route moves one subnet, and no other."""
    lead(fabric, a="nat-b")
    assert "203.0.113.5" == source(fabric.hosts["a"])

    lead(fabric, a="nat-b", b="nat-a")
    assert ["203.0.113.5", "203.0.113.4"] == [source(fabric.hosts[name]) for name in "ab"]


def test_packets_are_lost_when_the_default_route_is_missing_or_a_blackhole(fabric: Fabric) -> None:
    """A host without a default route hears nothing; the other host goes on."""
    lead(fabric, a=None)

    assert_lost(fabric.hosts["a"])
    assert "203.0.113.5" == source(fabric.hosts["b"])


def test_a_nat_forwards_nothing_when_its_check_is_on(fabric: Fabric) -> None:
    """The source/destination check stops what a NAT forwards, and not what it sends itself."""
    fabric.apply(replace(everything_works(), checked=frozenset({"nat-a"})))

    assert_lost(fabric.hosts["a"])
    assert "203.0.113.4" == source(fabric.machines["nat-a"])
    assert "203.0.113.5" == source(fabric.hosts["b"])


in_trouble = pytest.mark.parametrize(
    "trouble",
    [
        replace(everything_works(), checked=frozenset({"nat-a"})),
        replace(everything_works(), silent=frozenset({"nat-a"})),
    ],
    ids=["checked", "silent"],
)


@in_trouble
def test_nothing_that_a_nat_in_trouble_sends_for_others_arrives(
    fabric: Fabric, trouble: Wanted
) -> None:
    """The check looks at what leaves, too: the source has to be an address of the NAT."""
    nat, host = fabric.machines["nat-a"], fabric.hosts["b"]
    nat.run("ip", "address", "add", "10.0.1.99/32", "dev", "lo")
    with host.socket(socket.SOCK_DGRAM) as there, nat.socket(socket.SOCK_DGRAM) as here:
        there.bind(("", 9))
        there.settimeout(TIMEOUT)
        here.bind(("10.0.1.99", 0))
        here.sendto(b"off", ("10.0.2.10", 9))
        assert b"off" == there.recv(9)

        fabric.apply(trouble)

        here.sendto(b"on", ("10.0.2.10", 9))
        there.settimeout(LOST)
        with pytest.raises(TimeoutError):
            there.recv(9)
    nat.run("ip", "address", "delete", "10.0.1.99/32", "dev", "lo")


@in_trouble
def test_nothing_of_a_host_reaches_a_nat_in_trouble(fabric: Fabric, trouble: Wanted) -> None:
    """With the check on, and dead or hung, a NAT does not even see what hosts send."""
    with counting(fabric.machines["nat-a"], SERVER) as count:
        source(fabric.hosts["a"])
        seen = count()
        assert seen > 0

        fabric.apply(trouble)
        seen = count()

        assert_lost(fabric.hosts["a"])
        assert seen == count()


def test_a_nat_lets_nothing_through_when_it_is_silent(fabric: Fabric) -> None:
    """A dead or hung NAT answers nothing, in the middle of a flow and for new ones."""
    with connect(fabric.hosts["a"]) as flow:
        ask(flow)
        fabric.apply(replace(everything_works(), silent=frozenset({"nat-a"})))

        with pytest.raises(TimeoutError):
            ask(flow, LOST)
    assert_lost(fabric.hosts["a"])
    assert_lost(fabric.machines["nat-a"])


def test_a_nat_refuses_the_internet_when_no_rule_lets_it_in(fabric: Fabric) -> None:
    """The security group takes in answers only, until a rule names who may come to which ports."""
    web = Ingress("0.0.0.0/0", "tcp", (80, 81))
    with Echo(fabric.machines["nat-a"], 80), Echo(fabric.machines["nat-a"], 82):
        assert_lost(fabric.server, "203.0.113.4", 80)

        granted = {"nat-a": (*FROM_THE_VPC, web), "nat-b": FROM_THE_VPC}
        fabric.apply(replace(everything_works(), ingress=granted))

        connect(fabric.server, "203.0.113.4", 80).close()
        assert_lost(fabric.server, "203.0.113.4", 82)


def test_hosts_are_not_forwarded_when_no_rule_lets_them_in(fabric: Fabric) -> None:
    """What a private host sends to its NAT passes the security group of the NAT."""
    fabric.apply(replace(everything_works(), ingress={"nat-b": FROM_THE_VPC}))

    assert_lost(fabric.hosts["a"])
    assert "203.0.113.5" == source(fabric.hosts["b"])


def test_the_gateway_loses_what_has_no_public_address(fabric: Fabric) -> None:
    """A host that leads straight to the internet gateway, without a public address, is lost."""
    lead(fabric, a="igw")

    assert_lost(fabric.hosts["a"])


def test_a_client_hangs_when_its_flow_moved_to_a_nat_that_only_translates(fabric: Fabric) -> None:
    """The firewall loses the middle of a flow that it does not know, and nobody says so."""
    with connect(fabric.hosts["a"]) as flow:
        ask(flow)
        lead(fabric, a="nat-b")

        with pytest.raises(TimeoutError):
            ask(flow, LOST)


@contextmanager
def resetting(machine: Machine) -> Iterator[None]:
    """Let a NAT answer the middle of a flow that it does not know with a reset."""
    machine.rules("""
        table ip resets {
            chain forward {
                type filter hook forward priority filter; policy accept;
                ct state new tcp flags & (fin | syn | rst | ack) != syn reject with tcp reset
            }
        }
    """)
    yield
    machine.rules("delete table ip resets")


def test_the_middle_of_a_moved_flow_reaches_the_other_nat(fabric: Fabric) -> None:
    """What a security group's rule lets in needs no tracking: a NAT can answer with a reset."""
    with connect(fabric.hosts["a"]) as flow, resetting(fabric.machines["nat-b"]):
        ask(flow)
        lead(fabric, a="nat-b")

        with pytest.raises(ConnectionResetError):
            ask(flow)


def test_a_moved_flow_is_lost_when_no_rule_lets_it_in_at_the_other_nat(fabric: Fabric) -> None:
    """A flow that one NAT's security group let in is nothing to that of another NAT."""
    with connect(fabric.hosts["a"]) as flow, resetting(fabric.machines["nat-b"]):
        ask(flow)
        moved = {**ROUTES, "private-a": "nat-b"}
        closed = {"nat-a": FROM_THE_VPC}
        fabric.apply(replace(everything_works(), default_routes=moved, ingress=closed))

        with pytest.raises(TimeoutError):
            ask(flow, LOST)


def test_a_plain_masquerade_lets_hosts_read_the_metadata_of_the_nat(fabric: Fabric) -> None:
    """The fabric keeps nobody from an instance's metadata: its own rules have to."""
    with connect(fabric.hosts["a"], "169.254.169.254", 80) as leak:
        leak.sendall(
            b"GET /latest/meta-data/instance-id HTTP/1.0\r\n"
            b"X-aws-ec2-metadata-token: lab-token\r\n\r\n"
        )
        answer = leak.makefile("rb").read()

    assert answer.endswith(b"nat-a")


def test_hosts_reach_each_other_over_the_local_route(fabric: Fabric) -> None:
    """Private subnets of a VPC are connected, as on AWS, and not through a NAT."""
    with Echo(fabric.hosts["b"]), connect(fabric.hosts["a"], "10.0.2.10") as flow:
        assert "10.0.1.10" == ask(flow)


def test_an_address_of_the_vpc_without_a_host_is_lost(fabric: Fabric) -> None:
    """The local route covers the VPC: what has no host there does not go to the NAT."""
    nowhere = "10.0.3.10"
    with counting(fabric.machines["nat-a"], nowhere) as count:
        assert_lost(fabric.hosts["a"], nowhere)

        assert 0 == count()


def test_the_router_tracks_only_what_is_between_nats_and_the_internet(fabric: Fabric) -> None:
    """A table of tracked flows is as small as that of the machine may be: each flow counts once."""
    table = "/proc/sys/net/netfilter/nf_conntrack_count"
    before = int(fabric.router.run("cat", table).stdout)
    flows = [connect(fabric.hosts["a"]) for _ in range(20)]
    for flow in flows:
        ask(flow)
    after = int(fabric.router.run("cat", table).stdout)
    for flow in flows:
        flow.close()

    assert 0 < after - before <= len(flows)


def test_pings_come_back(fabric: Fabric) -> None:
    """An echo request is answered through the NAT, and passes its security group."""
    request = b"\x08\x00\xf7\xfd\x00\x01\x00\x01"
    with fabric.hosts["a"].socket(socket.SOCK_RAW, socket.IPPROTO_ICMP) as ping:
        ping.settimeout(5)
        ping.sendto(request, (SERVER, 0))
        answer, (address, _) = ping.recvfrom(64)

    assert (SERVER, 0) == (address, answer[20])


def test_a_secondary_address_of_a_nat_has_a_public_one_of_its_own(fabric: Fabric) -> None:
    """What a NAT sends from a further address passes its check, and is mapped by that address."""
    second = Secondary("10.0.0.7", "203.0.113.7")
    machine = fabric.launch(Nat("nat-c", PUBLIC, "10.0.0.6", None, secondary=(second,)))
    fabric.apply(replace(everything_works(), checked=frozenset({"nat-c"})))
    with machine.socket(socket.SOCK_STREAM) as client:
        client.settimeout(5)
        client.bind((second.address, 0))
        client.connect((SERVER, PORT))
        seen = ask(client)
    fabric.end("nat-c")

    assert second.public == seen


def test_a_nat_leaves_nothing_when_it_ends(fabric: Fabric) -> None:
    """Its namespace is gone, its route leads nowhere, and another NAT can have its address."""
    wanted = everything_works()
    through = replace(
        wanted,
        default_routes={**wanted.default_routes, "private-a": "nat-d"},
        ingress={**wanted.ingress, "nat-d": FROM_THE_VPC},
    )
    for public in ("203.0.113.8", "203.0.113.9"):
        machine = fabric.launch(Nat("nat-d", PUBLIC, "10.0.0.8", public))
        masquerade(machine)
        fabric.apply(through)
        assert public == source(fabric.hosts["a"])

        fabric.end("nat-d")

        assert_lost(fabric.hosts["a"])
        assert machine.name not in leftovers()


def names_with(prefix: str) -> set[str]:
    """Return the namespaces of one set."""
    return {name for name in leftovers() if name.startswith(prefix)}


def test_nothing_is_left_when_the_block_ends() -> None:
    """A fabric takes its namespaces away, whatever ended its block."""
    host = Host("a", Subnet("private", "10.0.1.0/24"), "10.0.1.10")
    made: Mapping[str, Namespace] = {}

    def interrupted() -> None:
        nonlocal made
        with Fabric(vpc=VPC, hosts=(host,)) as fabric:
            made = {**fabric.hosts, "nat": fabric.launch(NATS[0])}
            assert names_with(made["a"].name[: len("natlab-01234567")])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert not names_with(made["a"].name[: len("natlab-01234567")])
