"""A flow whose default route moves to another NAT: its client learns at its next segment.

The server is behind a stateful firewall, which says nothing to segments of flows that it does not
know.
"""

from __future__ import annotations

import socket
from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from lab.tests.packets.network import masquerade
from lab.tests.packets.sockets import Flow, flow, listen, receive
from lab.tests.packets.vpc import A, B, any_vpc, booted, lead, resets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.packets.fabric import Fabric

PATIENCE = 3.0
"""Seconds in which a client hears nothing where it is not told: a fraction of what TCP waits."""

PLAIN_A, PLAIN_B = (
    replace(A, name="plain-a", address="10.0.0.14", public="203.0.113.14"),
    replace(A, name="plain-b", address="10.0.0.15", public="203.0.113.15"),
)


@pytest.fixture(scope="module")
def fabric() -> Iterator[Fabric]:
    """A VPC with two NATs as they boot, and two with a plain masquerade rule and defaults."""
    with any_vpc() as fabric:
        for nat in (A, B):
            booted(fabric, nat)
        for nat in (PLAIN_A, PLAIN_B):
            masquerade(fabric.launch(nat))
        yield fabric


@pytest.fixture
def listener(fabric: Fabric) -> Iterator[socket.socket]:
    """What flows connect to."""
    with listen(fabric.server) as listener:
        yield listener


@pytest.fixture
def opened(fabric: Fabric, listener: socket.socket) -> Iterator[Flow]:
    """A flow that went well through one NAT, before the route moved to the other."""
    lead(fabric, A)
    opened = flow(fabric.hosts["a"], listener)
    opened.exchange()
    lead(fabric, B)
    yield opened
    opened.close()


def _ask(client: socket.socket) -> None:
    client.sendall(b"question")
    client.recv(1)


def _be_idle_but_for_keep_alive(client: socket.socket) -> None:
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    client.recv(1)


def _upload(client: socket.socket) -> None:
    for _ in range(10_000):
        client.sendall(bytes(100_000))


@pytest.mark.parametrize("go_on", [_ask, _be_idle_but_for_keep_alive, _upload])
def test_client_is_reset_at_its_next_segment_when_its_route_moved(
    fabric: Fabric, opened: Flow, go_on: Callable[[socket.socket], None]
) -> None:
    """A question, a probe of keep-alive, or more of an upload; the NAT counts what it told."""
    before = resets(fabric, B)
    with pytest.raises(ConnectionResetError):
        go_on(opened.client)
    assert before < resets(fabric, B)


def test_one_segment_is_enough_for_the_client_to_learn(fabric: Fabric, opened: Flow) -> None:
    """The first answer is a reset: nothing was sent again, so no timeout of TCP passed."""
    before = resets(fabric, B)
    with pytest.raises(ConnectionResetError):
        _ask(opened.client)
    assert before + 1 == resets(fabric, B)


def test_upload_under_way_is_reset_when_its_route_moves(
    fabric: Fabric, listener: socket.socket
) -> None:
    """The server has taken some of it before, and takes no more."""
    lead(fabric, A)
    opened = flow(fabric.hosts["a"], listener)
    started = Thread(target=receive, args=(opened.server, 1_000_000))
    started.start()
    opened.client.sendall(bytes(1_000_000))
    started.join()
    lead(fabric, B)
    with pytest.raises(ConnectionResetError):
        _upload(opened.client)
    opened.close()


def test_client_connects_again_through_the_other_nat(
    fabric: Fabric, opened: Flow, listener: socket.socket
) -> None:
    """After its reset, at once, with the other NAT's address."""
    with pytest.raises(ConnectionResetError):
        _ask(opened.client)
    again = flow(fabric.hosts["a"], listener)
    assert (A.public, B.public) == (opened.source, again.source)
    again.exchange()
    again.close()


def test_client_is_reset_too_when_its_route_moves_back(
    fabric: Fabric, listener: socket.socket
) -> None:
    """The first NAT knows nothing of what went through the second."""
    lead(fabric, B)
    opened = flow(fabric.hosts["a"], listener)
    opened.exchange()
    lead(fabric, A)
    before = resets(fabric, A)
    with pytest.raises(ConnectionResetError):
        _ask(opened.client)
    assert before + 1 == resets(fabric, A)
    opened.close()


def test_flow_goes_on_when_its_route_moved_away_and_back_while_it_was_idle(
    fabric: Fabric, opened: Flow
) -> None:
    """Its NAT still knows it."""
    lead(fabric, A)
    opened.exchange()


def test_download_is_reset_when_its_route_moves_and_the_old_nat_lives(opened: Flow) -> None:
    """The acknowledgement of the next data is the client's next segment."""
    opened.server.sendall(b"more")
    assert b"more" == receive(opened.client, 4)
    with pytest.raises(ConnectionResetError):
        opened.client.recv(1)


def test_client_that_only_receives_learns_nothing_when_its_nat_is_dead(
    fabric: Fabric, opened: Flow
) -> None:
    """It sends nothing that could be answered: only a timeout of its own tells it."""
    lead(fabric, B, silent=[A])
    opened.server.sendall(b"more")
    opened.client.settimeout(PATIENCE / 3)
    with pytest.raises(TimeoutError):
        opened.client.recv(1)


def test_client_hears_nothing_when_nats_masquerade_and_no_more(
    fabric: Fabric, listener: socket.socket
) -> None:
    """The same client, in the same place, with a plain rule and Linux's defaults."""
    lead(fabric, PLAIN_A)
    opened = flow(fabric.hosts["a"], listener)
    opened.exchange()
    lead(fabric, PLAIN_B)
    opened.client.settimeout(PATIENCE)
    with pytest.raises(TimeoutError):
        _ask(opened.client)
    opened.close()
