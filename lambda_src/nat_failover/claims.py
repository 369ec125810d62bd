"""Who is sick by what the NATs say of themselves and of each other. Pure.

A claim is hearsay: what some holder of the instance role published. So an accuser alone never
decides against a NAT that answers. A NAT is sick if

1. its own newest claim says so; or
2. a NAT that is well was told so by this one, which has not said otherwise to the function since;
   or
3. a NAT that is well does not hear it any more, since `CONTRADICT_S` at least, and it has not said
   since that it is well, nor that it does not hear the other: that is a broken link, and both stay.

Only claims of members that run count, and none that is older than `CLAIM_LIFE_S`. A NAT that lies
can have tables moved to itself from a NAT that cannot answer or is slow to; it cannot keep them
from one that answers, and by lies of its own ailment it only loses its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nat_failover.model import Claim, Observation

CLAIM_LIFE_S = 130.0
"""Twice what the watch lets pass between two claims, and some seconds for their way."""

CONTRADICT_S = 1.2
"""How long an accused NAT has for its answer: a second, and what a message takes. From SNS to the
function it takes 73 ms in the median, 225 ms at p99 (1 024 messages in eu-west-1, 2022)."""

MUTUAL_S = 65.0
"""How old the answer of an accused NAT may be that does not hear its accuser either."""

_SAYS = {"egress": "has no egress", "forwarding": "does not forward"}


class Claims:
    """The newest claims of the members, at the time of an observation."""

    def __init__(self, observation: Observation) -> None:
        members = {
            nat.instance
            for nat in observation.nats
            if nat.lifecycle is not None and nat.state == "running"
        }
        self._now = observation.now
        self._of = {
            claim.instance: claim
            for claim in sorted(observation.claims, key=lambda claim: claim.received)
            if claim.instance in members and self._now - claim.received <= CLAIM_LIFE_S
        }

    def of(self, instance: str) -> Claim | None:
        """Return what a NAT said last, if that counts."""
        return self._of.get(instance)

    def sickness(self, instance: str) -> str | None:
        """Say in words why a NAT is sick, or None."""
        own = self._of.get(instance)
        if own and own.ailment:
            return f"it says that it {_SAYS.get(own.ailment, own.ailment)}"
        for accuser in self._accusers(instance):
            if instance in accuser.ill and not (own and own.received > accuser.received):
                return f"{accuser.instance} was told by it that it is ill"
            if self._is_silent(instance, accuser):
                return f"{accuser.instance} does not hear it"
        return None

    def due(self) -> float | None:
        """Return when the next accusation is old enough to count, if one is too young."""
        young = (
            began + CONTRADICT_S
            for claim in self._of.values()
            for peer, began in _silences(claim)
            if self._now < began + CONTRADICT_S and not self._answers(peer, claim, began)
        )
        return min(young, default=None)

    def broken_links(self) -> tuple[tuple[str, str], ...]:
        """Return the pairs of NATs that both say that they do not hear the other, sorted."""
        return tuple(
            sorted(
                (claim.instance, peer)
                for claim in self._of.values()
                for peer, _ in _silences(claim)
                if claim.instance < peer and self._accuses(peer, claim.instance)
            )
        )

    def knows_ring(self, instance: str, version: int) -> bool:
        """Say whether a NAT knows a version of the ring; who says nothing is not waited for."""
        claim = self._of.get(instance)
        return claim is None or claim.ring is None or claim.ring >= version

    def _accusers(self, instance: str) -> Iterator[Claim]:
        for name, claim in sorted(self._of.items()):
            if name != instance and not claim.ailment:
                yield claim

    def _is_silent(self, instance: str, accuser: Claim) -> bool:
        return any(
            began + CONTRADICT_S <= self._now and not self._answers(instance, accuser, began)
            for peer, began in _silences(accuser)
            if peer == instance
        )

    def _answers(self, instance: str, accuser: Claim, began: float) -> bool:
        """Say whether an accused NAT has answered since an accusation began."""
        own = self._of.get(instance)
        if own is None or own.ailment:
            return False
        return own.received >= began or self._accuses(instance, accuser.instance)

    def _accuses(self, instance: str, peer: str) -> bool:
        own = self._of.get(instance)
        recent = own is not None and self._now - own.received <= MUTUAL_S
        return recent and own is not None and any(said == peer for said, _ in _silences(own))


def _silences(claim: Claim) -> list[tuple[str, float]]:
    return sorted((accusation.peer, accusation.began) for accusation in claim.silent)
