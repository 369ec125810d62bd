"""From what was seen to what shall be: a pure function, and the only place that decides.

The decision table, for the default route of each private route table; the first row that fits:

1. it points to a usable NAT in the home zone                        → keep
2. it points to a usable NAT elsewhere, and one is usable at home    → go home, if the policy allows
3. it is missing, blackhole, or its NAT is not usable; one at home   → repair at home
4. the same, but a NAT is usable only elsewhere                      → repair elsewhere
5. no NAT is usable                                                  → leave it alone: no egress
6. it points to something that is not ours                           → leave it alone, or adopt it

A table that works through something that is not ours has egress, so row 6 is asked before row 5.
Where several NATs fit, the one that serves the fewest tables gets the table.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nat_failover.model import (
    ROUTE_VERDICTS,
    Decision,
    DefaultRoute,
    DisableSourceDestCheck,
    Health,
    InstanceState,
    Judgement,
    MoveSubnet,
    Nat,
    Observation,
    Plan,
    Policy,
    SetDefaultRoute,
    Table,
    Verdict,
    judge,
)
from nat_failover.swap import evacuate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def plan(observation: Observation, policy: Policy) -> Plan:
    """Return the health of each NAT, a decision for each table and the writes, all sorted."""
    fleet = _Fleet(observation)
    decisions = _decide(observation, policy, fleet)
    moves: tuple[MoveSubnet, ...] = ()
    if policy.swap:
        decisions, moves = evacuate(observation, policy, decisions)
    return Plan(
        health=tuple(fleet.judged.values()),
        decisions=tuple(decisions[table] for table in sorted(decisions)),
        actions=(*fleet.unchecked(), *_routes(observation, fleet, decisions), *moves),
    )


class _Fleet:
    """The NATs as judged, and how many tables each one serves while a plan is being made."""

    def __init__(self, observation: Observation) -> None:
        self.judged: dict[Nat, Judgement] = {
            nat: judge(nat, observation.leaving) for nat in sorted(observation.nats)
        }
        self.usable = [nat for nat, said in self.judged.items() if said.health is Health.USABLE]
        self.load: Counter[Nat] = Counter()

    def target(self, route: DefaultRoute | None) -> Nat | None:
        """Return the NAT of ours that a route points to, alive or dead."""
        if route is None:
            return None
        for nat in self.judged:
            if route.interface is not None and route.interface == nat.interface:
                return nat
        return next((nat for nat in self.judged if nat.instance == route.instance), None)

    def server(self, table: Table) -> Nat | None:
        """Return the usable NAT through which a table reaches the internet now."""
        nat = self.target(table.route)
        blackhole = table.route is not None and table.route.blackhole
        return nat if nat in self.usable and not blackhole else None

    def at(self, zone: str) -> list[Nat]:
        return [nat for nat in self.usable if nat.zone == zone]

    def take(self, nats: list[Nat]) -> Nat:
        """Choose the NAT that serves the fewest tables, and count the table to it."""
        nat = min(nats, key=lambda nat: (self.load[nat], nat.instance))
        self.load[nat] += 1
        return nat

    def unchecked(self) -> Iterator[DisableSourceDestCheck]:
        """Switch the check off on every instance that serves or is going to serve."""
        for nat, said in self.judged.items():
            serves = said.health in {Health.BOOTING, Health.SICK}
            if serves and nat.source_dest_check and nat.state is InstanceState.RUNNING:
                reason = "a NAT forwards packets that are not addressed to it"
                yield DisableSourceDestCheck(instance=nat.instance, reason=reason)


def _decide(observation: Observation, policy: Policy, fleet: _Fleet) -> dict[str, Decision]:
    """Apply the decision table; kept tables count first, then those that a NAT at home gets."""
    verdicts = {
        table: _verdict(table, policy, fleet)
        for table in sorted(observation.tables, key=lambda table: table.id)
    }
    order = list(Verdict)
    decisions = {}
    for table, verdict in sorted(verdicts.items(), key=lambda item: order.index(item[1])):
        nat = _serving_nat(table, verdict, fleet)
        decisions[table.id] = Decision(
            table=table.id,
            zone=table.zone,
            verdict=verdict,
            reason=_reason(table, verdict, fleet),
            nat=nat.instance if nat else None,
        )
    return decisions


def _verdict(table: Table, policy: Policy, fleet: _Fleet) -> Verdict:
    server, home = fleet.server(table), fleet.at(table.zone)
    if server:
        away = server.zone != table.zone
        return Verdict.GO_HOME if away and home and policy.failback else Verdict.KEEP
    if _is_foreign(table, fleet) and not (policy.adopt and fleet.usable):
        return Verdict.NOT_OURS
    if not fleet.usable:
        return Verdict.NO_EGRESS
    return Verdict.REPAIR_AT_HOME if home else Verdict.REPAIR_ELSEWHERE


def _is_foreign(table: Table, fleet: _Fleet) -> bool:
    """Say whether a route leads, and not into a blackhole, to something that is not ours.

    A route whose target EC2 does not name is ours to repair: a dead instance's id vanishes first.
    """
    route = table.route
    if route is None or route.blackhole or fleet.target(route):
        return False
    return bool(route.interface or route.instance or route.other)


def _serving_nat(table: Table, verdict: Verdict, fleet: _Fleet) -> Nat | None:
    """Choose the NAT that a verdict gives to a table, or None where it gives none."""
    server = fleet.server(table)
    if verdict is Verdict.KEEP and server:
        return fleet.take([server])
    if verdict in ROUTE_VERDICTS:
        return fleet.take(fleet.at(table.zone) or fleet.usable)
    return None


def _reason(table: Table, verdict: Verdict, fleet: _Fleet) -> str:
    """Say in words why a verdict was passed."""
    found, server = _finding(table, fleet), fleet.server(table)
    if verdict is not Verdict.KEEP:
        return f"{found}; {_BECAUSE[verdict]}"
    if server is None or server.zone == table.zone:
        return found
    waits = "failback is manual" if fleet.at(table.zone) else "no NAT is usable at home"
    return f"{found}; {waits}"


_BECAUSE = {
    Verdict.GO_HOME: "a NAT at home is usable again",
    Verdict.REPAIR_AT_HOME: "a NAT at home is usable",
    Verdict.REPAIR_ELSEWHERE: "a NAT is usable only in another zone",
    Verdict.NO_EGRESS: "no NAT is usable",
    Verdict.NOT_OURS: "that is not one of the group's NATs",
}


def _finding(table: Table, fleet: _Fleet) -> str:
    """Say in words what the default route was found to be."""
    route, nat = table.route, fleet.target(table.route)
    if route is None:
        return "there is no default route"
    if nat in fleet.usable and not route.blackhole:
        return f"{nat.instance} in {nat.zone} serves it"
    found = (
        f"the default route is a blackhole to {route}" if route.blackhole else f"it uses {route}"
    )
    return f"{found}, {fleet.judged[nat].health}: {fleet.judged[nat].reason}" if nat else found


def _routes(
    observation: Observation, fleet: _Fleet, decisions: Mapping[str, Decision]
) -> Iterator[SetDefaultRoute]:
    """Write the route of each table whose decision asks for it."""
    interfaces = {nat.instance: nat.interface for nat in fleet.usable}
    for table in sorted(observation.tables, key=lambda table: table.id):
        decision = decisions[table.id]
        interface = interfaces.get(decision.nat or "")
        if decision.nat and interface and decision.verdict in ROUTE_VERDICTS:
            yield SetDefaultRoute(
                table=table.id,
                interface=interface,
                instance=decision.nat,
                exists=table.route is not None,
                reason=decision.reason,
            )
