"""The watch of each NAT in the lab's time: the judgement is the deployed one, its senses are here.

What a NAT hears, reaches and forwards follows from what the lab knows of it. While nothing of that
changes, nothing follows but renewed claims: heartbeats and probes go back and forth only from a
change on, until all opinions have settled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.ec2.models import ec2_backends

from cdk_nat_failover.instances.watch.judgement import ALERT_S, PROBE_TIMEOUT_S, Watch
from cdk_nat_failover.instances.watch.wire import claim_to_text
from lab.drills.boots import delays
from lab.drills.boots.forwarding import (
    BOOTED,
    FORWARDS,
    InstancesForward,
    has_internet,
    leads_to_gateway,
    runs,
)
from lab.drills.boots.launches import setting
from lab.drills.boots.peers import STATES, WatchState, between, hears
from lab.drills.boots.watch_calls import WatchCalls, stored_ring
from lab.emulator.behaviour import Behaviour, Emulation, Patches
from lab.emulator.journal import Who
from lab.emulator.services.ec2.user_data import script_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from moto.ec2.models.instances import Instance

    from cdk_nat_failover.instances.watch.said import Claim, Heartbeat
    from lab.emulator.journal import Entry

CLAIMED = "claim"
"""The kind of the journal's entry that says that a NAT thinks otherwise of itself or its peers."""

REFUSED = "watch refused"
"""The kind of the journal's entry that says that a call of a watch was refused, and why."""

SETTLED_S = 15.0
"""Seconds after the last change of what NATs see or say, in which time alone may change what they
say: more than any limit of the judgement."""

_WELL = "all is well"

_SOONEST = 0.1
"""Seconds until a watch that could go on at once goes on."""


class _Nat:
    """An instance with its watch."""

    def __init__(self, aws: Emulation, instance: Instance, script: str) -> None:
        self.instance, self.name = instance, str(instance.id)
        self.calls = WatchCalls(aws, instance, setting(script, "topic"), setting(script, "table"))
        self.state = WatchState.RUNS
        self.watch = Watch(self.name, aws.clock.now())
        self.awake = False
        self.probes_from = self.reads_from = 0.0
        self.claim: Claim | None = None
        self.said = _WELL
        self.refused: set[str] = set()
        self.flows_end: float | None = None
        self._aws = aws

    @property
    def runs(self) -> bool:
        """Whether its watch does anything that others notice."""
        return self.state is WatchState.RUNS and runs(self.instance, self._aws.clock.now())

    @property
    def reaches(self) -> bool:
        """Whether the internet answers it."""
        now = self._aws.clock.now()
        return has_internet(self.instance) and leads_to_gateway(str(self.instance.subnet_id), now)

    def sight(self) -> tuple[object, ...]:
        """Return what decides what it sees and what others see of it."""
        return (self.name, self.runs, self.reaches, STATES[self.instance])


class InstancesWatchEachOther(Behaviour):
    """A NAT whose user data says `watch=on` watches itself and its peers from its boot on.

    It reads the ring from the table and publishes its claims to the topic that its user data names,
    with the role of its instance profile, whose policies are evaluated. moto's instances run no
    user data.
    """

    source = "cdk_nat_failover/instances/watch; IAM user guide, 'Policy evaluation logic'"
    after = (InstancesForward,)

    def install(self, patches: Patches) -> None:
        """Listen to the journal for boots and ends, and look at each step of the clock."""
        del patches  # moto itself stays as it is
        self._nats: dict[str, _Nat] = {}
        self._seen: tuple[object, ...] = ()
        self._busy_until = 0.0
        self._renews = False
        self._aws.journal.listen(self._heard)
        self._aws.clock.each_step(self._look)

    # Which watches there are

    def _heard(self, entry: Entry) -> None:
        """Follow what is said of instances, once it is said."""
        now, name = self._aws.clock.now(), entry.detail.get("instance", "")
        if entry.kind == BOOTED and entry.detail["result"] == FORWARDS:
            self._aws.clock.at(now, lambda: self._begin(name))
        elif entry.kind == "instance state" and name in self._nats:
            self._aws.clock.at(now, lambda: self._end(name))

    def _begin(self, name: str) -> None:
        instance = ec2_backends[self._aws.account][self._aws.region].get_instance(name)
        script = script_in(str(instance.user_data or ""))
        if setting(script, "watch") == "on":
            STATES[instance] = WatchState.RUNS
            self._nats[name] = _Nat(self._aws, instance, script)

    def _end(self, name: str) -> None:
        """Let a NAT that shuts down say farewell, if it can."""
        nat = self._nats.pop(name, None)
        if nat and nat.runs:
            self._send(nat, nat.watch.farewell(self._aws.clock.now()))

    # When they do something

    def _look(self) -> None:
        """See whether anything changed that NATs see; if so, let them go on until they settle."""
        if self._nats and (seen := tuple(self._sight())) != self._seen:
            self._seen = seen
            for nat in self._nats.values():
                self._follow_state(nat)
            self._disturb()

    def _sight(self) -> Iterator[object]:
        yield between(self._aws).cut
        for nat in self._nats.values():
            yield nat.sight()
        for table in {nat.calls.table for nat in self._nats.values()}:
            yield stored_ring(self._aws, table)

    def _follow_state(self, nat: _Nat) -> None:
        """Let a watch that is stopped say farewell, and one that is started know nobody yet."""
        before, nat.state = nat.state, STATES[nat.instance]
        now = self._aws.clock.now()
        if before is WatchState.RUNS and nat.state is WatchState.STOPPED:
            self._send(nat, nat.watch.farewell(now))
        elif before is not WatchState.RUNS and nat.state is WatchState.RUNS:
            nat.watch = Watch(nat.name, now)

    def _disturb(self) -> None:
        clock = self._aws.clock
        if not self._busy():
            self._catch_up()
        self._busy_until = clock.now() + SETTLED_S
        for nat in [nat for nat in self._nats.values() if nat.runs and not nat.awake]:
            nat.awake = True
            nat.probes_from = clock.now() + clock.draw(delays.WATCH_PROBES)
            nat.reads_from = clock.now() + clock.draw(delays.WATCH_READS)
            clock.after(delays.WATCH_BEATS, lambda nat=nat: self._go_on(nat))  # type: ignore[misc]
        if not self._renews:
            self._renews = True
            self._renew_later()

    def _catch_up(self) -> None:
        """Let each NAT have heard its peers half a second ago at most, as it has all along."""
        clock = self._aws.clock
        for nat in self._nats.values():
            nat.watch.forwards(ok=True, now=clock.now() - clock.draw(delays.WATCH_BEATS))

    def _busy(self) -> bool:
        return self._aws.clock.now() < self._busy_until

    def _go_on(self, nat: _Nat) -> None:
        """Let a watch do what is due, again and again until all have settled."""
        nat.awake = nat.runs and self._busy() and nat.name in self._nats
        if nat.awake:
            again = max(self._advance(nat), self._aws.clock.now() + _SOONEST)
            self._aws.clock.at(again, lambda: self._go_on(nat))

    def _renew_later(self) -> None:
        self._aws.clock.at(self._aws.clock.now() + ALERT_S, self._renew)

    def _renew(self) -> None:
        """Let all watches do what is due at once, so that each finds the others as before."""
        self._renews = bool(self._nats)
        if self._renews:
            self._renew_later()
        for nat in [] if self._busy() else list(self._nats.values()):
            self._advance(nat)

    # What they do

    def _advance(self, nat: _Nat) -> float:
        """Let a watch do what is due; return when to ask it again."""
        now = self._aws.clock.now()
        if not nat.runs or nat.name not in self._nats:
            return now
        if nat.watch.leaving:
            self._count_flows(nat)
        opinion = nat.watch.advance(now)
        if opinion.claim:
            self._claim(nat, opinion.claim)
        if opinion.heartbeat:
            self._send(nat, opinion.heartbeat)
        if opinion.probe_due:
            self._later(nat.probes_from, lambda: self._probe(nat))
        if opinion.ring_due:
            self._later(nat.reads_from, lambda: self._read(nat))
        return opinion.again

    def _later(self, moment: float, action: Callable[[], None]) -> None:
        """Do something at once while nothing changes, and otherwise when its turn comes."""
        if self._busy():
            self._aws.clock.at(max(moment, self._aws.clock.now()), action)
        else:
            action()

    def _send(self, nat: _Nat, heartbeat: Heartbeat) -> None:
        address = str(nat.instance.private_ip)
        for peer in list(self._nats.values()):
            if peer is not nat and peer.runs and hears(self._aws, nat.instance, peer.instance):
                peer.watch.heard(heartbeat, self._aws.clock.now(), address)
                self._advance(peer)

    def _probe(self, nat: _Nat) -> None:
        clock, ok = self._aws.clock, nat.reaches
        if self._busy():
            took = clock.draw(delays.WATCH_CALL) if ok else PROBE_TIMEOUT_S
            clock.at(clock.now() + took, lambda: self._probed(nat, ok=ok))
        else:
            nat.watch.probed(ok, clock.now())

    def _probed(self, nat: _Nat, *, ok: bool) -> None:
        nat.watch.probed(ok, self._aws.clock.now())
        self._advance(nat)

    def _read(self, nat: _Nat) -> None:
        ring, error = nat.calls.read() if nat.reaches else (None, "")
        if error:
            self._refuse(nat, "read the ring", error)
        nat.watch.told(ring, self._aws.clock.now())
        if self._busy():
            self._advance(nat)

    def _count_flows(self, nat: _Nat) -> None:
        """Count the flows that a leaving NAT carries: some, until the last one has ended."""
        clock = self._aws.clock
        if nat.flows_end is None:
            nat.flows_end = clock.now() + clock.draw(delays.FLOWS_END)
            clock.at(nat.flows_end, self._disturb)
        nat.watch.flows(int(clock.now() < nat.flows_end), clock.now())

    def _claim(self, nat: _Nat, claim: Claim) -> None:
        """Say what a NAT claims, and publish it; who claims anew gives the older claim up."""
        nat.claim = claim
        if (said := in_words(claim)) != nat.said:
            nat.said = said
            self._busy_until = max(self._busy_until, self._aws.clock.now() + SETTLED_S)
            note(self._aws, claim)
        call = delays.WATCH_CALL if self._busy() else delays.WATCH_RENEWS
        self._aws.clock.after(call, lambda: self._publish(nat, claim))

    def _publish(self, nat: _Nat, claim: Claim) -> None:
        if nat.claim is not claim or not nat.runs or between(self._aws).silenced:
            return
        if not nat.reaches:
            self._aws.clock.after(delays.CLAIM_AGAIN, lambda: self._publish(nat, claim))
        elif error := nat.calls.publish(claim_to_text(claim, self._aws.clock.now())):
            self._refuse(nat, "publish a claim", error)

    def _refuse(self, nat: _Nat, what: str, error: str) -> None:
        """Note once what is refused."""
        if what not in nat.refused:
            nat.refused.add(what)
            said = f"{nat.name} may not {what}: {error}"
            self._aws.journal.note(Who.EC2, REFUSED, said, instance=nat.name, error=error)


def note(aws: Emulation, claim: Claim) -> None:
    """Note what a NAT claims, and whether anything is wrong by it."""
    wrong = bool(claim.ailment or claim.silent or claim.ill)
    detail = {"instance": claim.instance, "wrong": str(wrong)}
    aws.journal.note(Who.EC2, CLAIMED, f"{claim.instance} claims: {in_words(claim)}", **detail)


def in_words(claim: Claim) -> str:
    """Return what a claim says, for a timeline."""
    ill = [f"{name} has no {ailment}" for name, ailment in sorted(claim.ill.items())]
    said = [f"no {claim.ailment}"] if claim.ailment else []
    said += [f"{name} is silent" for name in sorted(claim.silent)] + ill
    if claim.flows == 0:
        said.append("its last flow has ended")
    return ", ".join(said) or _WELL
