"""What tells NATs who of them lives, as each one's watch would, with the hand-over's own file."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cdk_nat_failover.instances import watch
from lab.packets.with_block import WithBlock
from lab.tests.packets.segments import IPV4
from lab.tests.packets.sockets import flow
from lab.tests.packets.vpc import HOSTS, A, counted, lead

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import ExitStack

    from lab.packets.fabric import Fabric
    from lab.packets.values import Nat
    from lab.tests.packets.sockets import Flow

C = replace(A, name="nat-c", address="10.0.0.6", public="203.0.113.6")
HOST = HOSTS[0].address
SOON = 2.0
"""Seconds in which a segment went wherever it goes, on a machine that is busy too: a neighbour that
does not answer at once is asked again after one."""

# A line names the NATs that live; the same is said again each half second until the next line.
_TELLING = """
import os, select, sys
from watch.handover import HandOver
from watch.said import Peer
os.nice(-10)  # as the unit of the watch says
me, *ring = sys.argv[1:]
members = tuple(Peer(*pair.split("=")) for pair in ring)
at = [peer.instance for peer in members].index(me)
after, living, told = members[at + 1 :] + members[:at], None, HandOver()
while True:
    if select.select([sys.stdin], [], [], 0.5)[0]:
        living = sys.stdin.readline().split()
    if living is not None:
        told.apply([peer for peer in after if peer.instance in living], members, me)
        print("told", flush=True)
"""


class HandOvers(WithBlock):
    """NATs that hand flows over to each other, in the order in which they are given."""

    def __init__(self, fabric: Fabric, nats: Sequence[Nat]) -> None:
        super().__init__()
        self._fabric, self._nats = fabric, nats
        self._processes: dict[str, subprocess.Popen[str]] = {}

    def _begin(self, stack: ExitStack) -> None:
        ring = [f"{nat.name}={nat.address}" for nat in self._nats]
        for nat in self._nats:
            process = self._fabric.machines[nat.name].start(
                *("env", f"PYTHONPATH={Path(watch.__file__).parents[1]}"),
                *(sys.executable, "-B", "-c", _TELLING, nat.name, *ring),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            self._processes[nat.name] = process
            stack.callback(process.wait)
            stack.callback(process.kill)
        self.live(*self._nats)

    def live(self, *living: Nat, told: Sequence[Nat] | None = None) -> None:
        """Tell NATs, all by default, which of them live; they know it afterwards."""
        for nat in told if told is not None else self._nats:
            process = self._processes[nat.name]
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(" ".join(one.name for one in living) + "\n")
            process.stdin.flush()
            for _ in range(2):  # one of them may have been said before
                if (said := process.stdout.readline()) != "told\n":
                    message = f"the hand-over of {nat.name} said: {said or 'why it ended, above'}"
                    raise RuntimeError(message)

    def stop(self) -> None:
        """Say nothing more, as watches that are dead."""
        for process in self._processes.values():
            process.kill()


@contextmanager
def moved(fabric: Fabric, listener: socket.socket, nats: Sequence[Nat]) -> Iterator[Flow]:
    """Give a flow through the last of these NATs, whose table has moved to the first."""
    lead(fabric, nats[-1])
    opened = flow(fabric.hosts["a"], listener)
    opened.exchange()
    lead(fabric, nats[0])
    yield opened
    opened.close()


def handed_over(fabric: Fabric, nat: Nat) -> int:
    """Return how many packets a NAT has handed over."""
    return counted(fabric, nat, "peers", "handed_over")


class Passed(NamedTuple):
    """A packet that an interface sent or took."""

    left: bool
    packet: bytes

    @property
    def source(self) -> str:
        """Return the address that it is from."""
        return socket.inet_ntoa(self.packet[12:16])

    @property
    def protocol(self) -> int:
        """Return what it carries."""
        return self.packet[9]


def passed(wire: socket.socket) -> Iterator[Passed]:
    """Yield what an interface, which a link socket listens to, sent and took so far."""
    wire.setblocking(False)  # noqa: FBT003 - of sockets
    with suppress(BlockingIOError):
        while True:
            packet, (_, protocol, direction, *_) = wire.recvfrom(65535)
            if protocol == IPV4:
                yield Passed(direction == socket.PACKET_OUTGOING, packet)
