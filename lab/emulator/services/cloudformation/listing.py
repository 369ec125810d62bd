"""How DescribeChangeSet lists a change (CloudFormation API reference, ResourceChange)."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lab.emulator.services.cloudformation.ledger import Applied

    Row = dict[str, Any]

_ATTRIBUTES = (
    "CreationPolicy",
    "DeletionPolicy",
    "Metadata",
    "UpdatePolicy",
    "UpdateReplacePolicy",
)
"""Those of ResourceTargetDefinition. That a change of nothing but a deletion policy is one was not
so in 2023 (aws-cloudformation/cloudformation-coverage-roadmap, issue 1543), and is since: an
account answered so in September 2026 (ministackorg/ministack, pull request 1646)."""
_VALUES = ("Path", "BeforeValue", "AfterValue", "AttributeChangeType")


def addition(name: str, body: Mapping[str, Any], new: Mapping[str, Any]) -> Row:
    """Return the row of a resource that is to be created."""
    after = {"AfterContext": _context(new)}
    return {"Action": "Add", "LogicalResourceId": name, "ResourceType": body["Type"], **after}


def removal(name: str, applied: Applied) -> Row:
    """Return the row of a resource that is to be deleted."""
    return {
        "Action": "Remove",
        **_identity(name, applied),
        "PolicyAction": _policy(applied.body, "DeletionPolicy", "Delete", "Retain"),
        "BeforeContext": _context(applied.properties),
    }


def modification(
    name: str,
    applied: Applied,
    new: Mapping[str, Any],
    replaces: str,
    details: Sequence[Mapping[str, Any]],
) -> Row:
    """Return the row of a resource that is to be changed or replaced."""
    policy = _policy(applied.body, "UpdateReplacePolicy", "ReplaceAndDelete", "ReplaceAndRetain")
    return {
        "Action": "Modify",
        **_identity(name, applied),
        "Replacement": replaces,
        **({"PolicyAction": policy} if replaces == "True" else {}),
        "Scope": list(dict.fromkeys(row["Target"]["Attribute"] for row in details)),
        "Details": list(details),
        "BeforeContext": _context(applied.properties),
        "AfterContext": _context(new),
    }


def replacement(details: Sequence[Mapping[str, Any]]) -> str:
    """Return whether a resource with these changes is replaced: True, Conditional or False."""
    recreating = [row for row in details if row["Target"]["RequiresRecreation"] == "Always"]
    if any(row["Evaluation"] == "Static" for row in recreating):
        return "True"
    asks = any(row["Target"]["RequiresRecreation"] == "Conditionally" for row in details)
    return "Conditional" if recreating or asks else "False"


def attribute_details(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the changes of what a resource has besides its properties."""
    for name in _ATTRIBUTES:
        if before.get(name) != after.get(name):
            yield {
                "Target": {"Attribute": name, "RequiresRecreation": "Never"},
                "Evaluation": "Static",
                "ChangeSource": "DirectModification",
            }


def values_of(name: str, before: object, after: object) -> Row:
    """Return what a change's target says of its values."""
    found = {"BeforeValue": before, "AfterValue": after}
    values = {key: _text(value) for key, value in found.items() if value is not None}
    kind = "Modify" if len(values) == len(found) else "Remove" if after is None else "Add"
    return {"Path": f"/Properties/{name}", "AttributeChangeType": kind, **values}


def without_values(row: Row) -> Row:
    """Return a row as it is listed when nobody asks for property values."""
    shown = copy.deepcopy(row)
    for name in ("BeforeContext", "AfterContext"):
        shown.pop(name, None)
    for detail in shown.get("Details", []):
        for name in _VALUES:
            detail["Target"].pop(name, None)
    return shown


def _identity(name: str, applied: Applied) -> Row:
    return {
        "LogicalResourceId": name,
        "PhysicalResourceId": applied.physical_id,
        "ResourceType": applied.kind,
    }


def _policy(body: Mapping[str, Any], name: str, usual: str, retaining: str) -> str:
    return retaining if str(body.get(name, "")).startswith("Retain") else usual


def _context(properties: Mapping[str, Any]) -> str:
    return json.dumps({"Properties": properties}, default=str)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
