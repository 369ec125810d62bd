"""What comes to the ports of heartbeat and tunnel from others than peers."""

from __future__ import annotations

import socket
import struct
import time
from itertools import product
from typing import TYPE_CHECKING

import pytest

from cdk_nat_failover.instances.watch import handover
from lab.packets.values import SERVER
from lab.tests.packets.hand_over.hand_overs import HOST, SOON, passed
from lab.tests.packets.segments import (
    ACK,
    FIN,
    PSH,
    RST,
    SYN,
    End,
    Segment,
    datagram,
    link_socket,
)
from lab.tests.packets.vpc import hand_over, lead, resets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.packets.fabric import Fabric
    from lab.packets.values import Nat
    from lab.tests.packets.sockets import Flow

HEARTBEATS = 4788
FAR, UNKNOWN = End(SERVER, 5000), 29_998


def test_heartbeats_come_in_from_peers_alone(fabric: Fabric, nats: Sequence[Nat]) -> None:
    """Not from a host: the ring does not have it."""
    with fabric.machines[nats[0].name].socket(socket.SOCK_DGRAM) as heard:
        heard.bind(("", HEARTBEATS))
        heard.settimeout(SOON)
        mine = End(nats[0].address, HEARTBEATS)
        hand_over(fabric, nats[0], datagram(End(HOST, HEARTBEATS), mine))
        with pytest.raises(TimeoutError):
            heard.recv(1)
        hand_over(fabric, nats[0], datagram(End(nats[1].address, HEARTBEATS), mine))
        assert b"" == heard.recv(1)


def test_tunnels_of_a_private_host_are_dropped_whatever_is_in_them(
    fabric: Fabric, nats: Sequence[Nat], opened: Flow
) -> None:
    """They are counted nowhere, leave nothing in the connection table, and harm no flow."""
    lead(fabric, nats[-1])
    time.sleep(SOON)
    counted, tracked = _state(fabric, nats[-1])
    known = opened.client.getsockname()[1]
    inside = [
        *(
            _segment(port, flags)
            for port in (known, UNKNOWN)
            for flags in (ACK, PSH | ACK, FIN, RST)
        ),
        _segment(UNKNOWN, SYN),
        datagram(End(HOST, UNKNOWN), FAR),
    ]
    machine = fabric.machines[nats[-1].name]
    with (
        link_socket(machine, nats[-1].uplink) as wire,
        fabric.hosts["b"].socket(socket.SOCK_DGRAM) as spoofer,
    ):
        spoofer.bind(("", handover.PORT))
        for origin, packet in product(nats, inside):
            spoofer.sendto(_in_tunnel(origin, nats[-1], packet), (nats[-1].address, handover.PORT))
        time.sleep(SOON)
        assert not [seen for seen in passed(wire) if seen.left]
    counted_then, tracked_then = _state(fabric, nats[-1])
    assert counted == counted_then
    assert tracked >= tracked_then  # others may be forgotten meanwhile
    opened.exchange()


def test_peers_hand_over_what_is_on_its_way_and_nothing_that_begins(
    fabric: Fabric, nats: Sequence[Nat]
) -> None:
    """The client of a flow that nobody knows is reset; a new connection leaves no trace."""
    first, last = nats[0], nats[-1]
    for flags, expected in ((SYN, 0), (ACK, 1)):
        before = resets(fabric, last)
        tunnel = _in_tunnel(first, last, _segment(UNKNOWN, flags))
        ends = End(nats[-2].address, handover.PORT), End(last.address, handover.PORT)
        with link_socket(fabric.machines[last.name], last.uplink) as wire:
            hand_over(fabric, last, datagram(*ends, tunnel))
            time.sleep(SOON)
            assert expected == len([seen for seen in passed(wire) if seen.left])
        assert before + expected == resets(fabric, last)


def _segment(port: int, flags: int) -> bytes:
    return Segment(source=End(HOST, port), destination=FAR, flags=flags, acknowledges=5).packet


def _in_tunnel(origin: Nat, to: Nat, packet: bytes) -> bytes:
    """Return what a peer sends to a NAT of a packet that came to another one first (RFC 7348)."""
    number = int(handover.tunnel_of(origin.address).removeprefix("peer-"), 16)
    mac = bytes.fromhex(handover._mac(to.address).replace(":", ""))
    return struct.pack("!BBHL", 8, 0, 0, number << 8) + mac + bytes(6) + b"\x08\x00" + packet


def _state(fabric: Fabric, nat: Nat) -> tuple[str, int]:
    """Return what a NAT has counted, and how many connections it tracks."""
    machine = fabric.machines[nat.name]
    count = machine.read("/proc/sys/net/netfilter/nf_conntrack_count")
    return machine.run("nft", "list", "counters").stdout, int(count)
