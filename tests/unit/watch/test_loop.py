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

from cdk_nat_failover.instances.watch import egress, kernel, loop
from cdk_nat_failover.instances.watch.loop import Loop
from cdk_nat_failover.instances.watch.said import Peer, Ring
from tests.unit.watch.netlink import DONE, REFUSED, flow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.unit.watch.netlink import Netlink
    from tests.unit.watch.programs import Programs

    Answers = Callable[..., Netlink]
    Start = Callable[..., "_Nat"]

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
    mute: bool = False
    targets: tuple[str, ...] = ()
    ring: Ring = RING

    def __post_init__(self) -> None:
        self.loop = Loop(
            self.me,
            self.targets,
            publish=self._publish,
            read_ring=lambda: self.ring,
            hand_over=self._hand_over,
            address=self.address,
        )
        self.thread = Thread(target=self._run, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """End the loop, as a signal does."""
        self.stopped = True
        self.thread.join()
        self.loop._socket.close()

    def hang(self) -> None:
        """End the loop without a farewell."""
        self.mute = True
        self.stop()

    def _run(self) -> None:
        step = self.loop.step

        def step_or_end() -> None:
            if self.mute:
                self.loop._socket.close()
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


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Return how a NAT is started that is alone in its ring, and looks often at its kernel."""
    monkeypatch.setattr(loop, "CHECK_S", 0.2)
    started: list[_Nat] = []

    def start(state: str = "usable", targets: tuple[str, ...] = ()) -> _Nat:
        started.append(_Nat("a", A, targets=targets, ring=Ring((Peer("a", A, state),), 1)))
        return started[-1]

    yield start
    for nat in started:
        nat.stop()


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
    other.hang()
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


def test_reached_target_is_a_way_out_and_a_lost_one_is_claimed(
    alone: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address is that of the target's name; three attempts in a row tell."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setattr(egress, "PORT", listener.getsockname()[1])
        nat = alone(targets=("localhost",))
        assert _soon(lambda: nat.said and nat.said[-1]["ailment"] is None)
        listener.accept()[0].close()
        listener.settimeout(10)
        listener.accept()[0].close()
    assert _soon(lambda: nat.said[-1]["ailment"] == "egress")


def test_nat_whose_rules_are_gone_claims_it_until_they_are_back(
    alone: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programs: Programs
) -> None:
    """Whether they are is seen at the next look."""
    loaded = tmp_path / "loaded"
    loaded.write_text("any rules\nany rules\n")
    for name, path in (("_LOADED", loaded), ("_FORWARD", tmp_path / "switch")):
        monkeypatch.setattr(kernel, name, str(path))
    (tmp_path / "switch").write_text("1\n")
    programs.make("nft")
    nat = alone()
    assert _soon(lambda: nat.said and nat.said[-1]["ailment"] == "forwarding")
    programs.make("nft", "echo any rules")
    assert _soon(lambda: nat.said[-1]["ailment"] is None)


def test_nat_that_leaves_claims_how_many_flows_it_carries(alone: Start, answers: Answers) -> None:
    """By the kernel's word; its own are none of them."""
    answers(flow("10.0.1.7") + flow("10.0.1.8") + flow(A), DONE)
    nat = alone(state="leaving")
    assert _soon(lambda: nat.said and nat.said[-1]["flows"] == 2)


def test_nat_that_leaves_says_nothing_of_flows_when_the_kernel_refuses(
    alone: Start, answers: Answers
) -> None:
    """No count is not the count of none."""
    answers(REFUSED)
    nat = alone(state="leaving")
    assert _soon(lambda: nat.said and nat.said[-1]["ring"] == 1)
    time.sleep(1)
    assert nat.said[-1]["flows"] is None


def test_what_was_done_beside_the_loop_does_not_pile_up(nats: tuple[_Nat, _Nat]) -> None:
    """A watch runs for months, and has something done every second."""
    one = nats[0]
    handed = len(one.handed)
    assert _soon(lambda: one.said and len(one.handed) > handed + 2)
    beside = (one.loop._hand_over, one.loop._publish)
    assert _soon(lambda: all(each._done.empty() for each in beside), seconds=2)
