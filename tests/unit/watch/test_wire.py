"""How what NATs say looks on its way, and what is not of this form."""

from __future__ import annotations

import json

import pytest

from cdk_nat_failover.instances.watch.said import Claim, Heartbeat, Peer, Ring
from cdk_nat_failover.instances.watch.wire import (
    LONGEST,
    claim_to_text,
    heartbeat_from_bytes,
    heartbeat_to_bytes,
    ring_from_text,
)

WHOLE = {
    "instance": "i-a",
    "sequence": 1,
    "ailment": None,
    "silent": ["i-b"],
    "ring": 7,
    "bye": False,
}


@pytest.mark.parametrize(
    "heartbeat",
    [
        Heartbeat("i-a", 1),
        Heartbeat("i-a", 2, ailment="egress", silent=("i-b", "i-c"), ring=7, bye=True),
    ],
)
def test_heartbeat_is_read_as_it_was_written(heartbeat: Heartbeat) -> None:
    """One NAT writes it, another reads it."""
    assert heartbeat == heartbeat_from_bytes(heartbeat_to_bytes(heartbeat))


def test_heartbeat_of_a_newer_version_is_read() -> None:
    """It may say more: NATs are replaced one by one."""
    more = json.dumps({**WHOLE, "more": 1}).encode()
    assert heartbeat_from_bytes(more) == Heartbeat("i-a", 1, silent=("i-b",), ring=7)


@pytest.mark.parametrize(
    "wrong",
    [
        {"instance": None},
        {"sequence": "1"},
        {"ailment": "cold"},
        {"ailment": []},
        {"silent": None},
        {"silent": [1]},
        {"ring": "7"},
        {"instance": "i" * LONGEST},
    ],
)
def test_what_is_no_heartbeat_is_none(wrong: dict[str, object]) -> None:
    """Whatever a peer has become."""
    assert heartbeat_from_bytes(json.dumps({**WHOLE, **wrong}).encode()) is None


@pytest.mark.parametrize("datagram", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_none(datagram: bytes) -> None:
    """It comes from the network."""
    assert heartbeat_from_bytes(datagram) is None


def test_claim_has_the_ages_that_it_has_when_it_is_sent() -> None:
    """It may be sent again and again until somebody takes it."""
    claim = Claim("i-a", silent={"i-b": 10.0}, ill={"i-c": "egress"}, ring=7, flows=12)
    assert json.loads(claim_to_text(claim, 13.14)) == {
        "Claim": 1,
        "instance": "i-a",
        "sequence": 13140,
        "ailment": None,
        "silent": {"i-b": 3.1},
        "ill": {"i-c": "egress"},
        "ring": 7,
        "flows": 12,
    }


def test_ring_is_read_in_its_order() -> None:
    """By instance id, whatever the order in the item."""
    text = json.dumps(
        [{"instance": name, "address": "10.0.0.4", "state": "usable"} for name in ("i-b", "i-a")]
    )
    peers = tuple(Peer(name, "10.0.0.4", "usable") for name in ("i-a", "i-b"))
    assert Ring(peers, 7) == ring_from_text(text, 7)


@pytest.mark.parametrize("text", ["", "{}", "1", "[1]", '[{"instance": "i-a"}]'])
def test_what_is_no_ring_is_none(text: str) -> None:
    """The last one stands."""
    assert ring_from_text(text, 7) is None
