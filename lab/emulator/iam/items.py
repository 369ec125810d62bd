"""The tables of DynamoDB that a call names, and the partition keys of its items as condition keys.

A call that names no item (Scan) has no `dynamodb:LeadingKeys`: a policy that limits them with
ForAllValues then holds, as it does at AWS. Of the attributes that a call names IAM is told nothing
here. Sources: DynamoDB developer guide, "Using IAM policy conditions for fine-grained access
control"; IAM user guide, "Single-valued vs. multivalued context keys".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.dynamodb.models import dynamodb_backends

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lab.emulator.iam.calls import ApiCall

    Item = Mapping[str, Mapping[str, Any]]

LEADING_KEYS = "dynamodb:LeadingKeys"

_CONDITIONS = ("KeyConditions", "KeyConditionExpression")


def tables(call: ApiCall) -> Iterator[str]:
    """Yield the ARN of each table that a call names."""
    for name in (call.parameters.get("TableName"), *call.parameters.get("RequestItems", {})):
        if name and name.startswith("arn:"):
            yield name
        elif name:
            yield f"arn:aws:dynamodb:{call.region}:{call.account}:table/{name}"


def leading_keys(call: ApiCall) -> tuple[str, ...]:
    """Return the partition keys of the items that a call names, each once.

    Raises:
        ValueError: the call names its items by a condition, which the lab does not read.

    """
    if any(name in call.parameters for name in _CONDITIONS):
        message = f"the lab cannot tell which items {call.name} reads"
        raise ValueError(message)
    return tuple(sorted({_leading(call, table, item) for table, item in _items(call)}))


def _items(call: ApiCall) -> Iterator[tuple[str, Item]]:
    """Yield each item that a call names, with its table: its key, or all of its attributes."""
    yield from ((call.parameters["TableName"], item) for item in _named(call.parameters))
    for table, requests in call.parameters.get("RequestItems", {}).items():
        yield from ((table, item) for item in _named(requests))


def _named(value: Any) -> Iterator[Item]:  # noqa: ANN401 - parameters of any shape
    if isinstance(value, list):
        for row in value:
            yield from _named(row)
        return
    for name, inner in value.items():
        if name in ("Key", "Item"):
            yield inner
        elif name == "Keys":
            yield from inner
        elif name in ("PutRequest", "DeleteRequest"):
            yield from _named(inner)


def _leading(call: ApiCall, table: str, item: Item) -> str:
    known = dynamodb_backends[call.account][call.region].tables.get(table.rsplit("/", 1)[-1])
    name = known.hash_key_attr if known else next(iter(item))
    (value,) = item[name].values() if name in item else ("",)
    return str(value)
