"""What a stack has: each of its resources with what it was last made from."""
# ruff: noqa: SLF001 - moto gives no other access to its state

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.cloudformation.parsing import clean_json

from lab.emulator.side_tables import SideTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moto.cloudformation.models import Stack


@dataclass(frozen=True, slots=True)
class Applied:
    """A resource, its body in the template, and its properties with every reference resolved."""

    resource: Any
    body: Mapping[str, Any]
    properties: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Return the resource type."""
        return str(self.body["Type"])

    @property
    def physical_id(self) -> str:
        """Return the physical id, or nothing while there is none."""
        return str(getattr(self.resource, "physical_resource_id", None) or "")


_LEDGERS: SideTable[Stack, dict[str, Applied]] = SideTable(dict)


def ledger(stack: Stack) -> dict[str, Applied]:
    """Return what a stack has, by logical id; what is changed in it is the stack's."""
    return _LEDGERS[stack]


def resolved(body: Mapping[str, Any], values: Any) -> dict[str, Any]:  # noqa: ANN401 - a resource map of moto
    """Return a resource's properties, all that they refer to being made already."""
    properties: dict[str, Any] = clean_json(copy.deepcopy(body.get("Properties", {})), values)
    return properties


def made(stack: Stack) -> list[Any]:
    """Return the resources that a stack has now; asking moto's map would create what is missing."""
    return [applied.resource for applied in ledger(stack).values()]


def stand(stack: Stack, name: str, applied: Applied) -> None:
    """Let a resource stand for a logical id, also where others refer to it."""
    applied.resource.cf_resource_type = applied.kind
    applied.resource.logical_resource_id = name
    ledger(stack)[name] = applied
    stack.resource_map._parsed_resources[name] = applied.resource


def leave(stack: Stack, name: str) -> None:
    """Let nothing stand for a logical id any more."""
    ledger(stack).pop(name, None)
    stack.resource_map._parsed_resources.pop(name, None)
