"""The standby gateway: a NAT gateway that serves while no NAT is usable, and is left again. Pure.

A table is led there when no NAT is usable, whatever made them so: also where all run and say that
they have no egress, or several fell silent together, as they do when they have none to publish by.
A NAT that leaves by plan is held, and serves on, unless the group is to have none. The gateway may
reach the internet by another way than they do. It is tried once: a table stays there until a NAT
that speaks has settled, because what NATs say, or do not, proves nothing against the gateway.

That the function led a table there is remembered, so that what somebody else leads to the same
gateway is left to them. Both are written at once, because the repair shall not wait for the memory;
what could not be remembered is taken for somebody else's, and told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nat_failover.actions import ForgetStandby, RememberStandby, RestoreRoute
from nat_failover.model import Standby, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nat_failover.fleet import Fleet
    from nat_failover.model import Decision, Observation, Policy, Table

LAG_S = 15.0
"""For how long a table may be described as it was before it was led to the gateway, ten seconds or
more; AWS publishes no figure."""

STEP_S = 5.0
"""The steps of the times that are remembered: what fails is the same write when it is tried again,
so that a run pauses before."""

SEEN_QUIET_S = 60.0
"""For how long runs must have seen that NATs say nothing before silence counts: a function that did
not run heard nobody."""

LOOK_AGAIN_S = 1.0
"""How soon a run looks again that needs the gateway and could not read its state."""


class StandbyGateway:
    """The gateway of the settings, if there is one, and what follows from it for each table."""

    def __init__(self, observation: Observation, policy: Policy, fleet: Fleet) -> None:
        self._id, self._policy, self._fleet = policy.standby, policy, fleet
        self._tables = sorted(observation.tables, key=lambda table: table.id)
        self._remembered = observation.standbys
        self._refused, self._now = observation.refused, observation.now
        self._ends = observation.ending or observation.deleting
        self._empties = observation.desired == 0
        quiet = observation.quiet_since
        self._quiet = quiet is not None and self._now - quiet >= SEEN_QUIET_S
        self._asked = observation.gateways is not None
        there = {each.id: each for each in observation.gateways or ()}
        self._gateway = None if self._id in observation.gone else there.get(self._id or "")
        self._led = observation.led

    def verdict(self, table: Table) -> Verdict | None:
        """Return the verdict on a table that the gateway serves or shall serve, or None."""
        if self._fleet.is_on_standby(table):
            may = self._policy.failback and not self._ends and not self._was_just_led(table)
            return Verdict.FAIL_BACK if may and self._fleet.settled(table) else Verdict.STANDBY
        return Verdict.TO_STANDBY if self._may_serve(table) else None

    def looks_again_at(self, decisions: Mapping[str, Decision]) -> float | None:
        """Return when to observe again because the gateway is needed and its state not known."""
        cut = any(each.verdict is Verdict.NO_EGRESS for each in decisions.values())
        unknown = self._id is not None and not self._asked and not self._ends
        return self._now + LOOK_AGAIN_S if cut and unknown else None

    @property
    def lost(self) -> str | None:
        """Say in words why the gateway could not serve, or None where it could."""
        rows = (
            (self._id is None, None),
            (not self._asked, f"the state of {self._id} could not be read"),
            (self._gateway is None, f"{self._id} is not there"),
            (self._gateway and self._gateway.serves, None),
            (
                self._gateway and not self._gateway.routed,
                f"no route leads from the subnet of {self._id} to the internet",
            ),
            (True, f"{self._id} is {self._gateway and self._gateway.state}"),
        )
        return next(why for holds, why in rows if holds)

    def writes(self, decisions: Mapping[str, Decision]) -> Iterator[_Write]:
        """Yield what leads tables to the gateway, and what is to be remembered and forgotten."""
        leads = set()
        given = {each for each, said in decisions.items() if said.verdict is Verdict.GIVE_BACK}
        for table in self._tables:
            decision = decisions[table.id]
            if decision.verdict is Verdict.TO_STANDBY and self._id:
                yield self._route(table, self._id, decision.reason)
                yield from self._remembering(table, self._id)
            elif table.route and table.route.other:
                leads.add((table.id, table.route.other))
                known = self._remembered is not None
                led = known and (table.id, table.route.other) in self._led
                if led or decision.verdict is Verdict.FAIL_BACK:  # others may see it there still
                    yield from self._remembering(table, table.route.other)
        for standby in sorted(self._remembered or ()):
            stays = self._is_young(standby) or (standby.table, standby.gateway) in leads
            if (not stays or standby.table in given) and not self._is_refused(standby):
                yield ForgetStandby(standby=standby, reason="the table does not lead there")

    def _is_young(self, standby: Standby) -> bool:
        return abs(self._now - standby.written) <= LAG_S

    def _was_just_led(self, table: Table) -> bool:
        """Say whether another run led the table there, which knew of NATs what this one may not."""
        ours = (each for each in self._remembered or () if each.table == table.id)
        return any(map(self._is_young, ours))

    def _may_serve(self, table: Table) -> bool:
        refused = (table.id, self._id) in self._refused
        ready = self._id is not None and self.lost is None and not refused
        held = self._fleet.waits(table) and not self._empties
        none = not self._fleet.usable and not self._fleet.mended
        lost = none or (self._quiet and self._fleet.fell_silent)
        return ready and lost and not held and not self._fleet.is_foreign(table) and not self._ends

    def _route(self, table: Table, gateway: str, reason: str) -> RestoreRoute:
        exists = table.has_written_route
        return RestoreRoute(table=table.id, to=gateway, exists=exists, reason=reason)

    def _remembering(self, table: Table, gateway: str) -> Iterator[RememberStandby]:
        known = any(
            (each.table, each.gateway) == (table.id, gateway) and self._is_young(each)
            for each in self._remembered or ()
        )
        written = self._now // STEP_S * STEP_S
        standby = Standby(table=table.id, gateway=gateway, written=written)
        if not known and not self._is_refused(standby):
            yield RememberStandby(standby=standby, reason="the function leads it there")

    def _is_refused(self, standby: Standby) -> bool:
        about = f"{standby.table} {standby.gateway}"
        return (about, RememberStandby.calls[0]) in self._refused


_Write = RestoreRoute | RememberStandby | ForgetStandby
