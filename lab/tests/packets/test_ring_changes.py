"""Flows that are handed over while another NAT comes into the ring and leaves it, by turns."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cdk_nat_failover.instances import watch
from lab.tests.packets.sockets import flow, listen
from lab.tests.packets.vpc import HOSTS, A, B, any_vpc, booted, lead, resets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.packets.fabric import Fabric
    from lab.packets.values import Nat

SECONDS = 3.0
"""So long does a flow go on: dozens of changes, each of a few hundredths of a second."""

# Two NATs live; the third address of the ring is nobody's.
_CHANGING = """
import sys
from itertools import cycle
from watch.handover import HandOver
from watch.said import Peer
me, *others = sys.argv[1:]
ring = [Peer(*pair.split("=")) for pair in others]
told, living = HandOver(), [peer for peer in ring[:2] if peer.instance != me]
for members in cycle((ring[:2], ring)):
    told.apply(living, members, me)
    print("told", flush=True)
"""


@contextmanager
def changing(fabric: Fabric, nat: Nat) -> Iterator[None]:
    """Let a NAT be told of another ring all the time, as from when it knows the first."""
    process = fabric.machines[nat.name].start(
        *("env", f"PYTHONPATH={Path(watch.__file__).parents[1]}"),
        *(sys.executable, "-B", "-c", _CHANGING, nat.name),
        *(f"{one.name}={one.address}" for one in (A, B)),
        "nat-c=10.0.0.6",
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "told\n"
        yield
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def test_ring_that_changes_breaks_no_flow_that_is_handed_over() -> None:
    """The NAT that its table moved to, and the one that knows it, both learn of another ring."""
    with any_vpc() as fabric, listen(fabric.server) as listener:
        for nat in (A, B):
            booted(fabric, nat)
        lead(fabric, B)
        opened = flow(fabric.hosts[HOSTS[0].name], listener)
        with changing(fabric, A), changing(fabric, B):
            before = resets(fabric, A)
            lead(fabric, A)
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                opened.exchange()
            assert before == resets(fabric, A)
        opened.close()
