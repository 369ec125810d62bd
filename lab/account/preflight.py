"""Whether a stack may be drilled now, and what a fault does to it as it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from lab.account.egress import ways
from lab.account.errors import RealDrillError
from lab.account.fault_actions import (
    DeleteDefaultRoute,
    RefreshGroup,
    StopNat,
    SwitchCheckOn,
    TerminateNat,
)
from lab.drills.faults import ActionKind
from nat_failover.model import Health, Policy
from nat_failover.planner import plan

if TYPE_CHECKING:
    from lab.account.deployed import Deployed
    from lab.account.fault_actions import FaultAction
    from lab.account.faults import AccountFault
    from nat_failover.model import Judgement, Nat, Observation

ENOUGH = 2
"""NATs without which there is no drill: one that is lost, and one that carries on."""


def usable(network: Observation) -> tuple[Nat, ...]:
    """Return the NATs that may carry traffic, as the function's plan takes them."""
    return tuple(said.nat for said in _health(network) if said.health is Health.USABLE)


def must_be_well(network: Observation, deployed: Deployed) -> None:
    """Check that the stack can stand a fault.

    Raises:
        RealDrillError: when it has fewer than two usable NATs, or a zone has no egress already.

    """
    found = len(usable(network))
    if found < ENOUGH:
        message = (
            f"the stack {deployed.name} has {found} usable NAT instances and a drill needs"
            f" {ENOUGH}, so that one carries on ({_others(network)}): wait until it has them, or"
            " see the function's log"
        )
        raise RealDrillError(message)
    leaving = ways(network, deployed.settings.tables)
    lost = [f"{zone}: {way.words}" for zone, way in leaving.items() if not way.works]
    if lost:
        message = (
            f"the stack {deployed.name} has private subnets without egress already"
            f" ({'; '.join(lost)}): a drill needs it well, see the function's log"
        )
        raise RealDrillError(message)


def choose(fault: AccountFault, deployed: Deployed, network: Observation) -> FaultAction:
    """Return what a fault does to the stack as it is now.

    Raises:
        RealDrillError: when the stack does not have what it hits.

    """
    zone = fault.zone(deployed.zones)
    match fault.kind:
        case ActionKind.TERMINATE_NAT:
            return TerminateNat(instance=_nat_of(zone, network))
        case ActionKind.STOP_NAT:
            return StopNat(instance=_nat_of(zone, network))
        case ActionKind.SWITCH_CHECK_ON:
            return SwitchCheckOn(instance=_nat_of(zone, network))
        case ActionKind.DELETE_DEFAULT_ROUTE:
            return _without_route(zone, deployed, network)
        case ActionKind.REFRESH_GROUP:
            instances = tuple(nat.instance for nat in usable(network))
            return RefreshGroup(group=deployed.group, instances=instances)
        case _ as never:
            assert_never(never)


def _nat_of(zone: str, network: Observation) -> str:
    for nat in usable(network):
        if nat.zone == zone:
            return nat.instance
    there = ", ".join(f"{nat.instance} in {nat.zone}" for nat in usable(network))
    message = (
        f"the zone {zone} has no usable NAT of its own; usable are {there}: name another zone, as"
        " in terminate:b, or wait until the group has balanced its zones"
    )
    raise RealDrillError(message)


def _without_route(zone: str, deployed: Deployed, network: Observation) -> FaultAction:
    """Delete only a route that the drill can put back as it was."""
    home = next(home for home in deployed.settings.tables if home.zone == zone)
    table = next(table for table in network.tables if table.id == home.id)
    interfaces = {nat.interface for nat in usable(network)} - {None}
    if table.route is None or table.route.interface not in interfaces:
        message = (
            f"the default route of {home.id} ({zone}) leads to {table.route or 'nothing'} and not"
            " to a usable NAT of the stack, so it is left alone: name another zone, as in tamper:b"
        )
        raise RealDrillError(message)
    return DeleteDefaultRoute(table=home.id, interface=str(table.route.interface))


def _others(network: Observation) -> str:
    return "; ".join(
        f"{said.nat.instance} in {said.nat.zone}: {said.health}, {said.reason}"
        for said in _health(network)
    )


def _health(network: Observation) -> tuple[Judgement, ...]:
    """Return what the function takes each NAT for, sorted."""
    return plan(network, Policy()).health
