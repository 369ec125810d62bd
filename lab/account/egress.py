"""How the private subnets of each zone leave, judged from one complete observation.

A zone is without egress while its private table's default route is missing, is blackhole, or leads
to an instance that is not running or has its source/destination check on. That is routing, seen
from outside: an instance that hangs still counts as one that forwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nat_failover.model import InstanceState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nat_failover.contract import HomeTable
    from nat_failover.model import DefaultRoute, Nat, Observation, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where a default route leads, and whether it works; `zone` is that of the instance."""

    works: bool
    through: str | None = None
    zone: str | None = None
    words: str


def ways(network: Observation, homes: tuple[HomeTable, ...]) -> dict[str, Way]:
    """Return how each zone's private subnets leave."""
    return {home.zone: _way_of(home, network) for home in homes}


def forwards(nat: Nat) -> bool:
    """Return whether an instance runs and has its source/destination check off."""
    return nat.state is InstanceState.RUNNING and not nat.source_dest_check


def _along(table: Table, network: Observation) -> Way:
    """Return where a table's default route leads."""
    route = table.route
    if route is None:
        return Way(works=False, words="no default route")
    nat = _target(route, network)
    if nat:
        return _through(nat, blackhole=route.blackhole)
    if route.blackhole:
        return Way(works=False, through=route.instance, words=f"{route} (blackhole)")
    if route.other:
        return Way(works=True, through=route.other, words=f"{route.other} (not of this stack)")
    return Way(works=False, through=route.instance, words=f"{route} (no instance of this stack)")


def _way_of(home: HomeTable, network: Observation) -> Way:
    """Join the ways of a zone's subnets, which with swap-route-table may use another zone's table.

    A subnet of no private table uses the VPC's main one, which has no default route.
    """
    table_of: Mapping[str, Table] = {
        association.subnet: table for table in network.tables for association in table.associations
    }
    astray = Way(works=False, words="the VPC's main route table")
    seen = {
        _along(table_of[subnet], network) if subnet in table_of else astray
        for subnet in home.subnets
    }
    if len(seen) == 1:
        return seen.pop()
    return Way(
        works=all(way.works for way in seen), words=", ".join(sorted(way.words for way in seen))
    )


def _target(route: DefaultRoute, network: Observation) -> Nat | None:
    """Return the instance that a route leads to; its id vanishes from the route of a dead one."""
    for nat in network.nats:
        by_interface = route.interface is not None and nat.interface == route.interface
        if by_interface or nat.instance == route.instance:
            return nat
    return None


def _through(nat: Nat, *, blackhole: bool) -> Way:
    state = "" if nat.state is InstanceState.RUNNING else f", {nat.state}"
    check = ", source/destination check on" if nat.source_dest_check and not state else ""
    words = f"{nat.instance} (zone {nat.zone[-1:]}{state}{check}{', blackhole' * blackhole})"
    works = forwards(nat) and not blackhole
    return Way(works=works, through=nat.instance, zone=nat.zone, words=words)
