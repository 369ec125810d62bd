"""The loop between two NATs, over loopback, with what they ask of others played."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from cdk_nat_failover.instances.watch.loop import Loop
from cdk_nat_failover.instances.watch.said import Peer, Ring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

A, B = "127.0.14.1", "127.0.14.2"
RING = Ring((Peer("a", A), Peer("b", B)), 1)


@dataclass
class _Nat:
    """A NAT whose loop runs in a thread until it is stopped."""

    me: str
    address: str
    said: list[dict[str, object]] = field(default_factory=list)
    handed: list[tuple[str, ...]] = field(default_factory=list)
    refuse: bool = False
    stopped: bool = False

    def __post_init__(self) -> None:
        self.loop = Loop(
            self.me,
            (),
            publish=self._publish,
            read_ring=lambda: RING,
            hand_over=self._hand_over,
            address=self.address,
        )
        self.thread = Thread(target=self._run, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """End the loop, as a signal does."""
        self.stopped = True
        self.thread.join()

    def _run(self) -> None:
        step = self.loop.step

        def step_or_end() -> None:
            if self.stopped:
                raise SystemExit
            step()

        self.loop.step = step_or_end  # type: ignore[method-assign] # a signal, in a thread
        with contextlib.suppress(SystemExit):
            self.loop.run()

    def _publish(self, message: str) -> None:
        if self.refuse:
            raise OSError(message)
        self.said.append(json.loads(message))

    def _hand_over(self, successors: Sequence[Peer], _members: object, _me: str) -> None:
        self.handed.append(tuple(peer.instance for peer in successors))


@pytest.fixture
def nats() -> Iterator[tuple[_Nat, _Nat]]:
    """Two NATs that hear each other."""
    pair = (_Nat("a", A), _Nat("b", B))
    assert _soon(lambda: all(nat.handed and nat.handed[-1] for nat in pair))
    yield pair
    for nat in pair:
        nat.stop()
        nat.loop._socket.close()


def _soon(happens: Callable[[], object], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while not happens() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(happens())


def test_peers_hear_each_other_and_claim_that_they_are_well(nats: tuple[_Nat, _Nat]) -> None:
    """With the ring that they read."""
    assert _soon(lambda: all(nat.said and nat.said[-1]["ring"] == 1 for nat in nats))
    assert [None, None] == [nat.said[-1]["ailment"] for nat in nats]
    assert [("b",), ("a",)] == [nat.handed[-1] for nat in nats]


def test_farewell_ends_the_hand_over_and_is_no_accusation(nats: tuple[_Nat, _Nat]) -> None:
    """The peer of a NAT that was told to stop knows at once."""
    one, other = nats
    other.stop()
    assert _soon(lambda: one.handed[-1] == (), seconds=2)
    time.sleep(3)
    assert {} == one.said[-1]["silent"]


def test_claim_is_sent_again_until_it_is_taken(nats: tuple[_Nat, _Nat]) -> None:
    """An accusation that the topic did not take comes when it does, with its age."""
    one, other = nats
    one.refuse = True
    other.loop._socket.close()
    assert _soon(lambda: one.handed[-1] == ())
    time.sleep(1.5)
    one.refuse = False
    assert _soon(lambda: one.said and one.said[-1]["silent"])


def test_what_is_no_heartbeat_stops_nothing(nats: tuple[_Nat, _Nat]) -> None:
    """Anything can come in."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for datagram in (b"", b"x", b"{}", b"\xff" * 9000):
            sender.sendto(datagram, (A, 4788))
    time.sleep(3)
    assert ("b",) == nats[0].handed[-1]


def test_what_was_done_beside_the_loop_does_not_pile_up(nats: tuple[_Nat, _Nat]) -> None:
    """A watch runs for months, and has something done every second."""
    one = nats[0]
    handed = len(one.handed)
    assert _soon(lambda: one.said and len(one.handed) > handed + 2)
    beside = (one.loop._hand_over, one.loop._publish)
    assert _soon(lambda: all(each._done.empty() for each in beside), seconds=2)
