"""Which changes of properties replace a resource: the resource schemas of CloudFormation say it.

cfn-lint ships them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    Properties = Mapping[str, Any]

_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Schema:
    """What a type says of its properties, each a path such as ("DnsOptions", "DnsRecordIpType")."""

    create_only: tuple[tuple[str, ...], ...] = ()
    conditionally_create_only: tuple[tuple[str, ...], ...] = ()
    identifier: tuple[tuple[str, ...], ...] = ()
    deletes_first: bool = False

    def recreates(self, old: Properties, new: Properties) -> frozenset[str]:
        """Return the changed properties that cannot be changed in place."""
        return frozenset(path[0] for path in self.create_only if _at(old, path) != _at(new, path))

    def may_recreate(self, name: str) -> bool:
        """Return whether it depends on more than the template if a property can be changed."""
        return any(path[0] == name for path in self.conditionally_create_only)

    def keeps_its_name(self, old: Properties, new: Properties) -> bool:
        """Return whether the template gives the resource its name, and the same as before."""
        named = [_at(new, path) for path in self.identifier]
        return bool(named) and None not in named and named == [_at(old, p) for p in self.identifier]


@cache
def schema(kind: str) -> Schema:
    """Return the schema of a resource type; that of a type without one says nothing."""
    from cfnlint.schema import (  # type: ignore[import-untyped]  # noqa: PLC0415 - slow to load
        PROVIDER_SCHEMA_MANAGER,
        ResourceNotFoundError,
    )

    try:
        known = PROVIDER_SCHEMA_MANAGER.get_resource_schema(_REGION, kind).schema
    except ResourceNotFoundError:
        return Schema()
    return Schema(
        create_only=_paths(known, "createOnlyProperties"),
        conditionally_create_only=_paths(known, "conditionalCreateOnlyProperties"),
        identifier=_paths(known, "primaryIdentifier"),
        deletes_first=known.get("replacementStrategy") == "delete_then_create",
    )


def changed(old: Properties, new: Properties) -> frozenset[str]:
    """Return the names of the properties that differ."""
    return frozenset(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def _paths(known: Mapping[str, Any], key: str) -> tuple[tuple[str, ...], ...]:
    pointers: list[str] = known.get(key) or []
    return tuple(tuple(pointer.split("/")[2:]) for pointer in pointers)


def _at(properties: Properties, path: tuple[str, ...]) -> object:
    value: object = properties
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value
