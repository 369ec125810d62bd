"""Several NATs that watch each other in virtual time: what one sends the others hear at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cdk_nat_failover.instances.watch.judgement import Opinion, Watch
from cdk_nat_failover.instances.watch.said import Claim, Heartbeat, Peer, Ring

if TYPE_CHECKING:
    from collections.abc import Iterable

STEP_S = 0.1


def any_ring(*names: str, version: int = 1, **states: str) -> Ring:
    """Return a ring of NATs that are usable where no other state is said."""
    return Ring(
        members=tuple(
            Peer(instance=name, address=f"10.0.0.{place}", state=states.get(name, "usable"))
            for place, name in enumerate(sorted(names), start=4)
        ),
        version=version,
    )


def any_heartbeat(instance: str, sequence: int, **said: object) -> Heartbeat:
    """Return a heartbeat of a NAT that knows version 1 of the ring."""
    return Heartbeat(instance=instance, sequence=sequence, **{"ring": 1, **said})  # type: ignore[arg-type] # values of a test


def any_watch(ring: Ring, me: str = "a", now: float = 0.0) -> Watch:
    """Return the watch of a NAT that has its ring, and egress."""
    watch = Watch(me, now)
    watch.told(ring, now)
    watch.probed(ok=True, now=now)
    return watch


@dataclass
class Nats:
    """NATs with a ring; the sets say what is broken, and `claims` what each published."""

    ring: Ring
    now: float = 1000.0
    without_egress: set[str] = field(default_factory=set)
    without_rules: set[str] = field(default_factory=set)
    frozen: set[str] = field(default_factory=set)
    cut: set[tuple[str, str]] = field(default_factory=set)
    watches: dict[str, Watch] = field(default_factory=dict)
    opinions: dict[str, Opinion] = field(default_factory=dict)
    claims: list[tuple[float, Claim]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start a watch on each."""
        for peer in self.ring.members:
            self.start(peer.instance)

    def start(self, name: str) -> None:
        """Start a watch, anew if there was one."""
        self.watches[name] = Watch(name, self.now)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds / STEP_S)):
            self.now = round(self.now + STEP_S, 3)
            for name in sorted(set(self.watches) - self.frozen):
                self._step(name, self.watches[name])

    def since(self, began: float, instance: str) -> list[Claim]:
        """Return what a NAT has published since."""
        return [claim for at, claim in self.claims if at > began and claim.instance == instance]

    def heard_by(self, name: str) -> Iterable[str]:
        """Return whom a NAT can hear."""
        return (other for other in self.watches if other != name and (name, other) not in self.cut)

    def _step(self, name: str, watch: Watch) -> None:
        watch.forwards(ok=name not in self.without_rules, now=self.now)
        opinion = watch.advance(self.now)
        self.opinions[name] = opinion
        if opinion.ring_due:
            watch.told(self.ring, self.now)
        if opinion.probe_due:
            watch.probed(ok=name not in self.without_egress, now=self.now)
        if opinion.claim:
            self.claims.append((self.now, opinion.claim))
        if opinion.heartbeat:
            for other in set(self.heard_by(name)) - self.frozen:
                self.watches[other].heard(opinion.heartbeat, self.now)
