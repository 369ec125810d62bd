"""The values of a template: what is written in it, and what a deployment would put for the rest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws-us-gov",
    "AWS::Region": "ap-southeast-2",
    "AWS::URLSuffix": "amazonaws.com",
}
"""Values as long as they get."""

ID = "any-0123456789abcdef0"
"""What stands for a reference within a text, as long as EC2's ids are."""

UUID = "01234567-89ab-cdef-0123-456789abcdef"
"""What stands for a part of an ARN."""


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401 - JSON
    """Yield what is written, with its path; mere references are left out."""
    if isinstance(value, dict):
        if len(value) == 1 and (name := next(iter(value))) in ("Ref", "Condition"):
            return
        if len(value) == 1 and name.startswith("Fn::"):
            if name in ("Fn::Join", "Fn::Sub"):
                yield path, value
            elif name == "Fn::Base64":
                yield (*path, name), value[name]
            return
        for key, part in value.items():
            yield from leaves(part, (*path, key))
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part, (*path, "*"))
    else:
        yield path, value


def resolve(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a value as a deployment would; None for what only a deployment can tell."""
    if isinstance(value, list):
        return [resolve(part) for part in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (name := next(iter(value))) in ("Ref", "Fn::Join", "Fn::Sub"):
        return _text(name, value[name])
    if len(value) == 1 and name.startswith("Fn::") and name != "Fn::Base64":
        return None
    return {key: resolve(part) for key, part in value.items()}


def _text(name: str, inner: Any) -> str | None:  # noqa: ANN401 - JSON
    if name == "Ref":
        return _PSEUDO.get(inner)
    if name == "Fn::Sub":
        return re.sub(r"\$\{([\w:]+)\}", lambda found: _PSEUDO.get(found[1], ID), inner)
    separator, texts = inner
    return str(separator).join(resolve(text) or _stand_in(text) for text in texts)


def _stand_in(reference: Any) -> str:  # noqa: ANN401 - JSON
    return UUID if "Fn::Select" in reference else ID
