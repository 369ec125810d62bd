"""The strategy swap-route-table: subnets leave a troubled table and come home when it works again.

Pure, like the planner that calls it. It changes nothing but the decisions "repair elsewhere": those
tables keep their broken route, and their subnets use a table whose NAT is usable. Where that would
cost a subnet a route, or where no such table exists, the decision stands and the table's own route
is replaced.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from nat_failover.model import Decision, MoveSubnet, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nat_failover.model import Association, Observation, Policy, Table

_WORKS_NOW = frozenset({Verdict.KEEP, Verdict.GO_HOME})
_WORKS_SOON = _WORKS_NOW | {Verdict.REPAIR_AT_HOME}


class _NoRefugeError(Exception):
    """A subnet has nowhere to go; the message says why."""


def evacuate(
    observation: Observation, policy: Policy, decisions: Mapping[str, Decision]
) -> tuple[dict[str, Decision], tuple[MoveSubnet, ...]]:
    """Return the decisions with tables evacuated where possible, and the moves of subnets.

    A subnet in trouble moves as soon as a table is going to work; one that works goes home only
    after its home table was seen to work, so that a failed write cannot take its egress away.
    """
    shelter = _Shelter(observation, decisions)
    decided = dict(decisions)
    moves: list[MoveSubnet] = []
    for table in sorted(observation.tables, key=lambda table: table.id):
        decision = decisions[table.id]
        if decision.verdict is Verdict.REPAIR_ELSEWHERE:
            decided[table.id], escapes = _escape(table, decision, shelter)
            moves += escapes
        elif decision.verdict in _WORKS_SOON and policy.failback:
            moves += _go_home(table, shelter)
    return decided, tuple(moves)


class _Shelter:
    """Which tables can take subnets in, and how many subnets each one has."""

    def __init__(self, observation: Observation, decisions: Mapping[str, Decision]) -> None:
        self.decisions = decisions
        self.tables = {table.id: table for table in observation.tables}
        self.home = {
            subnet: table.id for table in observation.tables for subnet in table.home_subnets
        }
        self.subnets = Counter({table.id: len(table.associations) for table in observation.tables})

    def works(self, table: str, verdicts: frozenset[Verdict]) -> bool:
        return self.decisions[table].verdict in verdicts

    def refuge(self, table: Table, subnet: str) -> str:
        """Return the table that takes a subnet in: its home, or the alike one with fewest subnets.

        Raises:
            _NoRefugeError: when no table can.

        """
        home = self.home.get(subnet)
        if home is None:
            message = f"{subnet} is not a subnet of the stack"
            raise _NoRefugeError(message)
        if home != table.id and self.works(home, _WORKS_SOON):
            return home
        working = [other for other in self.tables if self.works(other, _WORKS_SOON)]
        alike = [t for t in working if self.tables[t].other_routes == table.other_routes]
        if not alike:
            differ = "would cost the subnets other routes" if working else "has no usable NAT"
            message = f"every other table {differ}"
            raise _NoRefugeError(message)
        chosen = min(alike, key=lambda table: (self.subnets[table], table))
        self.subnets[chosen] += 1
        return chosen


def _escape(
    table: Table, decision: Decision, shelter: _Shelter
) -> tuple[Decision, tuple[MoveSubnet, ...]]:
    """Move every subnet out of a troubled table, or none and replace the table's route."""
    before = shelter.subnets.copy()
    try:
        moves = tuple(
            _move(table, association, shelter.refuge(table, association.subnet), decision.reason)
            for association in sorted(table.associations)
        )
    except _NoRefugeError as refusal:
        shelter.subnets = before
        reason = f"{decision.reason}; its route is replaced, because {refusal}"
        return replace(decision, reason=reason), ()
    where = ", ".join(sorted({move.table for move in moves}))
    doing = f"its subnets use {where} meanwhile" if moves else "no subnet uses it"
    reason = f"{decision.reason}; {doing}"
    return replace(decision, verdict=Verdict.EVACUATE, nat=None, reason=reason), moves


def _go_home(table: Table, shelter: _Shelter) -> Iterator[MoveSubnet]:
    for association in sorted(table.associations):
        home = shelter.home.get(association.subnet, table.id)
        if home != table.id and shelter.works(home, _WORKS_NOW):
            yield _move(table, association, home, "the subnet's home table works again")


def _move(table: Table, association: Association, destination: str, reason: str) -> MoveSubnet:
    return MoveSubnet(
        association=association.id,
        subnet=association.subnet,
        source=table.id,
        table=destination,
        reason=reason,
    )
