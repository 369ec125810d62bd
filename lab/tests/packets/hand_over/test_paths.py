"""The ways that packets of a handed-over flow take, and errors that are said of them."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from lab.packets.fabric import HOST_INTERFACE
from lab.packets.values import SERVER
from lab.tests.packets.hand_over.hand_overs import HOST, SOON, passed
from lab.tests.packets.segments import (
    ACK,
    PARAMETER_PROBLEM,
    TIME_EXCEEDED,
    UNREACHABLE,
    End,
    Segment,
    fragmentation_needed,
    icmp_error,
    link_socket,
)
from lab.tests.packets.sockets import Flow, receive
from lab.tests.packets.traffic import eventually
from lab.tests.packets.vpc import hand_over, lead

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lab.packets.fabric import Fabric
    from lab.packets.namespaces import Namespace
    from lab.packets.values import Nat
    from lab.tests.packets.hand_over.hand_overs import Passed

ROUTER = "192.0.2.99"
"""Any on the internet."""

SENT = bytes(range(256)) * 100
MTU = 14  # linux/in.h: IP_MTU


def test_answers_come_back_by_the_nat_that_knows_the_flow_alone(
    fabric: Fabric, nats: Sequence[Nat], opened: Flow
) -> None:
    """Requests come to the NAT that the table leads to; paths there and back are two."""
    first, *_, last = took = _seen_at(_uplinks(fabric, nats), opened.exchange)
    for packets in took:
        assert (SERVER in _sources(packets, left=False)) is (packets is last)
        assert (HOST in _sources(packets, left=False)) is (packets is first)
        assert HOST not in _sources(packets, left=True)


def test_client_hears_of_a_smaller_path_beyond_the_nat_that_knows_the_flow(
    fabric: Fabric, nats: Sequence[Nat], opened: Flow
) -> None:
    """A router on the internet says it to the NAT, as the gateway has translated it."""
    fabric.hosts["a"].run("ip", "route", "flush", "cache")
    packets = _seen_at(_uplinks(fabric, nats[-1:]), opened.exchange)[0]
    last_sent = [seen.packet for seen in packets if seen.left and _is_tcp_from(seen, nats[-1])][-1]
    hand_over(fabric, nats[-1], fragmentation_needed(ROUTER, last_sent, 1300))
    eventually(lambda: opened.client.getsockopt(socket.IPPROTO_IP, MTU) == 1300)
    opened.client.sendall(SENT)
    assert receive(opened.server, len(SENT)) == SENT


@pytest.mark.parametrize("kind", [UNREACHABLE, TIME_EXCEEDED, PARAMETER_PROBLEM])
def test_errors_of_the_client_leave_by_the_nat_that_knows_the_flow(
    fabric: Fabric, nats: Sequence[Nat], opened: Flow, kind: int
) -> None:
    """They say of an answer that it was sent to that NAT, as the server believes."""
    host = fabric.hosts["a"]
    answers = _seen_at([(host, HOST_INTERFACE)], opened.exchange)[0]
    quoted = [seen.packet for seen in answers if seen.source == SERVER][-1]
    (error,) = _errors_leaving(fabric, nats, icmp_error(kind, 1, 0, quoted))
    assert nats[-1].address == error.source
    assert socket.inet_aton(nats[-1].address) == error.packet[28 + 16 : 28 + 20]


def test_errors_of_flows_that_nobody_knows_do_not_leave(
    fabric: Fabric, nats: Sequence[Nat]
) -> None:
    """They could not be translated."""
    lead(fabric, nats[0])
    unknown = Segment(source=End(SERVER, 80), destination=End(HOST, 29_999), flags=ACK)
    assert [] == _errors_leaving(fabric, nats, icmp_error(UNREACHABLE, 1, 0, unknown.packet))


def _errors_leaving(fabric: Fabric, nats: Sequence[Nat], error: bytes) -> Sequence[Passed]:
    """Let the first host say an error to the server; return the errors that NATs send then."""
    with fabric.hosts["a"].socket(socket.SOCK_RAW, socket.IPPROTO_ICMP) as speaker:
        seen = _seen_at(_uplinks(fabric, nats), lambda: speaker.sendto(error, (SERVER, 0)))
    return [one for packets in seen for one in packets if one.left and one.protocol == 1]


def _seen_at(
    interfaces: Sequence[tuple[Namespace, str]], happens: Callable[[], object]
) -> Sequence[Sequence[Passed]]:
    """Return what each interface sends and takes while something happens, and soon after."""
    with ExitStack() as stack:
        wires = [stack.enter_context(link_socket(*interface)) for interface in interfaces]
        happens()
        time.sleep(SOON)
        return [list(passed(wire)) for wire in wires]


def _uplinks(fabric: Fabric, nats: Sequence[Nat]) -> Sequence[tuple[Namespace, str]]:
    return [(fabric.machines[nat.name], nat.uplink) for nat in nats]


def _sources(packets: Sequence[Passed], *, left: bool) -> set[str]:
    return {seen.source for seen in packets if seen.left is left}


def _is_tcp_from(seen: Passed, nat: Nat) -> bool:
    return seen.source == nat.address and seen.protocol == socket.IPPROTO_TCP
