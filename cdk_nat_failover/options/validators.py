"""What holds for values of several sections."""

from __future__ import annotations


def id_of(kind: str) -> str:
    """Return the pattern of an EC2 id: 8 or 17 hexadecimal digits ("Resource IDs", EC2 guide)."""
    return rf"{kind}-(?:[0-9a-f]{{8}}|[0-9a-f]{{17}})"


def each_once(items: tuple[str, ...]) -> tuple[str, ...]:
    """Return the items; raise where one is there twice, in whatever letters."""
    seen = [item.casefold() for item in items]
    for item in items:
        if seen.count(item.casefold()) > 1:
            message = f"{item!r} is there twice: name each once"
            raise ValueError(message)
    return items
