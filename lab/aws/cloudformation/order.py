"""The order in which CloudFormation creates resources; it deletes in the reverse."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SUBSTITUTED = re.compile(r"\$\{([^!][^.}]*)")


def creation_order(resources: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the logical ids so that each comes after all that it refers to or depends on."""
    graph = {
        name: sorted(
            (set(_references(body)) | set(_depends_on(body))) & (resources.keys() - {name})
        )
        for name, body in resources.items()
    }
    return list(TopologicalSorter(graph).static_order())


def _depends_on(body: Mapping[str, Any]) -> list[str]:
    value = body.get("DependsOn", [])
    return [value] if isinstance(value, str) else list(value)


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _reference(key, value)
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _reference(key: str, value: object) -> Iterator[str]:
    if key == "Ref" and isinstance(value, str):
        yield value
    elif key == "Fn::GetAtt":
        yield str(value).split(".")[0] if isinstance(value, str) else str(value[0])  # type: ignore[index]
    elif key == "Fn::Sub":
        text = value if isinstance(value, str) else str(value[0])  # type: ignore[index]
        yield from _SUBSTITUTED.findall(text)
