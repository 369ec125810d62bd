"""The NATs and the private tables of a drill as maps, one for each moment that was seen.

The internet on top, a frame for each zone below it, in each the NATs above the tables, and an arrow
from each table to where its default route leads. A NAT has the same place in all maps of a drill,
so that the eye finds what changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lab.drills.outcome import NatSeen
from lab.report.labels import SIZE, cut
from lab.report.places import BOX, Places, Zone, places
from lab.report.short_ids import short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.drills.outcome import TableSeen, Topology

_LETTERS = 11
"""The height of the letters in a map: less than in other pictures, so that three fit on a sheet."""

_ROOM = BOX * SIZE / _LETTERS

_HEIGHT = 256.0

_STRANGER = "other target"
"""The state of what a route leads to when it is none of the NATs, such as a gateway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A NAT or a table: where it stands, whether traffic passes, and what it says, line by line."""

    x: float
    works: bool
    words: tuple[str, ...]
    title: str

    @property
    def width(self) -> float:
        """Return how wide it is."""
        return BOX

    @property
    def middle(self) -> float:
        """Return the middle between its sides."""
        return self.x + self.width / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """A default route, from a table up to what it leads to, or to nothing (None)."""

    start: float
    end: float | None
    works: bool
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """A topology, laid out; `words` tell the same, a sentence for each table and NAT."""

    name: str
    time: float
    width: float
    zones: tuple[Zone, ...]
    nats: tuple[Box, ...]
    tables: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    words: tuple[str, ...]

    @property
    def height(self) -> float:
        """Return how high it is: as all maps are."""
        return _HEIGHT


def maps(topologies: Sequence[Topology]) -> tuple[Map, ...]:
    """Lay out the topologies of a drill."""
    complete = [_with_strangers(seen) for seen in topologies]
    where = places(complete)
    return tuple(_map(seen, where) for seen in complete)


def _with_strangers(seen: Topology) -> Topology:
    """Add what routes lead to and is no NAT, where the table is that leads to it."""
    known = {nat.instance for nat in seen.nats}
    strangers = {
        table.through: NatSeen(
            instance=table.through, zone=table.zone, state=_STRANGER, forwards=table.works
        )
        for table in seen.tables
        if table.through and table.through not in known
    }
    return replace(seen, nats=(*seen.nats, *strangers.values()))


def _map(seen: Topology, where: Places) -> Map:
    nats = {nat.instance: _nat(nat, where) for nat in seen.nats}
    tables = {table.table: _table(table, where) for table in seen.tables}
    return Map(
        name=seen.name,
        time=seen.time,
        width=where.width,
        zones=where.zones,
        nats=tuple(nats.values()),
        tables=tuple(tables.values()),
        arrows=tuple(_arrow(table, tables[table.table], nats) for table in seen.tables),
        words=tuple(f"{box.title}." for box in (*tables.values(), *nats.values())),
    )


def _nat(nat: NatSeen, where: Places) -> Box:
    does = "✓ forwards" if nat.forwards else "✗ no traffic"
    return Box(
        x=where.left[nat.instance],
        works=nat.forwards,
        words=_lines(short(nat.instance), nat.state, does),
        title=f"{nat.instance} in {nat.zone} is {nat.state}: {does[2:]}",
    )


def _table(table: TableSeen, where: Places) -> Box:
    count = len(table.subnets)
    return Box(
        x=where.left[table.table],
        works=table.works,
        words=_lines(
            short(table.table),
            f"{count} subnet{'s' * (count != 1)}",
            "✓ internet" if table.works else "✗ no internet",
        ),
        title=f"{_leaves(table)}; its subnets: {', '.join(table.subnets) or 'none'}",
    )


def _lines(*words: str) -> tuple[str, ...]:
    return tuple(cut(line, _ROOM) for line in words)


def _leaves(table: TableSeen) -> str:
    how = "leaves through" if table.works else "does not get out:"
    return f"{table.table} of {table.zone} {how} {table.words}"


def _arrow(table: TableSeen, box: Box, nats: dict[str, Box]) -> Arrow:
    return Arrow(
        start=box.middle,
        end=nats[table.through].middle if table.through else None,
        works=table.works,
        title=_leaves(table),
    )
