"""Flows whose table moved while their NAT lives: it goes on translating them, by the hand-over."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from itertools import count
from typing import TYPE_CHECKING

import pytest

from lab.packets.values import SERVER
from lab.tests.packets.hand_over.hand_overs import HOST, SOON, C, HandOvers, moved, passed
from lab.tests.packets.segments import (
    ACK,
    FIN,
    RST,
    End,
    Segment,
    link_socket,
)
from lab.tests.packets.sockets import Flow, flow, listen, receive
from lab.tests.packets.traffic import eventually
from lab.tests.packets.vpc import A, B, hand_over, lead, resets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.packets.fabric import Fabric
    from lab.packets.values import Nat

FORGOTTEN = 5.5
"""Seconds after which nobody is the next any more, if nobody says so."""

_PORTS = count(30_000)
INTERNET = End(SERVER, 80)


def test_chatty_flow_goes_on_when_its_table_moves_and_moves_back(
    fabric: Fabric, nats: Sequence[Nat], opened: Flow
) -> None:
    """It leaves from the address that it had, whichever NAT its table leads to."""
    for nat in (*nats, *reversed(nats)):
        lead(fabric, nat)
        opened.exchange()
    assert nats[-1].public == opened.source


def test_download_and_upload_go_on_in_order_when_their_table_moved(opened: Flow) -> None:
    """More than what fits into the windows of TCP, each way, at full size of a segment."""
    sent = bytes(range(256)) * 1000
    for one, other in ((opened.client, opened.server), (opened.server, opened.client)):
        one.sendall(sent)
        assert sent == receive(other, len(sent))


def test_keep_alive_is_answered_when_the_table_moved(opened: Flow) -> None:
    """The kernel's probes are answered, so the client hears of nothing."""
    for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT):
        opened.client.setsockopt(socket.IPPROTO_TCP, option, 1)
    opened.client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    opened.client.settimeout(FORGOTTEN)
    with pytest.raises(TimeoutError):
        opened.client.recv(1)
    opened.exchange()


@pytest.mark.parametrize("side", ["client", "server"])
def test_other_side_learns_of_the_end_when_one_closes_after_the_move(
    opened: Flow, side: str
) -> None:
    """The first that follows the move is a FIN, which conntrack calls invalid."""
    one, other = (opened.client, opened.server)[:: 1 if side == "client" else -1]
    one.shutdown(socket.SHUT_WR)
    assert b"" == other.recv(1)
    other.sendall(b"last")
    assert b"last" == receive(one, 4)


def test_server_learns_of_a_reset_by_the_client_after_the_move(opened: Flow) -> None:
    """The first that follows the move is an RST, which conntrack calls invalid."""
    linger = (1).to_bytes(4, "little") + bytes(4)
    opened.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    opened.client.close()
    with pytest.raises(ConnectionResetError):
        opened.server.recv(1)


def test_new_connection_goes_through_the_new_nat(
    fabric: Fabric, nats: Sequence[Nat], opened: Flow
) -> None:
    """What begins is never handed over."""
    with listen(fabric.server, 5001) as listener:
        again = flow(fabric.hosts["a"], listener)
    assert (nats[-1].public, nats[0].public) == (opened.source, again.source)
    again.exchange()
    again.close()


@pytest.mark.parametrize(("flags", "expected"), [(ACK, 1), (FIN | ACK, 0), (RST, 0)])
def test_client_is_reset_once_when_nobody_knows_its_flow(
    fabric: Fabric, nats: Sequence[Nat], flags: int, expected: int
) -> None:
    """By the last before the first; what ends a flow is dropped. Nothing leaves with its source."""
    before = sum(resets(fabric, nat) for nat in nats)
    lead(fabric, nats[0])
    assert HOST not in _unknown(fabric, nats, flags)
    eventually(lambda: before + expected <= sum(resets(fabric, nat) for nat in nats))
    assert before + expected == sum(resets(fabric, nat) for nat in nats)


def test_client_is_reset_once_when_nats_take_each_other_for_dead(fabric: Fabric) -> None:
    """Whatever each believes, a packet goes forward in the ring only: it never goes around."""
    before = sum(resets(fabric, nat) for nat in (A, B, C))
    with HandOvers(fabric, (A, B, C)) as handed:
        handed.live(B, told=[A])
        handed.live(C, told=[B])
        handed.live(B, told=[C])
        _unknown(fabric, (A, B, C), ACK)
        eventually(lambda: before < sum(resets(fabric, nat) for nat in (A, B, C)))
    assert before + 1 == sum(resets(fabric, nat) for nat in (A, B, C))


def test_client_is_reset_at_once_when_the_next_nat_is_known_to_be_dead(fabric: Fabric) -> None:
    """The map is empty then, and the reset follows by itself."""
    with (
        HandOvers(fabric, (A, B)) as handed,
        listen(fabric.server) as listener,
        moved(fabric, listener, (A, B)) as opened,
    ):
        handed.live(A)
        _is_reset(opened)


def test_client_is_reset_when_the_watches_are_dead(fabric: Fabric) -> None:
    """What nobody says again is forgotten after five seconds."""
    with (
        HandOvers(fabric, (A, B)) as handed,
        listen(fabric.server) as listener,
        moved(fabric, listener, (A, B)) as opened,
    ):
        opened.exchange()
        handed.stop()
        time.sleep(FORGOTTEN)
        _is_reset(opened)


def test_flow_goes_on_when_the_filter_is_loaded_anew(
    fabric: Fabric, nats: Sequence[Nat], opened: Flow
) -> None:
    """A live change disturbs no flow that is handed over."""
    for nat in nats:
        fabric.machines[nat.name].run("/etc/nat-failover/up", "filter")
        opened.exchange()


def _unknown(fabric: Fabric, nats: Sequence[Nat], flags: int) -> Sequence[str]:
    """Let the first NAT have a segment that nobody knows; return the sources of what left."""
    source = End(HOST, next(_PORTS))
    tried = Segment(source=source, destination=INTERNET, flags=flags, acknowledges=5)
    with ExitStack() as stack:
        wires = [
            stack.enter_context(link_socket(fabric.machines[nat.name], nat.uplink)) for nat in nats
        ]
        hand_over(fabric, nats[0], tried.packet)
        time.sleep(SOON)
        return [seen.source for wire in wires for seen in passed(wire) if seen.left]


def _is_reset(opened: Flow) -> None:
    opened.client.sendall(b"question")
    with pytest.raises(ConnectionResetError):
        opened.client.recv(1)
