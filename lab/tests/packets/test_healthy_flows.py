"""What tells clients of lost flows does no harm to flows that are well."""

from __future__ import annotations

import errno
import socket
import struct
from dataclasses import replace
from threading import Event, Thread
from typing import TYPE_CHECKING, NamedTuple

import pytest

from lab.packets.values import SERVER
from lab.tests.packets.segments import ACK, PSH, RST, SYN, End, Segment, Wire, port_unreachable
from lab.tests.packets.sockets import LIMIT, Flow, flow, listen, receive
from lab.tests.packets.vpc import CIDRS, A, any_vpc, booted, hand_over, resets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.packets.fabric import Fabric

FAR = 50_000_000
"""More than any window."""

LOAD_THE_FILTER = (
    "sed s/SAMPLE/512/ /etc/nat-failover/filter.nft |"
    f" nft --define vpc='{{ {', '.join(CIDRS)} }}' --define uplink={A.uplink}"
    " --file -"
)

PAUSE = 0.002
"""Seconds between two rounds, to leave the machine to others."""

# linux/tcp.h
_TCP_REPAIR, _TCP_REPAIR_QUEUE, _TCP_QUEUE_SEQ = 19, 20, 21
_RECEIVED, _SENT, _OFF = 1, 2, -1


class Numbers(NamedTuple):
    """The next sequence numbers of a client: those it sends and those it expects."""

    sends: int
    expects: int


@pytest.fixture(scope="module")
def fabric() -> Iterator[Fabric]:
    """A VPC with a NAT."""
    with any_vpc() as fabric:
        booted(fabric, A)
        yield fabric


@pytest.fixture
def listener(fabric: Fabric) -> Iterator[socket.socket]:
    """What flows connect to."""
    with listen(fabric.server) as listener:
        yield listener


@pytest.fixture(autouse=True)
def opened(fabric: Fabric, listener: socket.socket) -> Iterator[Flow]:
    """A flow that is well; nothing may be reset while a test lasts."""
    before = resets(fabric, A)
    opened = flow(fabric.hosts["a"], listener)
    opened.exchange()
    yield opened
    opened.close()
    assert before == resets(fabric, A)


@pytest.mark.parametrize(
    ("flags", "ahead", "acknowledged_ahead"),
    [
        (PSH | ACK, -4, 0),
        (PSH | ACK, -FAR, 0),
        (PSH | ACK, FAR, 0),
        (PSH | ACK, 0, FAR),
        (ACK, -1, 0),
        (SYN, -9, 0),
        (SYN, FAR, 0),
        (RST, FAR, 0),
    ],
    ids=[
        "is a duplicate",
        "comes much too late",
        "is far ahead of the window",
        "acknowledges what was never sent",
        "probes whether the server is alive",
        "is its first, again",
        "opens it once more",
        "is a reset out of the window",
    ],
)
def test_flow_goes_on_when_a_segment(
    fabric: Fabric, opened: Flow, flags: int, ahead: int, acknowledged_ahead: int
) -> None:
    """Nobody is reset, and what is sent next arrives."""
    numbers = _numbers(opened.client)
    segment = _segment(
        opened,
        flags,
        sends=numbers.sends + ahead,
        expects=numbers.expects + acknowledged_ahead,
        data=b"" if flags != PSH | ACK else b"word",
    )
    hand_over(fabric, A, segment.packet)
    opened.exchange()


def test_segments_arrive_in_order_when_they_overtake_each_other(
    fabric: Fabric, opened: Flow
) -> None:
    """The later one is not dropped and not reset: the server puts it where it belongs."""
    sends, expects = _numbers(opened.client)
    parts = [
        _segment(opened, PSH | ACK, sends=sends + at, expects=expects, data=data).packet
        for at, data in ((8, b"last"), (4, b"then"), (0, b"word"))
    ]
    hand_over(fabric, A, *parts)
    assert b"wordthenlast" == receive(opened.server, 12)


@pytest.mark.parametrize("ahead", [-FAR, FAR])
def test_segment_out_of_the_window_goes_on_to_where_it_belongs(
    fabric: Fabric, opened: Flow, ahead: int
) -> None:
    """It is not for the NAT to judge: it leaves, translated."""
    sends, expects = _numbers(opened.client)
    segment = _segment(opened, PSH | ACK, sends=sends + ahead, expects=expects, data=b"word")
    with Wire(fabric.machines[A.name], A.uplink) as wire:
        hand_over(fabric, A, segment.packet)
        translated = replace(segment, source=End(A.address, segment.source.port))
        assert [] == wire.before(translated, segment.source.port)


def test_flow_goes_on_when_a_segment_was_damaged(fabric: Fabric, opened: Flow) -> None:
    """To conntrack it is invalid: it is dropped, and its flow is not reset."""
    sends, expects = _numbers(opened.client)
    whole = _segment(opened, PSH | ACK, sends=sends, expects=expects, data=b"word").packet
    hand_over(fabric, A, whole[:-1] + b"!")
    opened.exchange()


def test_client_that_ended_its_side_still_receives(opened: Flow) -> None:
    """A half-closed flow is one that is known."""
    opened.client.shutdown(socket.SHUT_WR)
    assert b"" == opened.server.recv(1)
    opened.server.sendall(b"word")
    assert b"word" == receive(opened.client, 4)


def test_flow_opens_when_both_ends_connect_at_once(fabric: Fabric) -> None:
    """The server's own SYN answers the client's, which the server has never seen."""
    near, far = End("", 21_000), End(SERVER, 21_001)
    fabric.server.rules(f"""
        table ip deaf {{
            chain input {{
                type filter hook input priority filter;
                tcp dport {far.port} tcp flags & (syn | ack) == syn drop
            }}
        }}
    """)
    with _bound(fabric.hosts["a"].socket, near) as client, _bound(fabric.server.socket, far) as end:
        client.settimeout(0)
        assert errno.EINPROGRESS == client.connect_ex(far)
        end.connect((A.public, near.port))
        client.settimeout(LIMIT)
        end.sendall(b"word")
        assert b"word" == receive(client, 4)
        client.sendall(b"back")
        assert b"back" == receive(end, 4)
    fabric.server.run("nft", "delete", "table", "ip", "deaf")


def test_client_hears_of_errors_on_the_way(fabric: Fabric) -> None:
    """What a router on the internet says of a datagram is related to its flow, and passes."""
    with fabric.hosts["a"].socket(socket.SOCK_DGRAM) as client:
        client.settimeout(LIMIT)
        client.connect((SERVER, 9))
        client.send(b"word")
        near, far = End(A.address, client.getsockname()[1]), End(SERVER, 9)
        hand_over(fabric, A, port_unreachable("192.0.2.99", near, far))
        with pytest.raises(ConnectionRefusedError):
            client.recv(1)


@pytest.mark.parametrize(
    ("command", "times"),
    [
        ("/etc/nat-failover/up", 20),
        ("/etc/nat-failover/up filter", 20),
        (LOAD_THE_FILTER, 200),
    ],
    ids=["all", "filter", "filter, without a pause"],
)
def test_nothing_is_lost_when_the_rules_are_loaded_again_and_again(
    fabric: Fabric, opened: Flow, listener: socket.socket, command: str, times: int
) -> None:
    """A flow that never rests goes on, and each of many short ones is opened and served."""
    stop = Event()
    rest = _Busy(stop, opened.exchange)
    churn = _Busy(stop, lambda: _serve_one(fabric, listener))
    loop = f"for ((i = 0; i < {times}; i++)); do {command}; done"
    fabric.machines[A.name].run("bash", "-euc", loop)
    stop.set()
    for busy in (rest, churn):
        busy.join()
        assert busy.error is None
        assert busy.rounds > times


class _Busy(Thread):
    """Does the same until it is stopped or fails."""

    def __init__(self, stop: Event, act: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._until, self._act = stop, act
        self.rounds = 0
        self.error: OSError | None = None
        self.start()

    def run(self) -> None:
        """Count the rounds, and keep the first error."""
        try:
            while not self._until.wait(PAUSE):
                self._act()
                self.rounds += 1
        except OSError as error:
            self.error = error


def _serve_one(fabric: Fabric, listener: socket.socket) -> None:
    short = flow(fabric.hosts["b"], listener)
    short.exchange()
    short.close()


def _bound(make: Callable[[socket.SocketKind], socket.socket], to: End) -> socket.socket:
    made = make(socket.SOCK_STREAM)
    made.settimeout(LIMIT)
    made.bind(to)
    return made


def _segment(opened: Flow, flags: int, *, sends: int, expects: int, data: bytes) -> Segment:
    return Segment(
        source=End(*opened.client.getsockname()),
        destination=End(*opened.client.getpeername()),
        flags=flags,
        sequence=sends,
        acknowledges=expects,
        data=data,
    )


def _numbers(client: socket.socket) -> Numbers:
    """Ask the kernel, which tells who repairs a connection."""
    found = []
    client.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, 1)
    for queue in (_SENT, _RECEIVED):
        client.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR_QUEUE, queue)
        found.append(client.getsockopt(socket.IPPROTO_TCP, _TCP_QUEUE_SEQ, 4))
    client.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, _OFF)
    return Numbers(*(struct.unpack("=I", number)[0] for number in found))
