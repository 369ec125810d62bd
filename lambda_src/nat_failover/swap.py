"""The strategy swap-route-table: subnets leave a troubled table and fail back when it works again.

Pure, like the planner that calls it. It changes nothing but the decisions "repair elsewhere": those
tables keep their broken route, and their subnets use a table whose NAT is usable. Where that would
cost a subnet a route, or where no such table exists, the decision stands and the table's own route
is replaced.

A stray is a private subnet that uses none of the stack's tables. One without an association is put
into a table of the stack, unless the VPC's main table leads it elsewhere; one that somebody put
into another table is taken out of it with `adopt` only, unless that leads to a NAT of ours and
nowhere else, as the table of a zone does that an update of the stack drops.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from nat_failover.actions import AssociateSubnet, Move, MoveSubnet
from nat_failover.model import Decision, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nat_failover.fleet import Fleet
    from nat_failover.model import Observation, Policy, Subnet, Table

_WORKS_NOW = frozenset({Verdict.KEEP, Verdict.FAIL_BACK})
_WORKS_SOON = _WORKS_NOW | {Verdict.REPAIR_AT_HOME}


class _NoFallbackTableError(Exception):
    """A subnet has no fallback table; the message says why."""


def evacuate(
    observation: Observation, policy: Policy, fleet: Fleet, decisions: Mapping[str, Decision]
) -> tuple[dict[str, Decision], tuple[Move, ...]]:
    """Return the decisions with tables evacuated where possible, and the moves of subnets, sorted.

    A subnet in trouble moves as soon as a table is going to work; one that works fails back
    only after its home table was seen to work, so that a failed write cannot take its egress away.
    """
    swap = _Swap(observation, policy, fleet, decisions)
    decided = dict(decisions)
    moves: list[Move] = []
    for table in sorted(observation.tables, key=lambda table: table.id):
        decision = decisions[table.id]
        if decision.verdict is Verdict.REPAIR_ELSEWHERE:
            decided[table.id], out = swap.evacuate(table, decision)
            moves += out
        else:
            moves += swap.failback(table)
    moves += swap.strays(decided)
    return decided, tuple(moves)


class _Swap:
    """Which tables are fallback tables, and how many subnets each one has."""

    def __init__(
        self,
        observation: Observation,
        policy: Policy,
        fleet: Fleet,
        decisions: Mapping[str, Decision],
    ) -> None:
        self._policy = policy
        self._fleet = fleet
        self._decisions = decisions
        self._refused = observation.refused
        self._tables = {table.id: table for table in observation.tables if table.exists}
        self._foreign = {table.id: table for table in observation.foreign}
        self._subnets = sorted(observation.subnets)
        self._load = Counter({id_: len(table.associations) for id_, table in self._tables.items()})

    def evacuate(self, table: Table, decision: Decision) -> tuple[Decision, list[Move]]:
        """Move every subnet out of a troubled table, or none and replace the table's route."""
        before = self._load.copy()
        try:
            moves = list(self._moves_out(table, decision.reason))
        except _NoFallbackTableError as refusal:
            self._load = before
            reason = f"{decision.reason}; its route is replaced, because {refusal}"
            return replace(decision, reason=reason), []
        where = ", ".join(sorted({move.table for move in moves}))
        doing = f"its subnets use {where} meanwhile" if moves else "no subnet uses it"
        reason = f"{decision.reason}; {doing}"
        return replace(decision, verdict=Verdict.EVACUATE, nat=None, reason=reason), moves

    def failback(self, table: Table) -> Iterator[Move]:
        """Yield the failback of subnets that use another table than their home, if that works."""
        for subnet in self._users(table):
            works = self._works(subnet.home, _WORKS_NOW) and self._accepts(subnet.home, subnet)
            if subnet.home != table.id and works and self._wants_failback(table, subnet.home):
                yield _move(subnet, subnet.home, "the subnet's home table works again")

    def _wants_failback(self, table: Table, home: str) -> bool:
        """Say whether the subnets of a table may leave it now for a home table that works."""
        settled = self._policy.failback and self._fleet.may_fail_back(self._tables[home])
        return settled or not self._fleet.egress(table)

    def strays(self, decided: Mapping[str, Decision]) -> Iterator[Move]:
        """Yield the moves of subnets that use none of the stack's tables into one that works."""
        for subnet in self._subnets:
            home = decided.get(subnet.home)
            evacuated = home is not None and home.verdict is Verdict.EVACUATE
            replaced = home is not None and home.verdict is Verdict.REPAIR_ELSEWHERE
            if subnet.table in self._tables or not self._may_move(subnet) or replaced:
                continue
            if destination := self._destination(subnet, evacuated=evacuated):
                yield _move(subnet, destination, "it uses none of the stack's route tables")

    def _moves_out(self, table: Table, reason: str) -> Iterator[Move]:
        """Yield the moves out of a table; see that strays at home in it have a fallback too."""
        users = self._users(table)
        foreign_subnets = {row.subnet for row in table.associations} - {user.id for user in users}
        if foreign_subnets:
            message = f"{min(foreign_subnets)} is not a subnet of the stack"
            raise _NoFallbackTableError(message)
        if table.main:
            message = "it is the VPC's main table, which other subnets may use"
            raise _NoFallbackTableError(message)
        for subnet in users:
            yield _move(subnet, self._fallback_table(table, subnet), reason)
        for subnet in self._subnets:
            lost = subnet.home == table.id and subnet.table not in self._tables
            if lost and self._may_move(subnet) and not self._has_egress(subnet):
                self._check_fallback_table(subnet)

    def _users(self, table: Table) -> list[Subnet]:
        return [subnet for subnet in self._subnets if subnet.table == table.id]

    def _works(self, table: str, verdicts: frozenset[Verdict]) -> bool:
        return table in self._decisions and self._decisions[table].verdict in verdicts

    def _accepts(self, table: str, subnet: Subnet) -> bool:
        """Say whether AWS has not refused the table to the subnet in this run."""
        return (subnet.id, table) not in self._refused

    def _may_move(self, stray: Subnet) -> bool:
        used = self._foreign[stray.table]
        if self._policy.adopts(stray.home):
            return True
        if stray.association is None:
            return not self._fleet.is_foreign(used)
        return self._was_ours(used, self._tables.get(stray.home))

    def _was_ours(self, used: Table, home: Table | None) -> bool:
        """Say whether a table is as one of a zone that was dropped: it leads to a NAT of ours.

        And has no other route than the subnet's home table, so that nothing is lost.
        """
        alike = home is not None and self._is_alike(used, home)
        return alike and self._fleet.target(used.route) is not None

    def _has_egress(self, stray: Subnet) -> bool:
        return self._fleet.egress(self._foreign[stray.table])

    def _destination(self, stray: Subnet, *, evacuated: bool) -> str | None:
        """Return the table that a stray shall use, or None where it stays.

        One that has egress now fails back only after its home was seen to work. One without it also
        uses a home that leads elsewhere, if that has egress.
        """
        home = self._tables.get(stray.home)
        accepted = self._accepts(stray.home, stray)
        if self._works(stray.home, _WORKS_NOW) and accepted:
            return stray.home
        if self._has_egress(stray):
            return None
        if not evacuated and home and self._fleet.egress(home) and accepted:
            return stray.home
        try:
            return self._fallback_table(self._foreign[stray.table], stray)
        except _NoFallbackTableError:
            return None

    def _check_fallback_table(self, stray: Subnet) -> None:
        """Raise _NoFallbackTableError when a stray has no fallback table; count nothing."""
        before = self._load.copy()
        self._fallback_table(self._foreign[stray.table], stray)
        self._load = before

    def _fallback_table(self, table: Table, subnet: Subnet) -> str:
        """Return a subnet's fallback table: its home, or the alike one with fewest subnets.

        Alike is one that differs in nothing but the default route; for a stray, one that lacks
        nothing that the table has which it uses now.

        Raises:
            _NoFallbackTableError: when no table can.

        """
        home = subnet.home
        if home != table.id and self._works(home, _WORKS_SOON) and self._accepts(home, subnet):
            return home
        working = [t for t in self._tables if self._works(t, _WORKS_SOON)]
        accepted = [t for t in working if self._accepts(t, subnet)]
        alike = [t for t in accepted if self._is_alike(table, self._tables[t])]
        if not alike:
            raise _NoFallbackTableError(_why_none(working, accepted))
        chosen = min(alike, key=lambda table: (self._load[table], table))
        self._load[chosen] += 1
        return chosen

    def _is_alike(self, used: Table, other: Table) -> bool:
        if used.id in self._tables:
            return used.other_routes == other.other_routes
        return used.other_routes <= other.other_routes


def _why_none(working: list[str], accepted: list[str]) -> str:
    if not working:
        return "every other table has no usable NAT"
    if not accepted:
        return "AWS refused every other table"
    return "every other table would cost the subnets other routes"


def _move(subnet: Subnet, destination: str, reason: str) -> Move:
    if subnet.association is None:
        return AssociateSubnet(
            subnet=subnet.id, source=subnet.table, table=destination, reason=reason
        )
    return MoveSubnet(
        association=subnet.association,
        subnet=subnet.id,
        source=subnet.table,
        table=destination,
        reason=reason,
    )
