"""A drill, once the person has said yes: execute, observe, revert, and the next fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lab.account import log
from lab.account.errors import RealDrillError
from lab.account.fault_actions import describe, undo, victims
from lab.account.interruption import uninterrupted
from lab.account.limits import LIMITS_S
from lab.account.observer import INTERVAL_S, StackObserver
from lab.account.preflight import choose, must_be_well, usable
from lab.account.refusals import in_a_sentence
from lab.account.result import outcome
from lab.drills.outcome import Moment
from lab.emulator.journal import Who
from nat_failover.contract import Failback
from nat_failover.model import InstanceState
from nat_failover.observe import observe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lab.account.account_writer import AccountWriter
    from lab.account.clock import AccountClock
    from lab.account.connections import Connections
    from lab.account.deployed import Deployed
    from lab.account.fault_actions import FaultAction
    from lab.account.faults import AccountFault
    from lab.account.spans import Snapshot
    from lab.drills.outcome import Outcome


class NotRevertedError(RealDrillError):
    """Something that the drill changed is still as it left it; the message says how to mend it."""


class DrillSession:
    """One drill of one stack."""

    def __init__(
        self,
        connections: Connections,
        deployed: Deployed,
        writer: AccountWriter,
        clock: AccountClock,
        tell: Callable[[Moment], None],
    ) -> None:
        self._connections = connections
        self._deployed = deployed
        self._writer = writer
        self._clock = clock
        self._tell = tell
        self._moments: list[Moment] = []
        self._injected: list[AccountFault] = []
        self._observer = StackObserver(connections.once, deployed.settings, clock, self._note)

    def run(self, faults: Sequence[AccountFault], named: FaultAction) -> Outcome:
        """Inject the faults; the first one does what was named to the person, or nothing.

        Raises:
            RealDrillError: when the first fault cannot be injected, or something not be reverted.
            botocore.exceptions.ClientError: when AWS refuses the first fault.

        """
        self._begin(faults[0], named)
        over = self._execute(faults[0], named)
        for fault in faults[1:]:
            over = self._go_on(fault, over=over)
        self._say_how_exact()
        injected = " ".join(map(str, self._injected))
        return outcome(injected, self._deployed, self._observer, self._runs(), self._moments)

    def _begin(self, fault: AccountFault, named: FaultAction) -> None:
        began = self._clock.now()
        network = observe(self._connections.patient, self._deployed.settings)
        must_be_well(network, self._deployed)
        if choose(fault, self._deployed, network) != named:
            message = (
                f"the stack {self._deployed.name} changed while you were asked, so nothing was"
                " done: run the drill again, which names what is there now"
            )
            raise RealDrillError(message)
        self._writer.check(named)
        self._observer.begin(network, began)

    def _go_on(self, fault: AccountFault, *, over: bool) -> bool:
        """Inject a fault after the first, if the one before is over and the stack is well."""
        if not over:
            self._say(Who.LAB, "note", f"{fault} is not injected: what came before is not over")
            return False
        try:
            with in_a_sentence():
                network = observe(self._connections.patient, self._deployed.settings)
                must_be_well(network, self._deployed)
                action = choose(fault, self._deployed, network)
                self._writer.check(action)
                return self._execute(fault, action)
        except NotRevertedError:
            raise
        except RealDrillError as error:
            self._say(Who.LAB, "note", f"{fault} is not injected: {error}")
            return False

    def _execute(self, fault: AccountFault, action: FaultAction) -> bool:
        """Execute it and observe until it is over, or revert it; return whether it was in time."""
        now, limit = self._clock.now(), LIMITS_S[fault.kind]
        self._injected.append(fault)
        self._observer.faults.append(now)
        self._note(Moment(time=now, source=Who.YOU.value, kind="fault", what=describe(action)))
        try:
            self._writer.execute(action)
            over = self._observer.until(self._is_over(action), limit)
        except ClientError:  # AWS refused the action: nothing was changed
            raise
        except BaseException as error:
            self._revert(action)
            if isinstance(error, BotoCoreError):
                raise RealDrillError(_unknown(action, error)) from error
            raise
        if not over:
            self._say(Who.LAB, "note", f"{fault} is not over {limit:.0f} s after it began")
            self._revert(action)
        return over

    def _is_over(self, action: FaultAction) -> Callable[[Snapshot], bool]:
        """Return what tells that the stack is as it was: as many NATs, each zone as it left."""
        before = self._observer.snapshots[-1]
        settings, enough = self._deployed.settings, len(usable(before.network))
        goes_home = settings.failback is Failback.AUTOMATIC
        homes = {zone for zone, way in before.ways.items() if way.zone == zone and goes_home}

        def is_over(snapshot: Snapshot) -> bool:
            lost = [nat for nat in snapshot.network.nats if nat.instance in victims(action)]
            return (
                all(nat.state is not InstanceState.RUNNING for nat in lost)
                and len(usable(snapshot.network)) >= enough
                and all(way.works for way in snapshot.ways.values())
                and all(snapshot.ways[zone].zone == zone for zone in homes)
            )

        return is_over

    def _revert(self, action: FaultAction) -> None:
        try:
            with uninterrupted(), in_a_sentence():
                done = self._writer.revert(action)
        except RealDrillError as error:
            message = f"the drill could not put back what it did ({error}): {undo(action)}"
            raise NotRevertedError(message) from error
        if done:
            self._say(Who.YOU, "put back", f"the drill puts back what it did: {done}")

    def _runs(self) -> tuple[log.FunctionRun, ...]:
        """Return the function's runs, or none where its log cannot be read."""
        clock, group = self._clock, self._deployed.log_group
        clock.wait_until(clock.now() + clock.scaled(log.LATE_S))
        epoch = clock.since_1970(0)
        try:
            with in_a_sentence():
                lines = log.read(self._connections.logs, group, epoch - clock.uncertainty)
        except RealDrillError as error:
            self._say(Who.LAB, "note", f"nothing is known of the function's runs: {error}")
            return ()
        told = ((time - epoch, text) for time, text in lines)
        return log.runs(told, since=-clock.uncertainty)

    def _say_how_exact(self) -> None:
        snapshots, failed = len(self._observer.snapshots), self._observer.failed
        self._say(
            Who.LAB,
            "note",
            f"{snapshots} observations, one about every {self._clock.scaled(INTERVAL_S):g} s, and"
            f" {failed} that failed: an outage is told up to two of them too long, and one between"
            f" two is missed; times of the log are exact to {self._clock.uncertainty:.1f} s",
        )

    def _say(self, who: Who, kind: str, what: str) -> None:
        self._note(Moment(time=self._clock.now(), source=who.value, kind=kind, what=what))

    def _note(self, moment: Moment) -> None:
        self._moments.append(moment)
        self._tell(moment)


def _unknown(action: FaultAction, error: Exception) -> str:
    said = " ".join(str(error).split())
    return (
        f"AWS did not answer ({said}), so it is not known whether this happened:"
        f" {describe(action)}; look at the stack before you run the drill again"
    )
