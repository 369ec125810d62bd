"""A month of NATs that are well, of which the moments are played in which something is lost.

In between every heartbeat is heard and every probe answered, so that nothing changes: there the
watches are asked now and then.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from cdk_nat_failover.instances.watch.judgement import PROBE_S, PROBE_TIMEOUT_S, Watch
from cdk_nat_failover.instances.watch.said import Peer, Ring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cdk_nat_failover.instances.watch.said import Claim

MONTH = 30 * 86_400.0
DAY = 86_400.0

_BEFORE, _AFTER = 1.0, 4.0
"""Seconds that are played around a loss: more than what it may lead to."""


_STEP = 29.0
"""Seconds between two moments of the time in which nothing changes."""

_SOONEST = 0.05
"""Seconds between two turns of a watch at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """How many of a NAT's probes get lost, never two in a row.

    `pause` is for how many seconds a NAT hears and says nothing once a day, as one that is moved to
    another host.
    """

    one_in: int
    pause: float = 1.9


@dataclass(slots=True)
class QuietNats:
    """NATs of one ring; `claimed` is called with each claim and its time."""

    count: int
    losses: Losses
    seed: int
    claimed: Callable[[Claim, float], None]
    now: float = 0.0
    lost: int = 0
    _watches: dict[str, Watch] = field(init=False)
    _ring: Ring = field(init=False)
    _random: Random = field(init=False)
    _pauses: dict[str, float] = field(init=False, default_factory=dict)
    _loses: set[str] = field(init=False, default_factory=set)
    _due: list[tuple[float, int, Callable[[str], None], str]] = field(
        init=False, default_factory=list
    )
    _number: int = 0

    def __post_init__(self) -> None:
        names = [f"i-{number}" for number in range(self.count)]
        self._random = Random(self.seed)  # noqa: S311 - not a secret
        self._watches = {name: Watch(name, 0.0) for name in names}
        self._ring = Ring(tuple(Peer(name, name) for name in names), version=1)

    def play(self, seconds: float) -> None:
        """Let time pass."""
        self._play_until(60.0)
        for moment, name, what in self._disturbances(seconds):
            self._skip_until(moment - _BEFORE)
            self._play_until(moment)
            what(name)
            self._play_until(moment + _AFTER)

    def _disturbances(self, seconds: float) -> Iterator[tuple[float, str, Callable[[str], None]]]:
        """Yield when something is lost at which NAT, in order."""
        yield from heapq.merge(
            *(self._lost_probes(name, seconds) for name in self._watches),
            *(self._paused(name, seconds) for name in self._watches),
            key=lambda row: row[0],
        )

    def _lost_probes(
        self, name: str, seconds: float
    ) -> Iterator[tuple[float, str, Callable[[str], None]]]:
        at = 60.0
        while (at := at + self._random.expovariate(1 / (self.losses.one_in * PROBE_S))) < seconds:
            yield at, name, self._loses.add

    def _paused(
        self, name: str, seconds: float
    ) -> Iterator[tuple[float, str, Callable[[str], None]]]:
        for day in range(int(seconds // DAY)):
            yield day * DAY + self._random.uniform(60, DAY), name, self._pause

    def _pause(self, name: str) -> None:
        self._pauses[name] = self.now + self.losses.pause

    def _skip_until(self, moment: float) -> None:
        while self.now + _STEP < moment:
            self.now += _STEP
            for name in self._watches:
                self._advance(name)
        self.now = max(self.now, moment)

    def _play_until(self, end: float) -> None:
        """Play every heartbeat and probe; what is under way at the end arrives then."""
        for name in self._watches:
            self._at(self.now + self._random.uniform(0, 0.5), self._turn, name)
        while self._due and self._due[0][0] < end:
            self.now, _, what, name = heapq.heappop(self._due)
            what(name)
        self.now = max(self.now, end)
        for _, _, what, name in sorted(self._due, key=lambda row: row[:2]):
            if what != self._turn:
                what(name)
        self._due.clear()

    def _at(self, moment: float, what: Callable[[str], None], name: str) -> None:
        self._number += 1
        heapq.heappush(self._due, (moment, self._number, what, name))

    def _turn(self, name: str) -> None:
        again = self._pauses.get(name, 0.0)
        if again <= self.now:
            again = max(self._advance(name), self.now + _SOONEST)
        self._at(again, self._turn, name)

    def _advance(self, name: str) -> float:
        watch = self._watches[name]
        opinion = watch.advance(self.now)
        if opinion.claim:
            self.claimed(opinion.claim, self.now)
        if opinion.heartbeat:
            for peer, other in self._watches.items():
                if peer != name and self._pauses.get(peer, 0.0) <= self.now:
                    other.heard(opinion.heartbeat, self.now, name)
        if opinion.probe_due:
            self._probe(name)
        if opinion.ring_due:
            watch.told(self._ring, self.now)
        return opinion.again

    def _probe(self, name: str) -> None:
        if name in self._loses:
            self._loses.discard(name)
            self.lost += 1
            self._at(self.now + PROBE_TIMEOUT_S, self._fails, name)
        else:
            self._watches[name].probed(ok=True, now=self.now)

    def _fails(self, name: str) -> None:
        self._watches[name].probed(ok=False, now=self.now)
