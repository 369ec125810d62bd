"""Observes the stack again and again, and says what changed.

Its reads are the function's own (`nat_failover.observe`): three at the same time, complete or not
at all. How what they see is judged is not the function's (`egress`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lab.account.egress import ways
from lab.account.spans import Snapshot, change
from lab.drills.outcome import Moment
from lab.emulator.journal import Who
from nat_failover.model import InstanceState
from nat_failover.observe import observe
from nat_failover.route_tables import IncompleteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lab.account.clock import AccountClock
    from nat_failover.clients import Clients
    from nat_failover.contract import Settings
    from nat_failover.model import Nat, Observation

INTERVAL_S = 1.0
"""From one observation to the next, or as long as one takes; three calls of the 20 a second that
EC2 grants for filtered describing ("Request throttling", EC2 API developer guide)."""

SLOWEST_INTERVAL_S = 8.0
"""The same after observations that failed, each of which doubles it."""

SETTLED_S = 5.0
"""How long something must hold in each snapshot until it counts: a read may lag behind a write
("Eventual consistency", EC2 API developer guide; no figure published)."""


@dataclass(slots=True)
class StackObserver:
    """The snapshots of one stack so far; `note` gets each change as it is seen."""

    clients: Clients
    settings: Settings
    clock: AccountClock
    note: Callable[[Moment], None]
    snapshots: list[Snapshot] = field(default_factory=list)
    faults: list[float] = field(default_factory=list)
    failed: int = 0
    _pause: float = INTERVAL_S

    def begin(self, network: Observation, began: float) -> None:
        """Take the snapshot that found the stack well, and let the seconds count from now."""
        ended = self.clock.now()
        shift = self.clock.begin()
        snapshot = self._snapshot(network, began - shift, ended - shift)
        self.snapshots = [snapshot]

    def until(self, holds: Callable[[Snapshot], bool], limit: float) -> bool:
        """Observe until something holds and has settled; False when `limit` seconds pass first."""
        end, settled = self.clock.now() + self.clock.scaled(limit), self.clock.scaled(SETTLED_S)
        since: float | None = None
        while self.clock.now() < end:
            began = self.clock.now()
            if self.observe_once():
                latest = self.snapshots[-1]
                if not holds(latest):
                    since = None
                elif since is None:
                    since = latest.begin
                elif latest.end - since >= settled:
                    return True
            self.clock.wait_until(began + self.clock.scaled(self._pause))
        return False

    def observe_once(self) -> bool:
        """Take a snapshot; return whether it succeeded. Failure says nothing of the stack."""
        began = self.clock.now()
        try:
            network = observe(self.clients, self.settings)
        except (ClientError, BotoCoreError, IncompleteError) as error:
            self._missed(error)
            return False
        self._pause = INTERVAL_S
        snapshot = self._snapshot(network, began, self.clock.now())
        for moment in differences(self.snapshots[-1], snapshot, self.faults):
            self.note(moment)
        self.snapshots.append(snapshot)
        return True

    def _snapshot(self, network: Observation, began: float, ended: float) -> Snapshot:
        return Snapshot(
            begin=began, end=ended, network=network, ways=ways(network, self.settings.tables)
        )

    def _missed(self, error: Exception) -> None:
        self.failed += 1
        self._pause = min(self._pause * 2, SLOWEST_INTERVAL_S)
        said = " ".join(str(error).split())
        self.note(
            Moment(
                time=self.clock.now(),
                source=Who.LAB.value,
                kind="observation failed",
                what=f"no observation, so nothing new is known: {type(error).__name__}: {said}",
            )
        )


def differences(before: Snapshot, after: Snapshot, faults: Sequence[float]) -> Iterator[Moment]:
    """Yield what changed between two snapshots: of instances when it was seen, of egress since."""
    known = {nat.instance: nat for nat in before.network.nats}
    for nat in sorted(after.network.nats):
        for who, kind, what in _news(known.get(nat.instance), nat):
            yield Moment(time=after.end, source=who.value, kind=kind, what=what)
    for zone in sorted(after.ways):
        if found := change(zone, before, after, faults):
            what = f"private subnets of {zone} leave through {found.way.words}"
            yield Moment(time=found.time, source=Who.EC2.value, kind="egress", what=what)


def _news(was: Nat | None, nat: Nat) -> Iterator[tuple[Who, str, str]]:
    """Yield what is new of an instance; EC2 may not describe one yet that the group knows."""
    known = nat.state is not InstanceState.UNKNOWN
    if known and (was is None or was.state != nat.state):
        yield Who.EC2, "instance state", f"{nat.instance} is {nat.state}"
    if nat.lifecycle and (was is None or was.lifecycle != nat.lifecycle):
        yield Who.AUTO_SCALING, "membership", f"{nat.instance} is {nat.lifecycle}"
    if known and was and was.source_dest_check != nat.source_dest_check:
        switched = "on" if nat.source_dest_check else "off"
        yield Who.EC2, "check", f"{nat.instance} has its source/destination check {switched}"
