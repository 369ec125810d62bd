"""The ring: which NATs know each other, and whether a planned move has to wait for that. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nat_failover.actions import PublishRing
from nat_failover.model import Health, InstanceState, Peer

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from nat_failover.claims import Claims
    from nat_failover.model import Judgement, Observation

RING_WAIT_S = 6.0
"""How long a planned move waits for the NATs to know each other: two reads by each of them, and the
way of their claims. It moves anyway then."""

REFUSED = ("peers", "ring")
"""In `Observation.refused`: AWS refused to take the ring in this run."""

_MEMBERS = frozenset({Health.USABLE, Health.BOOTING, Health.LEAVING, Health.SICK})


def wanted(health: Iterable[Judgement], unwatched: Container[str] = ()) -> tuple[Peer, ...]:
    """Return the members that the ring should have: whatever runs, listed by the group.

    Those without a watch answer nobody, and would be taken for NATs that hang.
    """
    return tuple(
        Peer(instance=said.nat.instance, address=said.nat.address, state=str(said.health))
        for said in sorted(health, key=lambda said: said.nat.instance)
        if said.nat.address
        and said.nat.lifecycle
        and said.nat.instance not in unwatched
        and said.nat.state is InstanceState.RUNNING
        and said.health in _MEMBERS
    )


def publication(observation: Observation, members: tuple[Peer, ...]) -> Iterator[PublishRing]:
    """Yield the write of the ring, where it differs from what was written."""
    ring = observation.ring
    if ring is None or ring.members == members or REFUSED in observation.refused:
        return
    yield PublishRing(
        members=members,
        found=ring.version,
        at=observation.now,
        reason="the NATs shall know each other",
    )


def waits_until(
    observation: Observation, claims: Claims, members: tuple[Peer, ...]
) -> float | None:
    """Return until when a planned move waits for the NATs to know each other; None if it need not.

    Nobody is waited for who does not say which version it knows.
    """
    ring = observation.ring
    if ring is None or REFUSED in observation.refused:
        return None
    if ring.members != members:
        return observation.now + RING_WAIT_S
    until = ring.written + RING_WAIT_S
    waits = any(not claims.knows_ring(peer.instance, ring.version) for peer in members)
    return until if waits and observation.now < until else None
