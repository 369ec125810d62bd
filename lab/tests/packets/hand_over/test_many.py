"""Thousands of flows of all kinds, while their tables move: none is broken."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from lab.packets.values import SERVER
from lab.tests.packets.hand_over import parallel
from lab.tests.packets.hand_over.hand_overs import handed_over
from lab.tests.packets.vpc import lead, resets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.packets.fabric import Fabric
    from lab.packets.namespaces import Namespace
    from lab.packets.values import Nat

MANY = {"idle": 2990, "kept": 1000, "chatty": 1000, "bulk": 10}
SOME = {"chatty": 100, "bulk": 5}
SERVED = 2.5
"""Seconds between moves: in each, the chatty ones and keep-alive are heard twice."""


@pytest.fixture(autouse=True)
def _server(fabric: Fabric) -> Iterator[None]:
    with _started(fabric.server, "serve", said="ready"):
        yield


def test_flows_of_all_kinds_go_on_when_their_table_moves_back_and_forth(
    fabric: Fabric, nats: Sequence[Nat]
) -> None:
    """What idled all the while, here and there, is carried in the end."""
    assert 5000 == sum(MANY.values())
    before = [resets(fabric, nat) for nat in nats]
    lead(fabric, nats[-1])
    with _carried(fabric.hosts["a"], MANY) as flows:
        for nat in (nats[0], nats[-1], nats[0]):
            lead(fabric, nat)
            time.sleep(SERVED)
        _all_whole(flows, more_than=5000 + MANY["chatty"])
    assert before == [resets(fabric, nat) for nat in nats]


def test_two_nats_hand_over_to_each_other_at_once(fabric: Fabric, nats: Sequence[Nat]) -> None:
    """The tables of two hosts changed places: each NAT has what is the other's."""
    first, last = nats[0], nats[-1]
    handed_before = [handed_over(fabric, nat) for nat in nats]
    lead(fabric, last, instead={"b": first})
    with (
        _carried(fabric.hosts["a"], SOME) as ones,
        _carried(fabric.hosts["b"], SOME) as others,
    ):
        lead(fabric, first, instead={"b": last})
        time.sleep(SERVED)
        for flows in (ones, others):
            _all_whole(flows, more_than=sum(SOME.values()))
    for nat, before in zip(nats, handed_before, strict=True):
        assert handed_over(fabric, nat) > before + 1000


@contextmanager
def _carried(host: Namespace, counts: dict[str, int]) -> Iterator[subprocess.Popen[str]]:
    """Give the process that carries flows of these kinds, once they are open."""
    arguments = ("carry", SERVER, *(f"{kind}={count}" for kind, count in counts.items()))
    with _started(host, *arguments, said="open") as process:
        yield process


@contextmanager
def _started(namespace: Namespace, *arguments: str, said: str) -> Iterator[subprocess.Popen[str]]:
    process = namespace.start(
        *(sys.executable, parallel.__file__, *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        try:
            assert process.stdout is not None
            assert f"{said}\n" == process.stdout.readline()
            yield process
        finally:
            process.kill()


def _all_whole(flows: subprocess.Popen[str], *, more_than: int) -> None:
    """End flows: none is broken, and so many words came back."""
    said, _ = flows.communicate(timeout=2 * parallel.LIMIT)
    ended = json.loads(said)
    assert [] == ended["broken"]
    assert more_than < ended["words"]
