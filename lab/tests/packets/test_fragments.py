"""Pieces of datagrams: one host cannot take the kernel's room for putting them together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from lab.packets.values import SERVER
from lab.tests.packets.segments import SYN, End, Segment, Wire, fragment
from lab.tests.packets.vpc import HOSTS, A, any_vpc, booted, hand_over

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.packets.fabric import Fabric

FLOOD = 20_000
PIECES = 2  # a datagram leaves in pieces of the size in which it came
HOST, OTHER = HOSTS[0].address, HOSTS[1].address


@pytest.fixture
def fabric() -> Iterator[Fabric]:
    """A VPC with a NAT."""
    with any_vpc() as fabric:
        booted(fabric, A)
        yield fabric


def test_datagram_in_pieces_leaves_when_another_host_sends_pieces_that_nothing_follows(
    fabric: Fabric,
) -> None:
    """With Linux's settings they take all room, and others lose their pieces for half a minute."""
    hand_over(fabric, A, *(_piece(HOST, number, more=True) for number in range(FLOOD)))
    assert PIECES == len(_leaving(fabric, _whole(OTHER, 7)))


def test_host_loses_its_own_pieces_when_it_sends_too_many_and_gets_through_soon_after(
    fabric: Fabric,
) -> None:
    """A thousand at once and a thousand a second are let through."""
    hand_over(fabric, A, *(_piece(HOST, number, more=True) for number in range(FLOOD)))
    assert [] == _leaving(fabric, [])
    time.sleep(0.1)
    assert PIECES == len(_leaving(fabric, _whole(HOST, FLOOD + 7)))


def _whole(source: str, identity: int) -> Sequence[bytes]:
    return [_piece(source, identity, more=True), _piece(source, identity, more=False)]


def _piece(source: str, identity: int, *, more: bool) -> bytes:
    at, content = (0, _HEAD) if more else (len(_HEAD), bytes(8))
    return fragment(source, SERVER, identity=identity, at=at, more=more, content=content)


_HEAD = bytes((0x9C, 0x40, 0, 53, 0, 24, 0, 0)) + bytes(8)
"""Of a datagram from port 40 000 to port 53, of 24 bytes."""


def _leaving(fabric: Fabric, packets: Sequence[bytes]) -> Sequence[object]:
    """Return the datagrams that the NAT sends when it gets these packets."""
    port = int(time.monotonic_ns() % 50_000) + 1024
    last = Segment(source=End(OTHER, port), destination=End(SERVER, 80), flags=SYN)
    gone = Segment(source=End(A.address, port), destination=End(SERVER, 80), flags=SYN)
    with Wire(fabric.machines[A.name], A.uplink) as wire:
        hand_over(fabric, A, *packets, last.packet)
        return wire.before(gone, 0)
