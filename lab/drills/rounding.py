"""Times as they are printed: no more digits than say something."""

from __future__ import annotations

from typing import Any


def rounded(value: Any, digits: int) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value with its fractions rounded to so many digits."""
    if isinstance(value, dict):
        return {key: rounded(inner, digits) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(inner, digits) for inner in value]
    return round(value, digits) if isinstance(value, float) else value
