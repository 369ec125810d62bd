"""What a NAT translates, what it lets through, and what it does not."""

from __future__ import annotations

import socket
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import pytest

from lab.packets.values import SERVER, Secondary
from lab.tests.packets.segments import (
    ACK,
    ECHO_REPLY,
    ECHO_REQUEST,
    FIN,
    PSH,
    RST,
    SYN,
    End,
    Seen,
    Segment,
    Wire,
)
from lab.tests.packets.sockets import LIMIT, flow, listen
from lab.tests.packets.vpc import (
    CIDRS,
    CLOSED,
    HOSTS,
    A,
    B,
    any_vpc,
    booted,
    hand_over,
    lead,
    resets,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.packets.fabric import Fabric

POOL = replace(
    B,
    secondary=(Secondary("10.0.0.20", "203.0.113.20"), Secondary("10.0.0.21")),
)
HOST, OTHER, THIRD = (host.address for host in HOSTS)
METADATA = "169.254.169.254"
OUTSIDE = "192.168.5.5"
INTERNET = End(SERVER, 80)

_ports = count(20_000)


@pytest.fixture(scope="module")
def fabric() -> Iterator[Fabric]:
    """A VPC with a NAT of one address, and one of three, two of which have a public one."""
    with any_vpc() as fabric:
        for nat in (A, POOL):
            booted(fabric, nat)
        yield fabric


def test_connections_leave_with_the_primary_address_whichever_network_they_are_from(
    fabric: Fabric,
) -> None:
    """Each CIDR of the VPC is translated."""
    lead(fabric, A)
    with listen(fabric.server) as listener:
        sources = {name: _source(fabric, name, listener) for name in fabric.hosts}
    assert dict.fromkeys(fabric.hosts, A.public) == sources


def test_connections_take_turns_on_the_addresses_that_have_a_public_one(fabric: Fabric) -> None:
    """An address without one is never used: the internet gateway would drop it."""
    lead(fabric, POOL)
    with listen(fabric.server) as listener:
        sources = [_source(fabric, "a", listener) for _ in range(6)]
    turns = [POOL.public, "203.0.113.20"]
    assert sources in (turns * 3, turns[::-1] * 3)


def test_primary_address_is_used_alone_when_metadata_says_nothing(fabric: Fabric) -> None:
    """Not knowing which of the others have a public address, the NAT says so and goes on."""
    machine = fabric.machines[POOL.name]
    machine.command("curl", "#!/bin/bash\nexit 28\n")
    run = machine.run("/etc/nat-failover/up")
    machine.run("rm", "/run/lab/bin/curl")
    assert f"using {POOL.address} alone" in run.stderr
    rules = machine.run("nft", "list", "table", "ip", "nat_failover_nat").stdout
    assert f"snat to {POOL.address}\n" in rules
    assert "numgen" not in rules
    machine.run("/etc/nat-failover/up")


@pytest.mark.parametrize(
    "commands",
    [
        ["link set ens5 down", "link set ens5 up"],
        ["address delete 10.0.0.4/24 dev ens5", "address add 10.0.0.4/24 dev ens5"],
    ],
    ids=["flap", "renewal"],
)
def test_flows_survive_when_the_interface_flaps_or_its_address_is_renewed(
    fabric: Fabric, commands: Sequence[str]
) -> None:
    """Translation by `snat` forgets nothing; `masquerade` would forget them all."""
    lead(fabric, A)
    machine = fabric.machines[A.name]
    with listen(fabric.server) as listener:
        opened = flow(fabric.hosts["a"], listener)
    for command in (*commands, "route replace default via 10.0.0.1 dev ens5"):
        machine.run("ip", *command.split())
    opened.exchange()
    opened.close()


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        (HOST, End(OTHER, 80)),
        (HOST, End(THIRD, 80)),
        (HOST, End(POOL.address, 80)),
        (HOST, End(METADATA, 80)),
        (HOST, End("169.254.1.1", 80)),
        (OUTSIDE, INTERNET),
        (SERVER, End(HOST, 80)),
        (SERVER, End(CLOSED, 80)),
        (SERVER, End(A.address, 22)),
        (HOST, End(A.address, 22)),
    ],
    ids=[
        "private to private in another network of the VPC",
        "private to private in the next network of the VPC",
        "private to the other NAT",
        "private to metadata",
        "private to link-local",
        "outside of the VPC to the internet",
        "internet to private",
        "internet to internet",
        "internet to the NAT",
        "private to the NAT",
    ],
)
def test_nothing_leaves_when_a_new_connection_is(
    fabric: Fabric, source: str, destination: End
) -> None:
    """Neither the packet, translated or not, nor an answer to it: also where something listens."""
    with listen(fabric.machines[A.name], 22):
        assert [] == _leaving(fabric, SYN, source=source, destination=destination)


def test_new_connection_leaves_translated_when_it_is_from_the_vpc_to_the_internet(
    fabric: Fabric,
) -> None:
    """The port stays, the address becomes the NAT's: so the tests here can see what leaves."""
    seen, *_ = _leaving(fabric, SYN)
    assert (A.address, INTERNET, SYN) == (seen.source.address, seen.destination, seen.flags)


@pytest.mark.parametrize("port", [0, 4788, 4789])
def test_datagrams_and_pings_are_answered_through_the_nat(fabric: Fabric, port: int) -> None:
    """A NAT is not for TCP alone; hosts may use the ports of its heartbeat and its tunnels."""
    lead(fabric, A)
    with fabric.server.socket(socket.SOCK_DGRAM) as server:
        server.bind((SERVER, 53))
        with fabric.hosts["a"].socket(socket.SOCK_DGRAM) as client:
            client.settimeout(LIMIT)
            client.bind(("", port))
            client.sendto(b"word", (SERVER, 53))
            _, source = server.recvfrom(4)
            server.sendto(b"back", source)
            assert (A.public, b"back") == (source[0], client.recv(4))
    with fabric.hosts["a"].socket(socket.SOCK_RAW, socket.IPPROTO_ICMP) as client:
        client.settimeout(LIMIT)
        client.sendto(ECHO_REQUEST, (SERVER, 0))
        assert ECHO_REPLY == client.recv(100)[20]


@pytest.mark.parametrize(
    "flags",
    [0, RST, RST | ACK, FIN, FIN | ACK, SYN | ACK, SYN | FIN, SYN | RST, PSH],
)
def test_nothing_leaves_when_a_segment_is_invalid(fabric: Fabric, flags: int) -> None:
    """It would leave with its private source; and a reset is not answered by a reset."""
    before = resets(fabric, A)
    assert [] == _leaving(fabric, flags)
    assert before == resets(fabric, A)


@pytest.mark.parametrize("flags", [ACK, PSH | ACK])
def test_reset_goes_to_the_client_when_its_flow_is_unknown(fabric: Fabric, flags: int) -> None:
    """One, as if from the far side; the segment itself does not leave. It is counted."""
    before = resets(fabric, A)
    (seen,) = _leaving(fabric, flags)
    assert (INTERNET, HOST, RST) == (seen.source, seen.destination.address, seen.flags)
    assert before + 1 == resets(fabric, A)


@pytest.mark.parametrize(
    ("source", "destination"),
    [(OUTSIDE, INTERNET), (SERVER, End(A.address, 40_000)), (HOST, End(OTHER, 80))],
    ids=["outside of the VPC", "internet to the NAT", "private to private"],
)
def test_no_reset_goes_to_others_when_their_flow_is_unknown(
    fabric: Fabric, source: str, destination: End
) -> None:
    """Only clients of the VPC on their way out are told; nobody can aim a reset elsewhere."""
    assert [] == _leaving(fabric, ACK, source=source, destination=destination)


def test_network_of_a_flow_is_in_the_rules_exactly_as_the_settings_say(fabric: Fabric) -> None:
    """Networks side by side are one range to nft, which covers both and nothing more."""
    rules = fabric.machines[A.name].run("nft", "list", "table", "ip", "nat_failover_nat").stdout
    assert ("10.0.0.0/16", "100.64.0.0/16", "10.1.0.0/16") == CIDRS
    assert "ip saddr { 10.0.0.0/15, 100.64.0.0/16 }" in rules


def _source(fabric: Fabric, host: str, listener: socket.socket) -> str:
    opened = flow(fabric.hosts[host], listener)
    opened.close()
    return opened.source


def _leaving(
    fabric: Fabric, flags: int, *, source: str = HOST, destination: End = INTERNET
) -> list[Seen]:
    """Return what the NAT sends when it gets a segment of a flow of its own."""
    port, next_port = next(_ports), next(_ports)
    tried = Segment(
        source=End(source, port), destination=destination, flags=flags, acknowledges=5000
    )
    last = Segment(source=End(HOST, next_port), destination=INTERNET, flags=SYN)
    with Wire(fabric.machines[A.name], A.uplink) as wire:
        hand_over(fabric, A, tried.packet, last.packet)
        return wire.before(replace(last, source=End(A.address, next_port)), port)
