"""The whole table, and what it says of the properties of a resource or the parameters of a call."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_constraints import (
    autoscaling,
    cloudformation,
    cloudwatch,
    dynamodb,
    ec2,
    events,
    functions,
    iam,
    messaging,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_constraints.rows import Row

TABLE: tuple[Row, ...] = (
    *autoscaling.ROWS,
    *cloudformation.ROWS,
    *cloudwatch.ROWS,
    *dynamodb.ROWS,
    *ec2.ROWS,
    *events.ROWS,
    *functions.ROWS,
    *iam.ROWS,
    *messaging.ROWS,
)
"""Every row."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A value that breaks a row, with its path."""

    path: str
    value: object
    row: Row

    def __str__(self) -> str:
        reason = self.row.rule.breach(self.value)
        return f"{self.path} is {self.value!r}, which {reason} ({self.row.source})"

    @property
    def says(self) -> str:
        """What AWS says."""
        return self.row.says(self.path, self.value)


def breaches(kind: str, properties: object) -> list[Breach]:
    """Return what breaks a row in the properties of a resource or the parameters of a call."""
    return [
        Breach("/".join(path), value, row)
        for path, value in _values((kind_of(kind),), properties)
        for row in rows_for(path)
        if value is not None and row.rule.breach(value)
    ]


def covers(path: tuple[str, ...]) -> bool:
    """Return whether a row speaks of the value at a path, which begins with the kind."""
    if rows_for(path):
        return True
    above = (path[:length] for length in range(1, len(path)))
    return any(row.rule.covers_parts for parent in above for row in rows_for(parent))


@cache
def rows_for(path: tuple[str, ...]) -> tuple[Row, ...]:
    """Return the rows that speak of the value at a path, which begins with the kind."""
    rows = [row for place, row in _by_kind().get(path[0], ()) if _fits(place, path[1:])]
    return tuple(rows)


def kind_of(kind: str) -> str:
    """Return the kind whose rows apply: all custom resources have one."""
    custom = kind.startswith("Custom::")
    return "AWS::CloudFormation::CustomResource" if custom else kind


@cache
def _by_kind() -> dict[str, list[tuple[tuple[str, ...], Row]]]:
    found: dict[str, list[tuple[tuple[str, ...], Row]]] = {}
    for row in TABLE:
        for place in row.places:
            kind, *path = place.split("/")
            found.setdefault(kind, []).append((tuple(path), row))
    return found


def _fits(place: tuple[str, ...], path: tuple[str, ...]) -> bool:
    return len(place) == len(path) and all(
        part in ("*", other) for part, other in zip(place, path, strict=True)
    )


def _values(path: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401 - JSON
    """Yield every value with its path, objects and lists included."""
    yield path, value
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _values((*path, key), part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _values((*path, "*"), part)
