"""What outlives a run of incidents and of how NATs fared: an item written only over what was read.

The condition makes overlapping runs take turns: the one whose write is refused has learned nothing
that the next run will not observe anew. Failing reads and writes are results: nothing that matters
to routing waits for them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from nat_failover.contract import MEMORY_EXPIRES, MEMORY_KEY, Item
from nat_failover.incidents import IncidentState, moment
from nat_failover.model import NatHistory

if TYPE_CHECKING:
    from nat_failover.clients import Memory

LIFE_S = 30 * 86_400
"""How long the item lives after its last write; DynamoDB deletes what nobody needs any more."""

_RENEWAL_S = LIFE_S // 2
"""An item that has less than this left is written again, changed or not."""

FAULTS = (ClientError, BotoCoreError, ResponseParserError, KeyError, TypeError, AttributeError)


class Written(StrEnum):
    """What became of a write."""

    DONE = "done"
    OVERTAKEN = "another run was faster"
    FAILED = "the memory could not be written"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a read found; `version` is the attribute that a write must find unchanged, if any."""

    state: IncidentState
    history: frozenset[NatHistory] = frozenset()
    version: Any = None
    expires: float = 0.0

    def ages(self, now: float) -> bool:
        """Say whether the item should be written again to stay."""
        return self.expires - now < _RENEWAL_S


def read(memory: Memory) -> Remembered | None:
    """Return what is remembered, which may be nothing yet, or None when it cannot be read."""
    try:
        item: dict[str, Any] = memory.client.get_item(
            TableName=memory.table, Key={MEMORY_KEY: {"S": Item.INCIDENTS}}, ConsistentRead=True
        ).get("Item", {})
    except FAULTS:
        return None
    return Remembered(
        state=_state(item),
        history=_history(item),
        version=item.get("version"),
        expires=number(item, MEMORY_EXPIRES) or 0.0,
    )


def _state(item: dict[str, Any]) -> IncidentState:
    """Return the state of an item; one that nobody can read is as good as none."""
    try:
        return IncidentState.from_json(json.loads(item["state"]["S"]))
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError, RecursionError):
        return IncidentState()


def _history(item: dict[str, Any]) -> frozenset[NatHistory]:
    """Return how the NATs fared; what nobody can read is as good as nothing."""
    try:
        rows = json.loads(item["history"]["S"]).items()
        return frozenset(
            NatHistory(
                instance=str(instance),
                usable_since=None if row["usable"] is None else moment(row["usable"]),
                stable_since=None if row.get("stable") is None else moment(row["stable"]),
                sick=tuple(sorted(moment(time) for time in row["sick"])),
            )
            for instance, row in rows
        )
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError, RecursionError):
        return frozenset()


def _text(history: frozenset[NatHistory]) -> str:
    rows = {
        nat.instance: {"usable": nat.usable_since, "stable": nat.stable_since, "sick": nat.sick}
        for nat in sorted(history)
    }
    return json.dumps(rows, separators=(",", ":"), sort_keys=True)


def number(item: dict[str, Any], name: str) -> float | None:
    """Return the number of an attribute; None, if it is not there or is none."""
    try:
        found = float(item[name]["N"])
    except (ValueError, KeyError, TypeError):
        return None
    return found if isfinite(found) else None


def write(
    memory: Memory,
    state: IncidentState,
    history: frozenset[NatHistory],
    found: Remembered,
    now: float,
) -> tuple[Written, Remembered]:
    """Write over what was found; return what became of it and what is there if it is."""
    version = {"N": str(int(number({"version": found.version}, "version") or 0) + 1)}
    condition, values = "attribute_not_exists(version)", {}
    if found.version is not None:
        condition, values = "version = :found", {":found": found.version}
    item: dict[str, Any] = {
        MEMORY_KEY: {"S": Item.INCIDENTS},
        "version": version,
        "state": {"S": json.dumps(state.to_json(), separators=(",", ":"))},
        "history": {"S": _text(history)},
        MEMORY_EXPIRES: {"N": str(int(now + LIFE_S))},
    }
    written = Remembered(state=state, history=history, version=version, expires=now + LIFE_S)
    request: dict[str, Any] = {
        "TableName": memory.table,
        "Item": item,
        "ConditionExpression": condition,
    }
    if values:
        request["ExpressionAttributeValues"] = values
    try:
        memory.client.put_item(**request)
    except ClientError as error:
        overtaken = error.response["Error"]["Code"] == "ConditionalCheckFailedException"
        return Written.OVERTAKEN if overtaken else Written.FAILED, found
    except FAULTS:
        return Written.FAILED, found
    return Written.DONE, written
