"""The loop: hears, says, and has done what the judgement finds due. Nothing in it waits.

Heartbeats go out and come in here, by one UDP socket; all that may take long is done beside it.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from typing import TYPE_CHECKING

from . import kernel
from .background import Background
from .egress import Egress, resolve
from .judgement import Watch
from .wire import LONGEST, claim_to_text, heartbeat_from_bytes, heartbeat_to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .said import Claim, Heartbeat, Peer, Ring

PORT = 4788
"""Of heartbeats; beside 4789, which is that of VXLAN."""

CHECK_S = 2.0
"""Between two looks at rules and forwarding, and between two counts of flows."""

RESOLVE_S = 60.0
"""Between two resolutions of the names, once there are addresses."""

REFRESH_S = 1.0
"""Between two times that the hand-over is told its peers, which it forgets by itself."""

TICK_S = 0.1
"""Until the loop looks at what was done beside it."""


def clock() -> float:
    """Return the seconds since this host was booted, which nobody sets."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Loop:
    """What one NAT does as long as it watches."""

    def __init__(  # noqa: PLR0913 - what it does is given to it, each thing by name
        self,
        me: str,
        targets: Sequence[str],
        *,
        publish: Callable[[str], None],
        read_ring: Callable[[], Ring],
        hand_over: Callable[[Sequence[Peer], Sequence[Peer], str], None],
        address: str = "",
    ) -> None:
        """Open the socket, and start what works beside the loop."""
        self.watch = Watch(me, clock())
        self._socket = _socket(address)
        self._egress = Egress()
        self._claim: Claim | None = None
        self._handed: object = None
        self._due = dict.fromkeys((CHECK_S, RESOLVE_S, REFRESH_S), 0.0)
        self._publish = Background(lambda it: publish(claim_to_text(it, clock())), insists=True)
        self._ring = Background(lambda _: read_ring(), self._told)
        self._resolve = Background(lambda _: resolve(targets), self._resolved)
        self._rules = Background(lambda _: kernel.forwards(), self._checked)
        self._flows = Background(kernel.established, self._counted)
        self._hand_over = Background(lambda given: hand_over(*given))
        asked = (self._ring, self._resolve, self._rules, self._flows)
        self._beside = (*asked, self._publish, self._hand_over)

    def run(self) -> None:
        """Go on until an exception ends it, such as that of a signal; say farewell then."""
        try:
            while True:
                self.step()
        finally:
            self._send(self.watch.farewell(clock()))

    def step(self) -> None:
        """Do what is due, then wait for what comes, but no longer than for what is due next."""
        now = clock()
        for beside in self._beside:
            beside.take(now)
        opinion = self.watch.advance(now)
        if opinion.heartbeat:
            self._send(opinion.heartbeat)
        if opinion.claim:
            self._say(opinion.claim)
        if opinion.ring_due:
            self._ring.give()
        if opinion.probe_due and (failed := self._egress.begin(now)) is not True:
            self.watch.probed(failed, now)
        self._look(now)
        self._hand(opinion.successors, now)
        self._wait(min(max(opinion.again - now, 0.0), TICK_S))

    def _told(self, ring: Ring | None, now: float) -> None:
        if ring and ring != self.watch.ring:
            print(ring)  # noqa: T201 - the journal takes it
        self.watch.told(ring, now)

    def _resolved(self, addresses: Sequence[str], _now: float) -> None:
        # A resolver that fails changes nothing.
        self._egress.addresses = addresses or self._egress.addresses

    def _checked(self, ok: bool | None, now: float) -> None:  # noqa: FBT001 - the outcome
        if ok is not None:
            self.watch.forwards(ok, now)

    def _counted(self, count: int | None, now: float) -> None:
        if count is not None:
            self.watch.flows(count, now)

    def _say(self, claim: Claim) -> None:
        if claim != self._claim:
            print(claim)  # noqa: T201 - the journal takes it
        self._claim = claim
        self._publish.give(claim)

    def _look(self, now: float) -> None:
        if self._is_due(CHECK_S, now):
            self._rules.give()
            mine = self.watch.ring.peer(self.watch.me)
            if mine and self.watch.leaving:
                self._flows.give(mine.address)
            if not self._egress.addresses:
                self._resolve.give()
        if self._is_due(RESOLVE_S, now):
            self._resolve.give()

    def _hand(self, successors: Sequence[Peer], now: float) -> None:
        given = (successors, self.watch.ring.members, self.watch.me)
        if self._is_due(REFRESH_S, now) or given != self._handed:
            self._handed = given
            self._hand_over.give(given)

    def _is_due(self, every: float, now: float) -> bool:
        due = now >= self._due[every]
        if due:
            self._due[every] = now + every
        return due

    def _wait(self, seconds: float) -> None:
        trying = [self._egress.socket] if self._egress.socket else []
        heard, connected, _ = select.select([self._socket], trying, [], seconds)
        now = clock()
        if heard:
            with contextlib.suppress(OSError):
                datagram, source = self._socket.recvfrom(LONGEST + 1)
                if heartbeat := heartbeat_from_bytes(datagram):
                    self.watch.heard(heartbeat, now, source[0])
        ended = self._egress.ended(now, writable=bool(connected))
        if ended is not None:
            self.watch.probed(ended, now)

    def _send(self, heartbeat: Heartbeat) -> None:
        for peer in self.watch.ring.members:
            if peer.instance != self.watch.me:
                with contextlib.suppress(OSError):
                    self._socket.sendto(heartbeat_to_bytes(heartbeat), (peer.address, PORT))


def _socket(address: str) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.settimeout(0)
    made.bind((address, PORT))
    return made
