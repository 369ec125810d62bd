"""From what was seen to what shall be: a pure function, and the only place that decides.

The decision table, for the default route of each private route table; the first row that fits:

1. it points to a usable NAT in the home zone                        → keep
2. it points to a usable NAT elsewhere, and one has settled at home  → fail back, if allowed
3. it is missing, blackhole, or its NAT is not usable; one at home   → repair at home
4. the same, but a NAT is usable only elsewhere                      → repair elsewhere
5. no NAT is usable, or all fell silent                              → the standby gateway, if
   there is one; without, and if none is usable, leave it alone: no egress, unless it leads to
   nothing that may serve, and a NAT is only called sick by NATs, or leaves by plan: as 3 and 4;
   while it points to one that leaves by plan, wait
6. it points to something that is not ours                           → leave it alone, or adopt it:
   remember what it points to, then 3 or 4 (`takeovers`)
7. EC2 does not describe the table                                   → say so
8. it was adopted, and is not to be any more; what it pointed to is  → give it back, whatever the
   still there                                                         rows above say
9. it points to the standby gateway, and the function did that       → stay until a NAT at home, or
   (`standby`)                                                         else any, has settled

A NAT is usable if AWS shows nothing to the contrary and what the NATs say of it does not make it
sick (`claims`). What time adds:

- an accusation that can still be answered moves nothing             → observe again when it cannot
- a move by plan, a failback or one from a NAT that leaves and still
  serves, while a NAT does not know the ring, for some seconds       → wait: flows are handed over
- a failback to a NAT that is not usable for long enough, that is
  accused, or that turned sick too often                             → keep
- any move to a NAT that has not its Elastic IP for long enough
  (`addresses`)                                                      → only where no other has one;
  from one that has, leaves and still serves                         → wait
- a repair                                                           → at once, and by a NAT that
  turned sick too often only where no other is usable

A table in whose zone the group launches nothing, or with subnets in several zones, has no home: any
NAT serves it as one at home would, so that it never fails back.

A table that works through something that is not ours has egress, so row 6 is asked before row 5.
Where several NATs fit, the one that serves the fewest tables gets the table. `subnets` has the
decisions on private subnets that do not use their home table.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nat_failover import ring
from nat_failover.actions import Move, SetDefaultRoute
from nat_failover.fleet import Fleet
from nat_failover.history import FAILBACK_AFTER_S, advance, corrected
from nat_failover.members import drained, replacement
from nat_failover.model import (
    ROUTE_VERDICTS,
    Decision,
    Nat,
    Observation,
    Plan,
    Policy,
    Table,
    Verdict,
)
from nat_failover.standby import StandbyGateway
from nat_failover.subnets import Subnets
from nat_failover.swap import evacuate
from nat_failover.takeovers import Takeovers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def plan(observation: Observation, policy: Policy) -> Plan:
    """Return the health of each NAT, the decisions and the writes, all sorted.

    While nothing is known of what other runs remembered, or of the NATs' Elastic IPs, nothing fails
    back: that can wait.
    """
    stays = _why_nothing_fails_back(observation, policy)
    allowed = replace(policy, failback=not stays)
    observation = replace(observation, history=corrected(observation))
    fleet = Fleet(observation, settle=policy.settle, standby=policy.standby)
    takeovers = Takeovers(observation, policy, fleet)
    standby = StandbyGateway(observation, allowed, fleet)
    decisions = _decide(observation, allowed, fleet, takeovers, standby, stays)
    moves: tuple[Move, ...] = ()
    if policy.swap:
        decisions, moves = evacuate(observation, allowed, fleet, decisions)
    subnets = Subnets(observation, fleet, decisions)
    health, addresses = fleet.judged.values(), fleet.addresses
    hold = any(each.verdict is Verdict.TO_STANDBY for each in decisions.values())
    stable = [nat for nat in fleet.judged if addresses.of(nat)]
    return Plan(
        health=tuple(health),
        decisions=tuple(decisions[table] for table in sorted(decisions)),
        subnets=subnets.decide(allowed, moves, stays),
        without_egress=subnets.without_egress(),
        actions=(
            *fleet.source_dest_check_fixes(),
            *addresses.associations(health),
            *_routes(observation, fleet, decisions),
            *takeovers.writes(decisions),
            *standby.writes(decisions),
            *moves,
            *ring.publication(observation, fleet.peers),
            *replacement(observation, fleet),
            *(() if hold else drained(observation, policy, fleet)),
        ),
        due=_due(fleet, standby, decisions),
        waits_until=_waits_until(fleet, decisions),
        history=advance(observation.history, health, stable, observation.now),
        broken_links=fleet.claims.broken_links(),
        unstable=tuple(addresses.unstable(health)),
        settles=addresses.settles(health),
        standby_lost=standby.lost,
    )


def _why_nothing_fails_back(observation: Observation, policy: Policy) -> str:
    """Say in words why nothing fails back now, or nothing."""
    rows = (
        (not policy.failback, "failback is manual"),
        (
            not observation.memory_readable or observation.standbys is None,
            "the memory could not be read",
        ),
        (observation.elastic_ips is None, "the Elastic IPs could not be read"),
    )
    return next((why for holds, why in rows if holds), "")


def _due(fleet: Fleet, standby: StandbyGateway, decisions: Mapping[str, Decision]) -> float | None:
    """Return when time alone changes what is wanted, of what NATs say or of their Elastic IPs.

    Or when the standby gateway may be known, if it is needed.
    """
    waits = any(decision.verdict is Verdict.WAIT for decision in decisions.values())
    moments = (
        fleet.claims.due(),
        fleet.addresses.settles_at(fleet.usable) if waits else None,
        standby.looks_again_at(decisions),
    )
    return min((moment for moment in moments if moment is not None), default=None)


def _waits_until(fleet: Fleet, decisions: Mapping[str, Decision]) -> float | None:
    """Return until when moves wait for the NATs to know each other, if one does."""
    waits = any(decision.verdict is Verdict.WAIT for decision in decisions.values())
    return fleet.waits_until if waits else None


def _decide(  # noqa: PLR0913, PLR0917 - what a decision depends on, each thing by name
    observation: Observation,
    policy: Policy,
    fleet: Fleet,
    takeovers: Takeovers,
    standby: StandbyGateway,
    stays: str,
) -> dict[str, Decision]:
    """Apply the decision table; kept tables count first, then those that a NAT at home gets."""
    verdicts = {
        table: takeovers.verdict_on_ours(table)
        or _verdict(table, policy, fleet, takeovers, standby)
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
            reason=_reason(table, verdict, fleet, takeovers, stays) + takeovers.word(table),
            nat=nat.instance if nat else None,
        )
    return decisions


def _verdict(
    table: Table, policy: Policy, fleet: Fleet, takeovers: Takeovers, standby: StandbyGateway
) -> Verdict:
    server, home = fleet.server(table), fleet.at_home(table)
    if not table.exists:
        return Verdict.MISSING
    if by_gateway := standby.verdict(table):
        return by_gateway
    if server:
        return _verdict_on_served(table, server, policy, fleet)
    if fleet.is_foreign(table) and not (takeovers.may_take(table) and fleet.usable):
        return takeovers.verdict_on_foreign(table)
    waits = fleet.waits(table)
    if not fleet.usable and not waits and not (fleet.fit and fleet.is_lost(table)):
        return Verdict.NO_EGRESS
    repaired = Verdict.REPAIR_AT_HOME if home else Verdict.REPAIR_ELSEWHERE
    return Verdict.WAIT if waits else repaired


def _verdict_on_served(table: Table, server: Nat, policy: Policy, fleet: Fleet) -> Verdict:
    """Let a table fail back to a NAT at home that has settled; no other is worth a move."""
    if fleet.is_home(server, table) or not policy.failback or not fleet.at_home(table):
        return Verdict.KEEP
    settled = [nat for nat in fleet.at_home(table) if fleet.has_settled(nat)]
    if not settled:
        return Verdict.KEEP
    return Verdict.WAIT if fleet.waits_until else Verdict.FAIL_BACK


def _serving_nat(table: Table, verdict: Verdict, fleet: Fleet) -> Nat | None:
    """Choose the NAT that a verdict gives to a table, or None where it gives none."""
    server = fleet.server(table)
    if verdict is Verdict.KEEP and server:
        return fleet.assign([server])
    if verdict is Verdict.FAIL_BACK:
        return fleet.assign(fleet.settled(table))
    if verdict in ROUTE_VERDICTS:
        return fleet.assign(fleet.at_home(table) or fleet.candidates(table))
    if verdict is Verdict.WAIT:
        return fleet.target(table.route)
    return None


def _reason(table: Table, verdict: Verdict, fleet: Fleet, takeovers: Takeovers, stays: str) -> str:
    """Say in words why a verdict was passed."""
    found, server = fleet.finding(table), fleet.server(table)
    if verdict is Verdict.NOT_OURS:
        hindered = takeovers.why_left(table)
        why = f"{fleet.why_not_ours(table)}; {hindered}" if hindered else fleet.why_not_ours(table)
        return f"{found}; {why}"
    if verdict is Verdict.MISSING:
        return found
    if verdict in ROUTE_VERDICTS and not fleet.usable:
        return f"{found}; no NAT is known to serve, and this one may"
    if verdict is not Verdict.KEEP:
        return f"{found}; {_why_moved(table, verdict, fleet, stays)}"
    if server is None or fleet.is_home(server, table):
        return found
    return f"{found}; {_why_away(table, fleet, stays)}"


def _why_moved(table: Table, verdict: Verdict, fleet: Fleet, stays: str) -> str:
    if verdict in {Verdict.STANDBY, Verdict.TO_STANDBY}:
        return _why_on_standby(fleet, stays)
    if verdict is Verdict.REPAIR_AT_HOME and not fleet.has_home(table):
        return _NO_HOME
    if verdict is Verdict.REPAIR_ELSEWHERE and _has_no_address_at_home(table, fleet):
        return _NO_ADDRESS
    if verdict is Verdict.WAIT:
        return _why_it_waits(table, fleet)
    if verdict is Verdict.FAIL_BACK and fleet.is_on_standby(table):
        return "a NAT is usable again"
    return _BECAUSE[verdict]


def _why_it_waits(table: Table, fleet: Fleet) -> str:
    if not fleet.usable:
        return "it serves until another NAT is usable"
    if fleet.waits_for_address(table):
        return "it serves until another NAT has its Elastic IP for long enough"
    return "the NATs get to know each other before it moves"


def _why_on_standby(fleet: Fleet, stays: str) -> str:
    if not fleet.heard:
        return "no NAT says anything of itself any more" if fleet.usable else _NO_NAT
    return stays or f"no NAT that is known to be well has been usable for {FAILBACK_AFTER_S:.0f} s"


def _why_away(table: Table, fleet: Fleet, stays: str) -> str:
    here = [nat for nat in fleet.usable if fleet.is_home(nat, table)]
    rows = (
        (not here, "no NAT is usable at home"),
        (bool(stays), stays),
        (
            all(fleet.histories.is_unstable(nat.instance) for nat in here),
            "the NAT at home turned sick too often, and stays away until it is replaced",
        ),
        (
            all(fleet.claims.fell_silent(nat.instance) for nat in here),
            "the NAT at home says nothing of itself any more",
        ),
        (
            any(fleet.claims.is_accused(nat.instance) for nat in here),
            "a NAT says that the one at home is ill or silent",
        ),
        (_has_no_address_at_home(table, fleet), _NO_ADDRESS),
        (not fleet.at_home(table), "AWS refused the NAT at home"),
        (True, f"no NAT at home has been usable for {FAILBACK_AFTER_S:.0f} s yet"),
    )
    return next(why for holds, why in rows if holds)


_NO_HOME = "it has no home, and any usable NAT serves it"


def _has_no_address_at_home(table: Table, fleet: Fleet) -> bool:
    """Say whether what keeps a table away is that the NATs at home are known by no address yet."""
    here = [nat for nat in fleet.usable if fleet.is_home(nat, table)]
    return (
        bool(here)
        and not any(map(fleet.addresses.has_settled, here))
        and (any(map(fleet.addresses.has_settled, fleet.usable)))
    )


_NO_NAT = "no NAT is usable"
_NO_ADDRESS = "no NAT at home has its Elastic IP for long enough yet"
_BECAUSE = {
    Verdict.FAIL_BACK: "a NAT at home is usable again",
    Verdict.REPAIR_AT_HOME: "a NAT at home is usable",
    Verdict.REPAIR_ELSEWHERE: "a NAT is usable only in another zone",
    Verdict.NO_EGRESS: _NO_NAT,
    Verdict.GIVE_BACK: "it is not to be taken over any more, and is given back to what it led to",
    Verdict.RELEASE: "the stack is being deleted, and the route with it",
    Verdict.LEFT: "it is not to be taken over",
    Verdict.CONFLICT: (
        "somebody wrote it back twice after it was taken over, so it is left alone: let its old"
        " owner let go of the route, then take the table out of failover.adopt and in again"
    ),
}


def _routes(
    observation: Observation, fleet: Fleet, decisions: Mapping[str, Decision]
) -> Iterator[SetDefaultRoute]:
    """Write the route of each table whose decision asks for it."""
    interfaces = {nat.instance: nat.interface for nat in fleet.fit}
    for table in sorted(observation.tables, key=lambda table: table.id):
        decision = decisions[table.id]
        interface = interfaces.get(decision.nat or "")
        if decision.nat and interface and decision.verdict in ROUTE_VERDICTS:
            yield SetDefaultRoute(
                table=table.id,
                interface=interface,
                instance=decision.nat,
                exists=table.has_written_route,
                reason=decision.reason,
            )
