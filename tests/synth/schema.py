"""Whether CloudFormation's schema, as cfn-lint ships it, says which values a property may have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cfnlint.schema import (  # type: ignore[import-untyped] # it ships no types
    PROVIDER_SCHEMA_MANAGER,
    ResourceNotFoundError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    Schema = dict[str, Any]

REGION = "us-east-1"


def says_which(kind: str, path: tuple[str, ...]) -> bool:
    """Return whether the schema of a type says which values the property at a path may have.

    A text by its characters (a length alone lets every one of them pass), a number from both sides.
    """
    try:
        root = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    except ResourceNotFoundError:
        return False
    nodes = list(_readings(root, root))
    for part in path:
        nodes = [child for node in nodes for child in _children(root, node, part)]
    return any(_is_precise(node) for node in nodes)


def _is_precise(node: Schema) -> bool:
    between = "minimum" in node and "maximum" in node
    return "pattern" in node or "enum" in node or node.get("type") == "boolean" or between


def _children(root: Schema, node: Schema, part: str) -> Iterator[Schema]:
    inner = node.get("items") if part == "*" else node.get("properties", {}).get(part)
    if inner:
        yield from _readings(root, inner)


def _readings(root: Schema, node: Schema) -> Iterator[Schema]:
    """Yield a node without its reference, and those that it consists of."""
    node = _resolved(root, node)
    yield node
    for key in ("allOf", "anyOf", "oneOf"):
        for part in node.get(key, []):
            yield from _readings(root, part)


def _resolved(root: Schema, node: Schema) -> Schema:
    while "$ref" in node:
        node = {**_at(root, node["$ref"]), **{k: v for k, v in node.items() if k != "$ref"}}
    return node


def _at(root: Schema, reference: str) -> Schema:
    found: Schema = root
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found
