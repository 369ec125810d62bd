"""What tables led to before they were taken over, and which ones are on standby, in the memory.

What nobody can read of a table counts as nothing, and is not written over: such a table is not
taken over.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nat_failover.contract import MEMORY_ENDING, MEMORY_KEY, MEMORY_STANDBYS, Item
from nat_failover.incidents import moment
from nat_failover.memory import FAULTS
from nat_failover.model import Standby, Takeover

if TYPE_CHECKING:
    from nat_failover.clients import Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTakeovers:
    """What the item says; `ending` is whether the stack is being deleted."""

    takeovers: frozenset[Takeover] = frozenset()
    standbys: frozenset[Standby] = frozenset()
    ending: bool = False


def read_takeovers(memory: Memory) -> StoredTakeovers | None:
    """Return what is stored, which may be nothing yet, or None when it cannot be read."""
    try:
        item: dict[str, Any] = memory.client.get_item(
            TableName=memory.table, Key={MEMORY_KEY: {"S": Item.TAKEOVERS}}, ConsistentRead=True
        ).get("Item", {})
        ending = item.get(MEMORY_ENDING, {}).get("BOOL") is True
        read = (_takeover(name, item[name]) for name in item.keys() - _OTHERS)
        stored = map(_standby, item.get(MEMORY_STANDBYS, {}).get("SS", ()))
        return StoredTakeovers(
            takeovers=frozenset(each for each in read if each),
            standbys=frozenset(each for each in stored if each),
            ending=ending,
        )
    except FAULTS:
        return None


_OTHERS = frozenset({MEMORY_KEY, MEMORY_ENDING, MEMORY_STANDBYS})


def _standby(text: str) -> Standby | None:
    try:
        row = json.loads(text)
        read = Standby(
            table=str(row["table"]), gateway=str(row["gateway"]), written=moment(row["written"])
        )
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return read


def _takeover(table: str, value: Any) -> Takeover | None:  # noqa: ANN401 - of DynamoDB
    try:
        row = json.loads(value["S"])
        read = Takeover(
            table=table,
            target=str(row["target"]),
            times=int(row["times"]),
            done=bool(row["done"]),
            written=moment(row["written"]),
        )
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return read
