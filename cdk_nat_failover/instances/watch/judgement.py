"""What a NAT thinks of itself and its peers: pure, with time as data.

No clock and no I/O: what happened is given with its time, and `Watch.advance` says what follows.
The unit on the instance and the lab run this same module. Nothing is moved here: the function
judges from what all NATs say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .said import EGRESS, FORWARDING, Claim, Heartbeat, Peer, Ring

if TYPE_CHECKING:
    from collections.abc import Iterator

HEARTBEAT_S = 0.5
"""Between two heartbeats: five are missed before a peer counts as silent."""

SILENT_S = 2.5
"""Since a peer was heard. VRRP with 1 s on cloud instances raised false alarms in half of the
live migrations, and none with 2 s (github.com/MissionCriticalCloud/cosmic-core/issues/73)."""

GRACE_S = 900.0
"""For a peer that was never heard: it may be of a version without a watch, and about to be
replaced by the update that brought this one."""

PROBE_S = 2.0
"""Between two attempts to reach the internet."""

PROBE_AGAIN_S = 0.5
"""After an attempt that failed."""

PROBE_TIMEOUT_S = 1.2
"""Of an attempt: Linux sends a lost SYN again after 1 s (RFC 6298)."""

FAILURES = 3
"""Attempts in a row that mean a lost egress, each at another target. Through a NAT that is well,
one in 360 to 2 400 fails on AWS, and never were two in a row seen (github.com/nowakeai/betternat,
its soak test)."""

SUCCESSES = 3
"""Attempts in a row that mean an egress found again: one may be luck."""

ALL_AT_ONCE_S = 8.0
"""Since the own egress was found again, until peers without one are told of: it may have come back
to all, and they need up to `PROBE_TIMEOUT_S + PROBE_AGAIN_S + 2 * PROBE_S` to be sure of it."""

REPORT_S = 60.0
"""Between two claims when all is well: the function takes none that is older than two of these."""

ALERT_S = 10.0
"""Between two claims while something is not well, or this NAT leaves."""

CLAIM_S = 1.0
"""Between any two claims, and between those that contradict an accusation."""

CONTRADICTIONS_S = 3.0
"""For how long a new accusation is contradicted each second: messages overtake each other."""

RING_S = 2.0
"""Between two reads of the ring."""

RING_HINT_S = 0.5
"""Between two reads, when a heartbeat names another version or comes from a stranger."""

EMPTY_S = 10.0
"""Without a flow, before a leaving NAT says that it carries none."""

PAUSE_S = 1.0
"""Between two calls: what is longer was a pause of this process, not a silence of its peers."""

_NEVER = float("inf")


@dataclass(frozen=True)
class Opinion:
    """What follows at a moment; what is not due is None or False.

    `successors` are the peers that flows can be handed over to, in the order of the ring; `again`
    is when to ask next, if nothing happens before.
    """

    heartbeat: Heartbeat | None
    claim: Claim | None
    successors: tuple[Peer, ...]
    probe_due: bool
    ring_due: bool
    again: float


@dataclass
class _Heard:
    """What is known of a peer from itself: its last heartbeat, and since when it is silent.

    One that was never heard is silent `since` it could have been.
    """

    since: float
    at: float | None = None
    said: Heartbeat | None = None
    silent: float | None = None

    @property
    def ailment(self) -> str | None:
        """What it said of itself last; silence cures nothing."""
        return self.said.ailment if self.said else None

    @property
    def gone(self) -> bool:
        """Whether it said farewell."""
        return self.said is not None and self.said.bye

    @property
    def lives(self) -> bool:
        return self.at is not None and self.silent is None and not self.gone

    def shift(self, gap: float) -> None:
        """Leave out a time in which nothing could be heard here."""
        self.since += gap
        if self.at is not None:
            self.at += gap

    def late_at(self, state: str) -> float:
        """Return when it counts as silent, if it is not heard before."""
        if self.gone or state == "booting":
            return _NEVER
        if self.at is not None:
            return self.at + SILENT_S
        # The function knows already: whoever starts anew does not acquit, not for a moment.
        if state == "sick":
            return self.since
        return _NEVER if state == "leaving" else self.since + SILENT_S + GRACE_S


@dataclass
class _Egress:
    """The own attempts to reach the internet; `decided` once they say anything."""

    due: float
    failures: int = 0
    successes: int = 0
    lost: bool = False
    found_at: float = -_NEVER
    decided: bool = False

    def attempted(self, ok: bool | None, now: float) -> None:  # noqa: FBT001 - the outcome
        self.due = now + (PROBE_AGAIN_S if ok is False else PROBE_S)
        self.failures = self.failures + 1 if ok is False else 0
        self.successes = self.successes + 1 if ok else 0
        if self.failures >= FAILURES:
            self.lost = True
        elif self.lost and (ok is None or self.successes >= SUCCESSES):
            self.lost, self.found_at = False, now
        self.decided = self.decided or ok is not False or self.lost


@dataclass
class _Flows:
    """How many established flows a leaving NAT carries."""

    count: int | None = None
    last: int | None = None
    empty_since: float | None = None

    def counted(self, count: int, now: float) -> None:
        self.count = count
        if count:
            self.last, self.empty_since = count, None
        elif self.empty_since is None:
            self.empty_since = now

    def said(self, now: float) -> int | None:
        if self.empty_since is not None and now - self.empty_since >= EMPTY_S:
            return 0
        return self.last


class Watch:
    """One NAT's judgement; every call has the time, which only grows."""

    def __init__(self, me: str, now: float) -> None:
        """Know nobody yet, and say nothing before the own egress was tried."""
        self.me = me
        self.ring = Ring()
        self._now = now
        self._peers: dict[str, _Heard] = {}
        self._egress = _Egress(due=now)
        self._forwards = True
        self._flows = _Flows()
        self._accused: dict[str, float] = {}
        self._claimed: Claim | None = None
        self._claimed_at = -_NEVER
        self._sequence = 0
        self._beat_at = now
        self._ring_at = now

    # What happened

    def told(self, ring: Ring | None, now: float) -> None:
        """Take the ring as it was read; None, if it could not be read: the last one stands."""
        self._pass(now)
        self._ring_at = now + RING_S
        if ring is None:
            return
        self.ring = ring
        others = [peer.instance for peer in ring.members if peer.instance != self.me]
        known = self._peers
        self._peers = {name: known.get(name) or _Heard(since=now) for name in others}
        self._accused = {name: at for name, at in self._accused.items() if name in self._peers}
        for peer in ring.members:
            heard = self._peers.get(peer.instance)
            if heard and heard.at is None and peer.state == "booting":
                heard.since = now
        if not self.leaving:
            self._flows = _Flows()

    def heard(self, heartbeat: Heartbeat, now: float, source: str | None = None) -> None:
        """Take a heartbeat that came from an address, if it is a peer's and no older one."""
        self._pass(now)
        heard = self._peers.get(heartbeat.instance)
        peer = self.ring.peer(heartbeat.instance)
        if heard is None or peer is None or source not in {None, peer.address}:
            self._ring_at = min(self._ring_at, now + RING_HINT_S)
            return
        if heard.lives and heard.said and heartbeat.sequence <= heard.said.sequence:
            return
        if heartbeat.ring != self.ring.version:
            self._ring_at = min(self._ring_at, now + RING_HINT_S)
        heard.at, heard.said, heard.silent = now, heartbeat, None
        if self.me not in heartbeat.silent:
            self._accused.pop(heartbeat.instance, None)
        else:
            self._accused.setdefault(heartbeat.instance, now)

    def probed(self, ok: bool | None, now: float) -> None:  # noqa: FBT001 - the outcome
        """Take the outcome of an attempt to reach the internet; None, if there is no target."""
        self._pass(now)
        self._egress.attempted(ok, now)

    def forwards(self, ok: bool, now: float) -> None:  # noqa: FBT001 - the outcome
        """Take whether the rules are loaded and the kernel forwards: one look is enough."""
        self._pass(now)
        self._forwards = ok

    def flows(self, count: int, now: float) -> None:
        """Take how many established flows there are; asked for only while `leaving`."""
        self._pass(now)
        self._flows.counted(count, now)

    # What follows

    @property
    def leaving(self) -> bool:
        """Whether the ring says that this NAT leaves."""
        mine = self.ring.peer(self.me)
        return mine is not None and mine.state == "leaving"

    @property
    def ailment(self) -> str | None:
        """What is wrong with this NAT, if anything is known to be."""
        if not self._forwards:
            return FORWARDING
        return EGRESS if self._egress.lost else None

    def advance(self, now: float) -> Opinion:
        """Return what is due now: it is given once, and counts as done."""
        now = self._pass(now)
        late_at = self._notice_silence(now)
        claim = self._claim_due(now)
        return Opinion(
            heartbeat=self._heartbeat_due(now, changed=claim is not None),
            claim=claim,
            successors=tuple(self._successors()),
            probe_due=self._take_probe(now),
            ring_due=self._take_ring(now),
            again=min(now + HEARTBEAT_S, self._beat_at, self._egress.due, self._ring_at, late_at),
        )

    def farewell(self, now: float) -> Heartbeat:
        """Return the heartbeat that says that this watch ends."""
        return replace(self._heartbeat(self._pass(now)), bye=True)

    def _pass(self, now: float) -> float:
        now = max(now, self._now)
        if (gap := now - self._now) > PAUSE_S:
            for heard in self._peers.values():
                heard.shift(gap)
        self._now = now
        return now

    def _notice_silence(self, now: float) -> float:
        """Return when the next peer counts as silent."""
        late_at = _NEVER
        for name, heard in self._peers.items():
            peer = self.ring.peer(name)
            if peer is None or heard.silent is not None:
                continue
            if (at := heard.late_at(peer.state)) <= now:
                # What one that was never heard has told the function meanwhile is an answer.
                heard.silent = heard.since if heard.at is None else now
            else:
                late_at = min(late_at, at)
        return late_at

    def _silent(self) -> dict[str, float]:
        found = ((name, heard.silent) for name, heard in sorted(self._peers.items()))
        return {name: since for name, since in found if since is not None}

    def _heartbeat(self, now: float) -> Heartbeat:
        self._sequence = max(self._sequence + 1, int(now * 1000))
        return Heartbeat(
            instance=self.me,
            sequence=self._sequence,
            ailment=self.ailment,
            silent=tuple(self._silent()),
            ring=self.ring.version,
        )

    def _heartbeat_due(self, now: float, *, changed: bool) -> Heartbeat | None:
        if not self._egress.decided or (now < self._beat_at and not changed):
            return None
        # One that is sent before its time, with a claim, puts off none that follows.
        self._beat_at = max(min(self._beat_at, now) + HEARTBEAT_S, now + HEARTBEAT_S / 2)
        return self._heartbeat(now)

    def _claim(self, now: float) -> Claim:
        return Claim(
            instance=self.me,
            ailment=self.ailment,
            silent=self._silent(),
            ill=dict(self._ill(now)),
            ring=self.ring.version,
            flows=self._flows.said(now) if self.leaving else None,
        )

    def _ill(self, now: float) -> Iterator[tuple[str, str]]:
        """Yield the peers that say that they are ill, and what ails them."""
        found_now = now - self._egress.found_at < ALL_AT_ONCE_S
        for name, heard in sorted(self._peers.items()):
            if heard.ailment and not heard.gone and not (found_now and heard.ailment == EGRESS):
                yield name, heard.ailment

    def _claim_due(self, now: float) -> Claim | None:
        since = now - self._claimed_at
        if not self._egress.decided or since < CLAIM_S:
            return None
        claim = self._claim(now)
        same = self._claimed is not None and _substance(claim) == _substance(self._claimed)
        if same and since < self._renewal(claim, now):
            return None
        self._claimed_at, self._claimed = now, claim
        return claim

    def _renewal(self, claim: Claim, now: float) -> float:
        accused = self._accused.values()
        if claim.ailment is None and any(now - began < CONTRADICTIONS_S for began in accused):
            return CLAIM_S
        alert = claim.ailment or claim.silent or claim.ill or accused or self.leaving
        return ALERT_S if alert else REPORT_S

    def _successors(self) -> Iterator[Peer]:
        """Yield the peers that may know a flow, the next of the ring first."""
        members = self.ring.members
        after = [peer for peer in members if peer.instance > self.me]
        before = [peer for peer in members if peer.instance < self.me]
        for peer in (*after, *before):
            heard = self._peers[peer.instance]
            if heard.lives and not heard.ailment and peer.state not in {"booting", "sick"}:
                yield peer

    def _take_probe(self, now: float) -> bool:
        """Say once that an attempt is due: the next is when its outcome is known."""
        due = now >= self._egress.due
        if due:
            self._egress.due = _NEVER
        return due

    def _take_ring(self, now: float) -> bool:
        due = now >= self._ring_at
        if due:
            self._ring_at = _NEVER
        return due


def _substance(claim: Claim) -> tuple[object, ...]:
    """Return what makes a claim another one: not the number of flows, as long as there are some."""
    some = None if claim.flows is None else claim.flows > 0
    return (claim.ailment, tuple(claim.silent), dict(claim.ill), claim.ring, some)
