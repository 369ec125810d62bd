"""The ring of NATs as it stands in the memory, where the watch on each NAT reads it.

A reading that nobody can make sense of has no members, so that the ring is written anew over it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nat_failover.contract import MEMORY_KEY, Item
from nat_failover.memory import FAULTS, number
from nat_failover.model import UNREADABLE, Peer, Ring

if TYPE_CHECKING:
    from nat_failover.clients import Memory

_MOST = 2**53


def read_ring(memory: Memory) -> Ring | None:
    """Return what is stored, which may be nothing yet, or None when it cannot be read."""
    try:
        answer: dict[str, Any] = memory.client.get_item(
            TableName=memory.table, Key={MEMORY_KEY: {"S": Item.PEERS}}, ConsistentRead=True
        ).get("Item", {})
    except FAULTS:
        return None
    version = number(answer, "version")
    if "version" in answer and (version is None or version != int(_within(version))):
        return Ring(version=UNREADABLE)
    return Ring(
        members=_members(answer),
        version=int(_within(version)),
        written=_within(number(answer, "written")),
    )


def _members(item: dict[str, Any]) -> tuple[Peer, ...]:
    try:
        rows = json.loads(item["ring"]["S"])
        return tuple(
            Peer(instance=row["instance"], address=row["address"], state=row["state"])
            for row in rows
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()


def _within(found: float | None) -> float:
    return found if found is not None and 0 <= found <= _MOST else 0.0
