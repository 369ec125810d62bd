"""How what NATs say looks on its way: JSON. What is not of this form is nothing.

A heartbeat is a datagram, a claim is a message to the failover topic, the ring is an attribute of
an item.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .said import EGRESS, FORWARDING, Heartbeat, Peer, Ring

if TYPE_CHECKING:
    from .said import Claim

FORMAT = 1
"""The version of a claim's form, under the key by which the function knows it."""

MOST_PEERS = 100
"""In a ring, a claim or a heartbeat: more than a group may have."""

LONGEST = 4096
"""Bytes of a heartbeat: of 100 silent peers it has 2 500."""

_AILMENTS = (None, EGRESS, FORWARDING)


def heartbeat_to_bytes(heartbeat: Heartbeat) -> bytes:
    """Return the datagram."""
    return _compact(
        {
            "instance": heartbeat.instance,
            "sequence": heartbeat.sequence,
            "ailment": heartbeat.ailment,
            "silent": list(heartbeat.silent),
            "ring": heartbeat.ring,
            "bye": heartbeat.bye,
        }
    ).encode()


def heartbeat_from_bytes(datagram: bytes) -> Heartbeat | None:
    """Return the heartbeat; None, if it is none."""
    said = _object(datagram)
    if said is None or len(datagram) > LONGEST:
        return None
    heartbeat = Heartbeat(
        instance=said.get("instance"),  # type: ignore[arg-type] # the next line looks
        sequence=said.get("sequence"),  # type: ignore[arg-type] # the next line looks
        ailment=said.get("ailment"),
        silent=_names(said.get("silent")),
        ring=said.get("ring"),
        bye=said.get("bye") is True,
    )
    whole = isinstance(heartbeat.instance, str) and _is_int(heartbeat.sequence)
    right = heartbeat.ailment in _AILMENTS and (heartbeat.ring is None or _is_int(heartbeat.ring))
    return heartbeat if whole and right else None


def claim_to_text(claim: Claim, now: float) -> str:
    """Return the message, with the ages that it has now; the sequence is the time, so it grows."""
    silent = list(claim.silent.items())[:MOST_PEERS]
    return _compact(
        {
            "Claim": FORMAT,
            "instance": claim.instance,
            "sequence": int(now * 1000),
            "ailment": claim.ailment,
            "silent": {name: round(max(now - since, 0.0), 1) for name, since in silent},
            "ill": dict(list(claim.ill.items())[:MOST_PEERS]),
            "ring": claim.ring,
            "flows": claim.flows,
        }
    )


def ring_from_text(text: str, version: int) -> Ring | None:
    """Return the ring as the function wrote it; None, if this is none."""
    try:
        members = tuple(_peer(each) for each in json.loads(text)[:MOST_PEERS])
    except (ValueError, TypeError, KeyError):
        return None
    return Ring(members=tuple(sorted(members, key=lambda peer: peer.instance)), version=version)


def _peer(said: dict[str, Any]) -> Peer:
    values = (said["instance"], said["address"], said["state"])
    if not all(isinstance(value, str) for value in values):
        raise TypeError(values)
    return Peer(*values)


def _compact(value: dict[str, object]) -> str:
    return json.dumps(value, separators=(",", ":"))


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(name for name in value[:MOST_PEERS] if isinstance(name, str))


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
