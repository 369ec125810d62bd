"""JSON Merge Patch (RFC 7396): what turns one JSON object into another one, as JSON.

A key that is gone is null, so an object that holds null has no difference to it.
"""

from __future__ import annotations

from typing import Any


def difference(base: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return the merge patch that turns `base` into `other`."""
    patch: dict[str, Any] = {key: None for key in base if key not in other}
    for key, value in other.items():
        if key not in base:
            patch[key] = value
        elif isinstance(value, dict) and isinstance(base[key], dict):
            if inner := difference(base[key], value):
                patch[key] = inner
        elif value != base[key]:
            patch[key] = value
    return patch


def merged(base: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Return `base` as a merge patch turns it."""
    result = {key: value for key, value in base.items() if patch.get(key, value) is not None}
    for key, value in patch.items():
        if isinstance(value, dict):
            inner = base.get(key)
            result[key] = merged(inner if isinstance(inner, dict) else {}, value)
        elif value is not None:
            result[key] = value
    return result
