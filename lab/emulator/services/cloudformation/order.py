"""What a template's resources refer to, and the order in which CloudFormation makes them.

It deletes them in the reverse order.
"""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SUBSTITUTED = re.compile(r"\$\{([^!][^}]*)\}")


def creation_order(resources: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the logical ids so that each comes after all that it refers to or depends on."""
    return list(TopologicalSorter(dependencies(resources)).static_order())


def dependencies(resources: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return which of the resources each of them refers to or depends on."""
    return {
        name: sorted(
            ({to for to, _ in references(body)} | set(_depends_on(body)))
            & (resources.keys() - {name})
        )
        for name, body in resources.items()
    }


def references(node: object) -> Iterator[tuple[str, str]]:
    """Yield what a part of a template refers to: the logical id, and the attribute if it is one."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _reference(key, value)
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def _depends_on(body: Mapping[str, Any]) -> list[str]:
    value = body.get("DependsOn", [])
    return [value] if isinstance(value, str) else list(value)


def _reference(key: str, value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    if key == "Ref" and isinstance(value, str):
        yield value, ""
    elif key == "Fn::GetAtt":
        name, attribute = value.split(".", 1) if isinstance(value, str) else value
        yield str(name), str(attribute)
    elif key == "Fn::Sub":
        text = value if isinstance(value, str) else str(value[0])
        for found in _SUBSTITUTED.findall(text):
            name, _, attribute = found.partition(".")
            yield name, attribute
