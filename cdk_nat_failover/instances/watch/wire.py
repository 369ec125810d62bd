"""How what NATs say looks on its way: JSON. What is not of this form is nothing.

A heartbeat is a datagram, a claim is a message to the failover topic, the ring is an attribute of
an item.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .said import EGRESS, FORWARDING, Heartbeat, Peer, Ring

if TYPE_CHECKING:
    from .said import Claim

FORMAT = 1
"""The version of a claim's form, under the key by which the function knows it."""

MOST_PEERS = 100
"""In a ring: more than a group may have."""

LONGEST = 4096
"""Bytes of a heartbeat: of 100 silent peers it has 2 500."""

_FIELDS = ("instance", "sequence", "ailment", "silent", "ring", "bye")
_NUMBER_OR_NONE = (int, type(None))


def heartbeat_to_bytes(heartbeat: Heartbeat) -> bytes:
    """Return the datagram."""
    return json.dumps(vars(heartbeat)).encode()


def heartbeat_from_bytes(datagram: bytes) -> Heartbeat | None:
    """Return the heartbeat; None, if it is none."""
    try:
        said = json.loads(datagram)
        said["silent"] = tuple(said["silent"])
        heartbeat = Heartbeat(*(said[name] for name in _FIELDS))
        whole = (
            all(isinstance(name, str) for name in (heartbeat.instance, *heartbeat.silent))
            and isinstance(heartbeat.sequence, int)
            and heartbeat.ailment in {None, EGRESS, FORWARDING}
            and isinstance(heartbeat.ring, _NUMBER_OR_NONE)
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return heartbeat if whole and len(datagram) <= LONGEST else None


def claim_to_text(claim: Claim, now: float) -> str:
    """Return the message, with the ages that it has now; the sequence is the time, so it grows."""
    ages = {name: round(max(now - since, 0.0), 1) for name, since in claim.silent.items()}
    said = {"Claim": FORMAT, **vars(claim), "sequence": int(now * 1000), "silent": ages}
    return json.dumps(said)


def ring_from_text(text: str, version: int) -> Ring | None:
    """Return the ring as the function wrote it; None, if this is none."""
    try:
        members = [
            Peer(str(each["instance"]), str(each["address"]), str(each["state"]))
            for each in json.loads(text)[:MOST_PEERS]
        ]
    except (ValueError, TypeError, KeyError):
        return None
    return Ring(tuple(sorted(members, key=lambda peer: peer.instance)), version)
