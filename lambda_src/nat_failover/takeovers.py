"""Tables whose default route was not ours: taken over, given back, left, in conflict. Pure.

What a table leads to is remembered before its route is written, so that it can be given back. Two
writes make a takeover: what was there, then the route; a third confirms it when a NAT is seen to
serve the table. A confirmed table that leads elsewhere again was written back by somebody else: it
is taken over once more, and after the second time it is a conflict, which only a person ends.

A table that is no longer to be taken over is given back to what it led to, if that still exists.
While it is not known what is remembered, nothing is taken over and nothing is given back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nat_failover.actions import (
    DeleteDefaultRoute,
    ForgetTakeover,
    RememberTakeover,
    RestoreRoute,
    target_parameter,
)
from nat_failover.fleet import is_overridden
from nat_failover.model import PROPAGATED, Takeover, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nat_failover.fleet import Fleet
    from nat_failover.model import Decision, DefaultRoute, Observation, Policy, Table

MOST_TIMES = 2
"""How often a table is taken over without a deployment: its owner has said it twice then."""

LAG_S = 10.0
"""For how long a table that was just taken over may be described as it was before; AWS publishes no
figure."""

_ENDED = frozenset({"failed", "deleting", "deleted"})
"""The states of a NAT gateway that is none any more, or soon (EC2 API reference, NatGateway). EC2
describes it for a while, and leaves its routes as blackholes (DeleteNatGateway)."""


class Takeovers:
    """What is remembered of the stack's tables, and what follows from it."""

    def __init__(self, observation: Observation, policy: Policy, fleet: Fleet) -> None:
        self._known = observation.takeovers is not None
        self._of = {each.table: each for each in observation.takeovers or ()}
        self._tables = sorted(observation.tables, key=lambda table: table.id)
        self._states = {each.id: each.state for each in observation.gateways or ()}
        self._asked = observation.gateways is not None
        self._gone, self._refused = observation.gone, observation.refused
        self._now, self._ending = observation.now, observation.ending
        self._policy, self._fleet = policy, fleet

    def adopts(self, table: Table) -> bool:
        """Say whether a table may be taken over, as far as settings and its routes say."""
        may = self._policy.adopts(table.id) and not self._ending
        return may and not is_overridden(table)

    def may_take(self, table: Table) -> bool:
        """Say whether the route of a table that leads elsewhere may be written now.

        What it leads to must have been remembered, and not be there again.
        """
        found = self._of.get(table.id)
        if not self._known or not self.adopts(table) or found is None:
            return False
        return not found.done and found.target == led_to(table.route)

    def verdict_on_ours(self, table: Table) -> Verdict | None:
        """Return the verdict on a table that does not lead elsewhere, if it is to lead elsewhere.

        A table of a stack that is being deleted keeps nothing of it that could dangle; one that
        uses the standby gateway stays there.
        """
        found = self._of.get(table.id)
        gone = found is None or self._is_gone(found, table)
        if not table.exists or self._fleet.is_foreign(table):
            return None
        stays = table.route is None or self._fleet.is_on_standby(table)
        if self._ending and gone and stays:
            return Verdict.LEFT
        if gone:
            released = self._ending and (found is not None or self._policy.releases)
            return Verdict.RELEASE if released else None
        if found is None or self.adopts(table) or not self._may_be_given_back(found):
            return None
        return Verdict.GIVE_BACK

    def verdict_on_foreign(self, table: Table) -> Verdict:
        """Return the verdict on a table that leads elsewhere and is not taken over now."""
        if self._is_in_conflict(table):
            return Verdict.CONFLICT
        listed = not isinstance(self._policy.adopt, bool) or self._ending
        if listed and not self.adopts(table) and self._fleet.egress(table):
            return Verdict.LEFT
        return Verdict.NOT_OURS

    def why_left(self, table: Table) -> str | None:
        """Say in words why a table that may be taken over is not, or None where nothing hinders."""
        rows = (
            (not self.adopts(table), None),
            (not self._known, "it is not known what is remembered, so it is not taken over"),
            (
                target_parameter(led_to(table.route) or "") is None
                and led_to(table.route) != PROPAGATED,
                "nothing could give it back to that, so it is not taken over",
            ),
            (
                (table.id, RememberTakeover.calls[0]) in self._refused,
                "what it leads to could not be remembered, so it is not taken over",
            ),
        )
        return next((why for holds, why in rows if holds), None)

    def word(self, table: Table) -> str:
        """Say of a table what is forgotten with this plan, if anything is."""
        found = self._of.get(table.id)
        if found is None or not self._is_gone(found, table):
            return ""
        return f"; {found.target}, to which it led before, is gone"

    def writes(self, decisions: Mapping[str, Decision]) -> Iterator[_Write]:
        """Yield what is to be remembered and forgotten, and what gives a table back."""
        if not self._known:
            return
        for table in self._tables:
            decision, found = decisions[table.id], self._of.get(table.id)
            given = decision.verdict is Verdict.GIVE_BACK
            if found and given and led_to(table.route) != found.target:
                yield _restored(table, found.target, decision.reason)
            if decision.verdict is Verdict.RELEASE:
                yield DeleteDefaultRoute(table=table.id, reason=decision.reason)
            elif (change := self._memory(table, decision)) and not self._is_refused(change):
                yield change
        gone = self._of.keys() - {table.id for table in self._tables}
        for id_ in sorted(gone):
            forgotten = ForgetTakeover(found=self._of[id_], reason="the table is not the stack's")
            if not self._is_refused(forgotten):
                yield forgotten

    def _memory(self, table: Table, decision: Decision) -> RememberTakeover | ForgetTakeover | None:
        """Return what is to be remembered or forgotten of a table, if that differs."""
        found, foreign = self._of.get(table.id), self._fleet.is_foreign(table)
        if found and (self._is_gone(found, table) or not table.exists):
            return ForgetTakeover(found=found, reason=f"{found.target} is gone")
        if found and foreign and not self.adopts(table):
            return ForgetTakeover(found=found, reason="the table leads elsewhere, as it should")
        if found and not found.done and self.adopts(table) and self._fleet.server(table):
            done = replace(found, done=True, written=self._now)
            return RememberTakeover(takeover=done, found=found, reason="it was taken over")
        hindered = decision.verdict is Verdict.CONFLICT or self.why_left(table)
        if not foreign or not self.adopts(table) or hindered or not self._fleet.usable:
            return None
        return self._remembered(table, found)

    def _remembered(self, table: Table, found: Takeover | None) -> RememberTakeover | None:
        """Return the remembering of what a table leads to, before it is taken over."""
        target = led_to(table.route)
        if target is None or self.may_take(table) or (found and self._lags(found)):
            return None
        if found and target == self._policy.standby:
            return None  # the function led it there, and could not remember that
        again = found is not None and not self._policy.deployed
        times = found.times + found.done if found and again else 1
        wanted = Takeover(table=table.id, target=target, times=times, done=False, written=self._now)
        reason = f"it led to {target} before it is taken over"
        return RememberTakeover(takeover=wanted, found=found, reason=reason)

    def _is_in_conflict(self, table: Table) -> bool:
        found = self._of.get(table.id)
        if found is None or self._policy.deployed or not self.adopts(table):
            return False
        return found.done and found.times >= MOST_TIMES and not self._lags(found)

    def _lags(self, found: Takeover) -> bool:
        """Say whether what is seen may be older than the takeover of the table."""
        return found.done and 0 <= self._now - found.written <= LAG_S

    def _is_gone(self, found: Takeover, table: Table) -> bool:
        """Say whether what a table led to does not exist any more, or leads nowhere."""
        target, route = found.target, table.route
        if target == PROPAGATED:
            return False
        if route and led_to(route) == target:
            return route.blackhole
        if target in self._gone:
            return True
        return self._is_gateway(target) and self._states.get(target, "deleted") in _ENDED

    def _may_be_given_back(self, found: Takeover) -> bool:
        """Say whether what a table led to is ready for it, and AWS has not refused it."""
        delete = found.target == PROPAGATED
        call = (found.table, DeleteDefaultRoute.calls[0] if delete else found.target)
        ready = not self._is_gateway(found.target) or self._states.get(found.target) == "available"
        return self._known and ready and call not in self._refused

    def _is_gateway(self, target: str) -> bool:
        """Say whether a target is a NAT gateway, and it is known which ones there are."""
        return self._asked and target.startswith("nat-")

    def _is_refused(self, write: RememberTakeover | ForgetTakeover) -> bool:
        return (write.table, write.call) in self._refused


_Write = RememberTakeover | ForgetTakeover | RestoreRoute | DeleteDefaultRoute


def led_to(route: DefaultRoute | None) -> str | None:
    """Return the id of what a route leads to, None where there is none or EC2 does not name it.

    An instance with two interfaces cannot be named in a route, so its interface goes first.
    """
    if route is None:
        return None
    return PROPAGATED if route.dynamic else route.interface or route.instance or route.other


def _restored(table: Table, target: str, reason: str) -> RestoreRoute | DeleteDefaultRoute:
    if target == PROPAGATED:
        return DeleteDefaultRoute(table=table.id, reason=reason)
    return RestoreRoute(table=table.id, to=target, exists=table.has_written_route, reason=reason)
