"""What a run wrote and AWS answered is known, also while reads still show what was before.

A described resource may lag behind a write (EC2 API guide, "eventual consistency"). So what
an observation shows as it was before a write is taken as the answer said, until one has shown the
write or `TRUSTED_S` have passed. Anything else that it shows somebody else has changed, and it is
repaired. The next run starts anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from nat_failover.actions import (
    AssociateAddress,
    AssociateSubnet,
    CompleteLifecycleAction,
    DeleteDefaultRoute,
    DisableSourceDestCheck,
    ForgetStandby,
    ForgetTakeover,
    MarkUnhealthy,
    MoveSubnet,
    PublishRing,
    RecordLifecycleActionHeartbeat,
    RememberStandby,
    RememberTakeover,
    RestoreRoute,
    SetDefaultRoute,
)
from nat_failover.model import Association, DefaultRoute, Ring

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nat_failover.actions import Move, Planned
    from nat_failover.model import ElasticIp, Nat, Observation, Table

TRUSTED_S = 10.0
"""How long an observation may lag behind an answered write; AWS publishes no figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A write that AWS answered: when it was decided, and the route that was observed then.

    `association` is the id that AWS gave to a subnet's new association.
    """

    write: Planned
    at: float
    route: DefaultRoute | None = None
    association: str | None = None


def effect(write: Planned, before: Observation, association: str | None = None) -> Effect:
    """Return the effect of a write that was decided on an observation and that AWS answered."""
    table = write.table if isinstance(write, _RouteWrite) else None
    route = next((t.route for t in before.tables if t.id == table), None)
    return Effect(write=write, at=before.now, route=route, association=association)


def pending(seen: Observation, effects: Iterable[Effect]) -> tuple[Effect, ...]:
    """Return the effects of what is still observed as it was before one of the run's writes."""
    recent = tuple(each for each in effects if seen.now - each.at <= TRUSTED_S)
    stale = {_asset(each.write) for each in recent if _with(seen, each) != seen}
    return tuple(each for each in recent if _asset(each.write) in stale)


def overlay(seen: Observation, effects: Iterable[Effect]) -> Observation:
    """Return what was seen, with the effects that it does not show yet, in their order."""
    for each in effects:
        seen = _with(seen, each)
    return seen


def _asset(write: Planned) -> str:  # noqa: PLR0911 - one for each kind of write
    """Return the id of what a write changes."""
    match write:
        case SetDefaultRoute() | RestoreRoute() | DeleteDefaultRoute():
            return write.table
        case RememberTakeover() | ForgetTakeover():
            return f"takeover {write.table}"
        case RememberStandby() | ForgetStandby():
            return f"standby {write.table}"
        case MoveSubnet() | AssociateSubnet():
            return write.subnet
        case DisableSourceDestCheck():
            return write.interface
        case AssociateAddress():
            return write.allocation
        case MarkUnhealthy() | CompleteLifecycleAction() | RecordLifecycleActionHeartbeat():
            return write.instance
        case PublishRing():
            return "ring"
        case _ as never:
            assert_never(never)


def _with(  # noqa: PLR0911 - one for each kind of write
    seen: Observation, each: Effect
) -> Observation:
    match each.write:
        case SetDefaultRoute() | RestoreRoute() | DeleteDefaultRoute() as write:
            tables = (_routed(table, write, each.route) for table in seen.tables)
            return replace(seen, tables=frozenset(tables))
        case RememberTakeover() | ForgetTakeover() as write:
            return _remembered(seen, write)
        case RememberStandby() | ForgetStandby() as write:
            return _on_standby(seen, write)
        case DisableSourceDestCheck() as write:
            return replace(
                seen, nats=frozenset(_without_source_dest_check(nat, write) for nat in seen.nats)
            )
        case AssociateAddress() as write:
            known = seen.elastic_ips
            return replace(seen, elastic_ips=known and frozenset(_held(ip, write) for ip in known))
        case MoveSubnet() | AssociateSubnet() as write:
            return _moved(seen, write, each.association)
        case MarkUnhealthy() | CompleteLifecycleAction() as write:
            return replace(seen, nats=frozenset(_told(nat, write) for nat in seen.nats))
        case RecordLifecycleActionHeartbeat():
            return seen  # AWS shows nothing of it
        case PublishRing() as write:
            return replace(seen, ring=_ring(seen.ring, write))
        case _ as never:
            assert_never(never)


_RouteWrite = SetDefaultRoute | RestoreRoute | DeleteDefaultRoute


def _routed(table: Table, write: _RouteWrite, before: DefaultRoute | None) -> Table:
    if table.id != write.table or not _same_target(table.route, before):
        return table
    match write:
        case SetDefaultRoute():
            route = DefaultRoute(interface=write.interface, instance=write.instance)
            return replace(table, route=route)
        case RestoreRoute():
            return replace(table, route=route_to(write.to))
        case DeleteDefaultRoute():
            return replace(table, route=None)


def route_to(target: str) -> DefaultRoute:
    """Return a written default route to a target that its id names."""
    if target.startswith("eni-"):
        return DefaultRoute(interface=target)
    return DefaultRoute(instance=target) if target.startswith("i-") else DefaultRoute(other=target)


def _remembered(seen: Observation, write: RememberTakeover | ForgetTakeover) -> Observation:
    """Put what is remembered of a table in the place of what was, if that is still shown."""
    known = seen.takeovers
    shown = next((each for each in known or () if each.table == write.table), None)
    if known is None or shown != write.found:
        return seen
    kept = {each for each in known if each.table != write.table}
    now = {write.takeover} if isinstance(write, RememberTakeover) else set()
    return replace(seen, takeovers=frozenset(kept | now))


def _on_standby(seen: Observation, write: RememberStandby | ForgetStandby) -> Observation:
    known = seen.standbys
    if known is None:
        return seen
    remembers = isinstance(write, RememberStandby)
    return replace(seen, standbys=known | {write.standby} if remembers else known - {write.standby})


def _same_target(seen: DefaultRoute | None, before: DefaultRoute | None) -> bool:
    """Compare targets; a route turns blackhole, and loses its instance, without being written."""
    if seen is None or before is None:
        return seen is before
    return _target(seen) == _target(before)


def _target(route: DefaultRoute) -> tuple[str | None, str | None, bool]:
    return route.interface, route.other, route.dynamic


def _without_source_dest_check(nat: Nat, write: DisableSourceDestCheck) -> Nat:
    ours = (nat.instance, nat.interface) == (write.instance, write.interface)
    return replace(nat, source_dest_check=False) if ours else nat


def _held(ip: ElasticIp, write: AssociateAddress) -> ElasticIp:
    if ip.allocation != write.allocation or ip.interface is not None:
        return ip
    return replace(ip, interface=write.interface, address=write.address)


def _told(nat: Nat, write: MarkUnhealthy | CompleteLifecycleAction) -> Nat:
    """Give a member what its group was told of it."""
    if nat.instance != write.instance:
        return nat
    if isinstance(write, MarkUnhealthy):
        return replace(nat, healthy=False)
    holds = nat.lifecycle == "Terminating:Wait"
    return replace(nat, lifecycle="Terminating:Proceed") if holds else nat


def _ring(seen: Ring | None, write: PublishRing) -> Ring | None:
    if seen is None or seen.version != write.found:
        return seen
    return Ring(members=write.members, version=write.version, written=write.at)


def _moved(seen: Observation, write: Move, association: str | None) -> Observation:
    """Give a subnet its new table, if it is still shown with the association that it had."""
    old = write.association if isinstance(write, MoveSubnet) else None
    stale = {
        s
        for s in seen.subnets
        if (s.id, s.table, s.association) == (write.subnet, write.source, old)
    }
    if not stale or association is None:
        return seen
    fresh = {replace(subnet, table=write.table, association=association) for subnet in stale}
    new = Association(id=association, subnet=write.subnet)
    return replace(
        seen,
        subnets=seen.subnets - stale | fresh,
        tables=frozenset(_associated(table, write, old, new) for table in seen.tables),
    )


def _associated(table: Table, write: Move, old: str | None, new: Association) -> Table:
    left = frozenset(row for row in table.associations if row.id != old)
    return replace(table, associations=left | {new} if table.id == write.table else left)
