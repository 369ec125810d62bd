"""What holds for values of several sections."""

from __future__ import annotations


def each_once(items: tuple[str, ...]) -> tuple[str, ...]:
    """Return the items; raise where one is there twice, in whatever letters."""
    seen = [item.casefold() for item in items]
    for item in items:
        if seen.count(item.casefold()) > 1:
            message = f"{item!r} is there twice: name each once"
            raise ValueError(message)
    return items
