"""Who is sick by what the NATs say of themselves and of each other. Pure.

A claim is hearsay: what some holder of the instance role published. So an accuser alone never
decides against a NAT that answers. A NAT is sick if

1. its own newest claim says so, and has done for `FOUND_AGAIN_S` if it is of a lost egress and
   nothing else showed the NAT sick: it could hardly publish that, so the egress may be back; or
2. a NAT that is well was told so by this one, which has not said otherwise to the function since;
   or
3. a NAT that is well does not hear it any more, since `CONTRADICT_S` at least, and it has not said
   since that it is well, nor that it does not hear the other: that is a broken link, and both stay.

Rules 2 and 3 need every witness: a NAT that is well, that knows the ring, and of which the accuser
does not say that it is silent or ill too, hears what the accuser heard.

Only members' claims count, and none that is older than `CLAIM_LIFE_S`; an accuser runs, is past its
boot and healthy for its group.

What a NAT that lies, under its own name, can do: lose its own tables; of two NATs, or by accusing
all others at once, draw to itself the tables of those that do not answer its latest word, until
they next say that they are well (within a minute, or 10 s of being accused), and have them replaced
at the pace of `members`; and hold off the failback to a NAT for as long as it accuses that. As a
witness of one that hangs it can keep that one's tables where they are, for as long as it says so
and AWS's health checks notice nothing. What it cannot do: take tables from a NAT that has answered
since; take one from a NAT that a witness hears; get tables while it calls itself ill and another
NAT is usable; keep a table that AWS shows to be lost from being repaired.

Nothing proves who speaks. Who publishes under another's name can do what that one could, and keep
its own word out by a sequence that it does not reach. So who speaks for all of them chooses which
members serve, also one that hangs. Even then no table is led to an instance of which AWS knows
something ill; while all are called sick, no route to one of them is changed; and no more are
replaced than `members` lets be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nat_failover.model import Claim, Nat, Observation

CLAIM_LIFE_S = 130.0
"""Twice what the watch lets pass between two claims, and some seconds for their way."""

CONTRADICT_S = 1.2
"""How long an accused NAT has for its answer: a second, and what a message takes. From SNS to the
function it takes 73 ms in the median, 225 ms at p99 (1 024 messages in eu-west-1, 2022)."""

MUTUAL_S = 65.0
"""How old the answer of an accused NAT may be that does not hear its accuser either."""

FOUND_AGAIN_S = 8.0
"""How long a NAT may need to say that its egress is back: three attempts that succeed, after one
that does not (judgement.py of the watch). A claim that could not be delivered arrives before."""

FELL_SILENT_S = 300.0
"""After how long without a claim a NAT that used to make some has fallen silent: none came of five,
one a minute. Of a single NAT that says little; of all at once, that they may have no egress
to publish by."""

TOGETHER_S = 120.0
"""How far apart the last claims of NATs may be that fell silent by the same cause: each makes one a
minute."""

EGRESS = "egress"
"""The ailment of a NAT that reaches nothing on the internet."""

_SAYS = {EGRESS: "has no egress", "forwarding": "does not forward"}


class Claims:
    """The newest claims of the members, at the time of an observation."""

    def __init__(self, observation: Observation) -> None:
        members = {nat.instance for nat in observation.nats if nat.lifecycle is not None}
        self._credible = {nat.instance for nat in observation.nats if _is_credible(nat)}
        self._ring = observation.ring.version if observation.ring else None
        self._now = observation.now
        self._last = {claim.instance: claim.received for claim in observation.claims}
        histories = observation.history
        self._were_usable = {each.instance for each in histories if each.usable_since is not None}
        self._of = {
            claim.instance: claim
            for claim in sorted(observation.claims, key=lambda claim: claim.received)
            if claim.instance in members and self._now - claim.received <= CLAIM_LIFE_S
        }

    def of(self, instance: str) -> Claim | None:
        """Return what a NAT said last, if that counts."""
        return self._of.get(instance)

    def speaks_well(self, instance: str) -> bool:
        """Say whether a NAT says that it is well, or has not begun to say anything."""
        own = self._of.get(instance)
        return own.ailment is None if own else instance not in self._last

    def last(self, instance: str) -> float:
        """Return when a NAT made its last claim, 0 if it made none."""
        return self._last.get(instance, 0.0)

    def fell_silent(self, instance: str) -> bool:
        """Say whether a NAT made claims once, and has made none for long."""
        last = self._last.get(instance)
        return last is not None and self._now - last > FELL_SILENT_S

    def sickness(self, instance: str) -> str | None:
        """Say in words why a NAT is sick, or None."""
        own = self._of.get(instance)
        if own and own.ailment and not self._may_be_over(own):
            return f"it says that it {_SAYS.get(own.ailment, own.ailment)}"
        for accuser in self._accusers(instance):
            if self._is_heard(instance, accuser):
                continue
            if instance in accuser.ill and not (own and own.received >= accuser.received):
                return f"{accuser.instance} was told by it that it is ill"
            if self._is_silent(instance, accuser):
                return f"{accuser.instance} does not hear it"
        return None

    def due(self) -> float | None:
        """Return when the next claim is old enough to count, if one is too young."""
        return min(self._ripen(), default=None)

    def _ripen(self) -> Iterator[float]:
        for claim in self._of.values():
            if self._may_be_over(claim):
                yield claim.received + FOUND_AGAIN_S
            for peer, began in _silences(claim):
                if self._now < began + CONTRADICT_S and not self._answers(peer, claim, began):
                    yield began + CONTRADICT_S

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

    def is_accused(self, instance: str) -> bool:
        """Say whether the NAT or anybody who counts says that it is ill, whatever it answers."""
        own = self._of.get(instance)
        by_itself = own is not None and own.ailment is not None
        return by_itself or any(_blames(claim, instance) for claim in self._accusers(instance))

    def _may_be_over(self, own: Claim) -> bool:
        """Say whether what a NAT says to ail it may be of before its egress came back."""
        young = self._now < own.received + FOUND_AGAIN_S
        return own.ailment == EGRESS and young and own.instance in self._were_usable

    def _accusers(self, instance: str) -> Iterator[Claim]:
        for name, claim in sorted(self._of.items()):
            if name != instance and name in self._credible and not claim.ailment:
                yield claim

    def _is_heard(self, instance: str, accuser: Claim) -> bool:
        """Say whether a witness hears a NAT of which another one says that it is silent or ill."""
        return any(
            witness.ring is not None
            and witness.ring == self._ring
            and self._now - witness.received <= MUTUAL_S
            and not _blames(witness, instance)
            and not _blames(accuser, witness.instance)
            for witness in self._accusers(instance)
            if witness != accuser
        )

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


def without_watch(observation: Observation) -> frozenset[str]:
    """Return the members that say nothing and never will: people have attached them to the group.

    A watch publishes by the role of an instance profile. So a NAT with another one than those that
    ever said anything has none. What the group shows as its launch template proves nothing: that of
    an attached instance is the group's, in the example of "Attach EC2 instances to your Auto
    Scaling group" (EC2 Auto Scaling user guide). One that is terminated may be shown without its
    profile. While nobody knows who said something, those whom the ring has did.
    """
    ring = observation.ring.members if observation.ring else ()
    known = observation.claims if observation.memory_readable else ring
    said = {each.instance for each in known}
    profiles = {nat.profile for nat in observation.nats if nat.profile and nat.instance in said}
    return frozenset(
        nat.instance for nat in observation.nats if profiles and nat.profile not in profiles
    )


def _is_credible(nat: Nat) -> bool:
    """Say whether a NAT may accuse others: it runs, is past its boot, and healthy for its group."""
    booting = nat.lifecycle is None or nat.lifecycle.startswith(("Pending", "Warmed"))
    return nat.state == "running" and not booting and nat.healthy and nat.addressed


def _blames(claim: Claim, instance: str) -> bool:
    return instance in claim.ill or any(said == instance for said, _ in _silences(claim))


def _silences(claim: Claim) -> list[tuple[str, float]]:
    return sorted((accusation.peer, accusation.began) for accusation in claim.silent)
