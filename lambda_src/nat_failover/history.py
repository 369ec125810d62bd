"""How the NATs fared, so that nothing fails back too early or to and fro. Pure.

It is remembered from run to run. That a NAT turned sick counts where NATs said so, as what they say
may come and go, and once in `FAILBACK_AFTER_S`, as messages overtake each other. A NAT of which
nothing is remembered is as good as one that became usable now.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nat_failover.model import Health, NatHistory

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from nat_failover.model import Judgement, Nat, Observation

FAILBACK_AFTER_S = 60.0
"""How long a NAT is usable before anything fails back to it; a repair does not wait."""

MEMORABLE_S = 3600.0
"""How long it counts that a NAT turned sick."""

UNSTABLE = 2
"""How often a NAT turns sick in that time before it stays away until it is replaced."""


class Histories:
    """What is remembered of the NATs, at the time of an observation."""

    def __init__(self, observation: Observation) -> None:
        self._now = observation.now
        self._of = {each.instance: each for each in observation.history}

    def settles_at(self, instance: str) -> float:
        """Return when a NAT, if it stays usable, has been so for long enough."""
        known = self._of.get(instance)
        since = known.usable_since if known else None
        return (self._now if since is None else min(since, self._now)) + FAILBACK_AFTER_S

    def stable_since(self, instance: str) -> float | None:
        """Return since when a NAT is seen with an Elastic IP of the set."""
        known = self._of.get(instance)
        return known.stable_since if known else None

    def sick_for(self, instance: str) -> float:
        """Return for how many seconds a NAT that is sick has been so."""
        known = self._of.get(instance)
        return self._now - max(known.sick, default=self._now) if known else 0.0

    def was_usable(self, instance: str) -> bool:
        """Say whether a NAT was usable when it was looked at last."""
        known = self._of.get(instance)
        return known is not None and known.usable_since is not None

    def is_unstable(self, instance: str) -> bool:
        """Say whether a NAT turned sick too often."""
        known = self._of.get(instance)
        return known is not None and len(_recent(known, self._now)) >= UNSTABLE


def corrected(observation: Observation) -> frozenset[NatHistory]:
    """Return what is remembered, without what the ring knows better.

    The run that finds a NAT sick writes the ring beside the routes, and what it remembers at its
    end: a run in between would take the NAT for one that never was sick.
    """
    members = observation.ring.members if observation.ring else ()
    unfit = {peer.instance for peer in members if peer.state != Health.USABLE}
    return frozenset(
        replace(each, usable_since=None) if each.instance in unfit else each
        for each in observation.history
    )


def advance(
    history: Iterable[NatHistory], health: Iterable[Judgement], stable: Container[Nat], now: float
) -> frozenset[NatHistory]:
    """Return what to remember after an observation; nothing of NATs that are gone.

    `stable` are the NATs with an Elastic IP of the set.
    """
    before = {each.instance: each for each in history}
    return frozenset(
        _after(before.get(said.nat.instance), said, now, stable=said.nat in stable)
        for said in health
        if said.health is not Health.GONE
    )


def _after(before: NatHistory | None, said: Judgement, now: float, *, stable: bool) -> NatHistory:
    known = before or NatHistory(instance=said.nat.instance)
    usable = said.health is Health.USABLE
    recent = _recent(known, now)
    again = known.usable_since is not None and now - max(recent, default=0) >= FAILBACK_AFTER_S
    turned_sick = said.by_claims and (again or not recent)
    return NatHistory(
        instance=said.nat.instance,
        usable_since=_since(known.usable_since, now) if usable else None,
        stable_since=_since(known.stable_since, now) if stable else None,
        sick=(*recent, *((now,) if turned_sick else ())),
    )


def _since(known: float | None, now: float) -> float:
    return now if known is None else min(known, now)


def _recent(known: NatHistory, now: float) -> tuple[float, ...]:
    return tuple(moment for moment in known.sick if now - moment <= MEMORABLE_S)
