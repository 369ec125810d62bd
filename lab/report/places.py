"""Where the zones, NATs and tables of a drill stand in its maps: the same place in each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.report.labels import cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.drills.outcome import Topology

BOX = 88.0
"""How wide a NAT or a table is."""

_COLUMN = 94.0
_PAD, _GAP = 5.0, 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """The frame around what is in a zone."""

    name: str
    x: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The zones side by side, and the left edge of each NAT and each table by its id."""

    width: float
    zones: tuple[Zone, ...]
    left: dict[str, float]


def places(topologies: Sequence[Topology]) -> Places:
    """Give each zone as many columns as it has NATs, or tables, in all the topologies."""
    nats = dict.fromkeys((nat.zone, nat.instance) for seen in topologies for nat in seen.nats)
    tables = dict.fromkeys((row.zone, row.table) for seen in topologies for row in seen.tables)
    zones: list[Zone] = []
    left: dict[str, float] = {}
    x = 0.0
    for name in sorted({zone for zone, _ in [*nats, *tables]}):
        lines = [[id_ for zone, id_ in line if zone == name] for line in (nats, tables)]
        size = max(map(len, lines)) * _COLUMN + 2 * _PAD
        zone = Zone(name=cut(name, size), x=x, width=size)
        zones.append(zone)
        for line in lines:
            left |= _centred(line, zone)
        x += zone.width + _GAP
    return Places(width=max(x - _GAP, 2 * BOX), zones=tuple(zones), left=left)


def _centred(ids: Sequence[str], zone: Zone) -> dict[str, float]:
    first = zone.x + (zone.width - len(ids) * _COLUMN + _COLUMN - BOX) / 2
    return {id_: first + number * _COLUMN for number, id_ in enumerate(ids)}
