"""The newest claim of each NAT: one item of the memory, an attribute for each NAT.

Messages come late, twice and out of order, so a claim replaces only an older one. One attribute
beside those of NATs says when the group was last told that a NAT is unhealthy. What nobody can read
counts for nothing; failing reads and writes are results.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from nat_failover.claim_messages import ClaimError, ClaimMessage
from nat_failover.contract import MEMORY_KEY, MEMORY_REPLACED, Item
from nat_failover.memory import FAULTS, number
from nat_failover.model import Accusation, Claim

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nat_failover.clients import Memory

RESTART_S = 600
"""After this a claim is replaced by any other: its NAT counts anew after a restart."""

_MOST_FORGOTTEN = 100
"""Attributes that one write removes; the next run removes more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredClaims:
    """What the item says: the claims in it, and the names of all its attributes of NATs."""

    claims: frozenset[Claim] = frozenset()
    names: frozenset[str] = frozenset()
    replaced: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What became of storing claims: what is there then, if that is known, and what failed."""

    found: StoredClaims | None
    error: str | None = None


def read_claims(memory: Memory) -> StoredClaims | None:
    """Return what is stored, which may be nothing yet, or None when it cannot be read."""
    try:
        answer = memory.client.get_item(TableName=memory.table, Key=_KEY, ConsistentRead=True)
        return _stored(answer.get("Item", {}))
    except FAULTS:
        return None


def store_claims(memory: Memory, claims: Iterable[ClaimMessage], now: float) -> Stored:
    """Store each claim that is newer than what is there, and return what is there then."""
    item: dict[str, Any] | None = None
    error: str | None = None
    for claim in sorted(claims):
        try:
            item = _store(memory, claim, now)
        except FAULTS as fault:
            error = f"a claim was not stored: {type(fault).__name__}: {fault}"
    found = _stored(item) if item is not None and error is None else read_claims(memory)
    return Stored(found=found, error=error)


def forget_claims(memory: Memory, names: Iterable[str]) -> str | None:
    """Remove what is stored under names; return what failed, if it did."""
    few = dict(enumerate(islice(sorted(names), _MOST_FORGOTTEN)))
    try:
        memory.client.update_item(
            TableName=memory.table,
            Key=_KEY,
            UpdateExpression=f"REMOVE {', '.join(f'#n{number}' for number in few)}",
            ExpressionAttributeNames={f"#n{number}": name for number, name in few.items()},
        )
    except FAULTS as fault:
        return f"old claims were not removed: {type(fault).__name__}: {fault}"
    return None


_KEY: Any = {MEMORY_KEY: {"S": Item.CLAIMS}}


def _store(memory: Memory, claim: ClaimMessage, now: float) -> dict[str, Any]:
    """Store one claim; return the item with it, or as it is if it has a newer one.

    A refusal brings the item along (DynamoDB API reference, UpdateItem).
    """
    said = {
        "M": {
            "sequence": {"N": str(claim.sequence)},
            "received": {"N": repr(now)},
            "said": {"S": claim.to_json()},
        }
    }
    try:
        answer = memory.client.update_item(
            TableName=memory.table,
            Key=_KEY,
            UpdateExpression="SET #nat = :said",
            ConditionExpression=(
                "attribute_not_exists(#nat.#sequence) OR #nat.#sequence < :sequence"
                " OR #nat.#received < :restart"
            ),
            ExpressionAttributeNames={
                "#nat": claim.instance,
                "#sequence": "sequence",
                "#received": "received",
            },
            ExpressionAttributeValues={
                ":said": said,
                ":sequence": {"N": str(claim.sequence)},
                ":restart": {"N": repr(now - RESTART_S)},
            },
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        item: dict[str, Any] = error.response["Item"]  # type: ignore[typeddict-item]  # of this one
        return item
    return dict(answer["Attributes"])


def _stored(item: dict[str, Any]) -> StoredClaims:
    names = frozenset(item) - {MEMORY_KEY, MEMORY_REPLACED}
    claims = (_claim(name, item[name]) for name in names)
    return StoredClaims(
        claims=frozenset(claim for claim in claims if claim),
        names=names,
        replaced=number(item, MEMORY_REPLACED),
    )


def _claim(name: str, value: Any) -> Claim | None:  # noqa: ANN401 - of DynamoDB
    """Return the claim of an attribute; what nobody can read is none."""
    try:
        received = number(value["M"], "received")
        said = ClaimMessage.from_json(value["M"]["said"]["S"])
    except (ClaimError, KeyError, TypeError):
        return None
    if received is None or said.instance != name:
        return None
    return Claim(
        instance=name,
        received=received,
        ailment=said.ailment,
        silent=frozenset(Accusation(peer=peer, began=received - age) for peer, age in said.silent),
        ill=frozenset(peer for peer, _ in said.ill),
        ring=said.ring,
        flows=said.flows,
    )
