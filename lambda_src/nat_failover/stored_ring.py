"""The ring of NATs as it stands in the memory, where the watch on each NAT reads it.

A reading that nobody can make sense of has no members, so that the ring is written anew over it.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING, Any

from nat_failover.contract import MEMORY_KEY, Item
from nat_failover.memory import FAULTS
from nat_failover.model import Peer, Ring

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
    return Ring(
        members=_members(answer),
        version=int(_number(answer, "version")),
        written=_number(answer, "written"),
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


def _number(item: dict[str, Any], name: str) -> float:
    try:
        number = float(item[name]["N"])
    except (ValueError, KeyError, TypeError):
        return 0.0
    return number if isfinite(number) and 0 <= number <= _MOST else 0.0
