"""What the plan says of private subnets, which are what must be served.

A subnet that uses its home table is served as that table's decision says. Every other one has a
decision of its own:

- away: it uses another table of the stack, for a while or because somebody put it there;
- fail back, repair at home, repair elsewhere: it is given its home table, or another one of the
  stack, with the strategy swap-route-table only;
- not ours: it uses a table that leads elsewhere, or that somebody else put it into;
- no egress: it has no way out, and the strategy cannot give it one.

Pure, like the planner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nat_failover.model import SubnetDecision, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nat_failover.actions import Move
    from nat_failover.fleet import Fleet
    from nat_failover.model import Decision, Observation, Policy, Subnet, Table

_AS_ITS_TABLE = frozenset({Verdict.NO_EGRESS, Verdict.NOT_OURS, Verdict.CONFLICT})


class Subnets:
    """The private subnets, the tables that they use, and what was decided of these."""

    def __init__(
        self, observation: Observation, fleet: Fleet, decisions: Mapping[str, Decision]
    ) -> None:
        self._tables = {table.id: table for table in observation.tables | observation.foreign}
        self._subnets = sorted(observation.subnets)
        self._fleet = fleet
        self._decisions = decisions

    def without_egress(self) -> tuple[str, ...]:
        """Return the ids of the private subnets that have no working way out now."""
        return tuple(
            subnet.id
            for subnet in self._subnets
            if not self._fleet.egress(self._tables[subnet.table])
        )

    def decide(
        self, policy: Policy, moves: Iterable[Move], stays: str
    ) -> tuple[SubnetDecision, ...]:
        """Return a decision for each private subnet that does not use its home table.

        `stays` says why nothing fails back now, where the policy does not allow it.
        """
        of = {move.subnet: move for move in moves}
        return tuple(
            self._moved(subnet, of[subnet.id])
            if subnet.id in of
            else self._left(subnet, policy, stays)
            for subnet in self._subnets
            if subnet.table != subnet.home
        )

    def _moved(self, subnet: Subnet, move: Move) -> SubnetDecision:
        """Return what a move is: what works fails back, and what does not is repaired."""
        egress = self._fleet.egress(self._tables[subnet.table])
        home = Verdict.FAIL_BACK if egress else Verdict.REPAIR_AT_HOME
        verdict = home if move.table == subnet.home else Verdict.REPAIR_ELSEWHERE
        return self._decision(subnet, verdict, move.reason, move.table)

    def _left(self, subnet: Subnet, policy: Policy, stays: str) -> SubnetDecision:
        """Return what a subnet is that stays: away in a table of the stack, or astray."""
        verdict = self._verdict(subnet)
        away, home = subnet.table in self._decisions, self._decisions.get(subnet.home)
        gone = home is None or home.verdict is Verdict.MISSING
        rows = (
            (not policy.swap, "the strategy replace-route moves no subnets"),
            (
                verdict is Verdict.NOT_OURS and not policy.adopts(subnet.home),
                "what is not the stack's is left alone",
            ),
            (gone, f"its home table {subnet.home} is missing"),
            (away and not policy.failback, stays),
            (True, f"its home table {subnet.home} does not work yet"),
        )
        return self._decision(subnet, verdict, next(why for holds, why in rows if holds))

    def _verdict(self, subnet: Subnet) -> Verdict:
        decision = self._decisions.get(subnet.table)
        if decision:
            return decision.verdict if decision.verdict in _AS_ITS_TABLE else Verdict.AWAY
        put = subnet.association is not None
        led = self._fleet.is_foreign(self._tables[subnet.table])
        return Verdict.NOT_OURS if put or led else Verdict.NO_EGRESS

    def _decision(
        self, subnet: Subnet, verdict: Verdict, why: str, destination: str | None = None
    ) -> SubnetDecision:
        used = self._tables[subnet.table]
        return SubnetDecision(
            subnet=subnet.id,
            zone=subnet.zone,
            table=used.id,
            verdict=verdict,
            reason=f"it uses {self._name(subnet, used)}: {self._fleet.finding(used)}; {why}",
            egress=self._fleet.egress(used),
            destination=destination,
        )

    def _name(self, subnet: Subnet, used: Table) -> str:
        if used.id in self._decisions:
            return f"{used.id} of {used.zone}"
        if subnet.association is None:
            return f"the VPC's main table {used.id}"
        return f"{used.id}, which is not the stack's"
