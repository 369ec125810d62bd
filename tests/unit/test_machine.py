"""NATs boot, hang, die and recover; messages are lost, doubled and late; two runs overlap.

Each run goes step by step (an observation, then one write at a time), and AWS refuses what it would
refuse. However the steps interleave, the sweep that follows must leave the network where it should
be.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from nat_failover.actions import (
    AssociateSubnet,
    DisableSourceDestCheck,
    MoveSubnet,
    Planned,
    PublishRing,
    SetDefaultRoute,
)
from nat_failover.model import (
    Association,
    Claim,
    Health,
    InstanceState,
    Nat,
    Observation,
    Policy,
    Ring,
    Table,
)
from nat_failover.planner import plan
from nat_failover.ring import RING_WAIT_S
from tests.unit.worlds import (
    any_nat,
    any_table,
    carry_out,
    judged,
    network,
    settled,
    with_subnets,
)

pytestmark = pytest.mark.no_cover
"""Its many examples take much longer while lines are counted, and other tests reach those lines."""

ALIVE = {InstanceState.PENDING, InstanceState.RUNNING}


@dataclass
class Run:
    """A run of the function between two steps: the hints it was given, and the writes it owes."""

    leaving: frozenset[str]
    todo: list[Planned] = field(default_factory=list)


def aws(seen: Observation, action: Planned) -> Observation:
    """Carry a write out, or refuse it as AWS does and leave everything as it is."""
    interfaces = {nat.interface for nat in seen.nats if nat.state is not InstanceState.TERMINATED}
    associations = {(t.id, a.id) for t in seen.tables for a in t.associations}
    match action:
        case PublishRing() if seen.ring and seen.ring.version != action.found:
            return seen  # ConditionalCheckFailedException
        case SetDefaultRoute() if action.interface not in interfaces:
            return seen  # InvalidNetworkInterfaceID.NotFound
        case MoveSubnet() if (action.source, action.association) not in associations:
            return seen  # InvalidAssociationID.NotFound
        case AssociateSubnet() if action.subnet in {
            row.subnet for table in seen.tables for row in table.associations
        }:
            return seen  # Resource.AlreadyAssociated
        case DisableSourceDestCheck() if action.instance not in {n.instance for n in seen.nats}:
            return seen  # InvalidInstanceID.NotFound
    return carry_out(seen, [action])


class Failover(RuleBasedStateMachine):
    """The world, its messages, and runs that see and change it."""

    runs = Bundle("runs")

    @initialize(
        zones=st.integers(2, 3),
        per_zone=st.integers(1, 2),
        policy=st.builds(
            Policy,
            swap=st.booleans(),
            failback=st.booleans(),
            watch=st.booleans(),
            group=st.just("any-group"),
        ),
    )
    def deploy(self, zones: int, per_zone: int, policy: Policy) -> None:
        """Start with tables that have no default route yet, and no NATs."""
        self.policy, self.zones, self.launched = policy, [f"zone-{i}" for i in range(zones)], 0
        self.messages: list[str] = []
        tables = {self._table(zone, per_zone) for zone in self.zones}
        self.seen = replace(network(set(), tables), ring=Ring())

    def _table(self, zone: str, subnets: int) -> Table:
        names = [f"subnet-{zone}-{i}" for i in range(subnets)]
        return replace(
            any_table(None, zone, zone),
            home_subnets=frozenset(names),
            associations=frozenset(Association(id=f"rtbassoc-{n}", subnet=n) for n in names),
        )

    @rule(zone=st.integers(0, 2))
    def launch(self, zone: int) -> None:
        """A NAT boots: pending, its source/destination check on."""
        self.launched += 1
        nat = any_nat(
            str(self.launched),
            self.zones[zone % len(self.zones)],
            state=InstanceState.PENDING,
            lifecycle="Pending",
            source_dest_check=True,
            address=f"10.0.0.{self.launched}",
        )
        self.seen = replace(self.seen, nats=self.seen.nats | {nat})

    @rule(which=st.integers(0, 9))
    def enter_service(self, which: int) -> None:
        """A NAT runs and is in service."""
        self._change(which, ALIVE, state=InstanceState.RUNNING, lifecycle="InService")

    @rule(which=st.integers(0, 9))
    def hang(self, which: int) -> None:
        """A NAT is marked as not forwarding."""
        self._change(which, {InstanceState.RUNNING}, healthy=False)

    @rule(which=st.integers(0, 9))
    def recover(self, which: int) -> None:
        """A NAT forwards again."""
        self._change(which, {InstanceState.RUNNING}, healthy=True)

    @rule(which=st.integers(0, 9), ailment=st.sampled_from([None, "egress", "forwarding"]))
    def claim(self, which: int, ailment: str | None) -> None:
        """A NAT says how it is, and which ring it knows."""
        nat = self._change(which, {InstanceState.RUNNING})
        if nat and self.seen.ring:
            said = Claim(
                instance=nat.instance,
                received=self.seen.now,
                ailment=ailment,
                ring=self.seen.ring.version,
            )
            others = {claim for claim in self.seen.claims if claim.instance != nat.instance}
            self.seen = replace(self.seen, claims=frozenset({*others, said}))

    @rule(which=st.integers(0, 9))
    def leave_by_plan(self, which: int) -> None:
        """The group wants to terminate a NAT, and a hook holds that."""
        self._change(which, {InstanceState.RUNNING}, lifecycle="Terminating:Wait")

    @rule(which=st.integers(0, 9))
    def reset_check(self, which: int) -> None:
        """Somebody switches the source/destination check on again."""
        self._change(which, {InstanceState.RUNNING}, source_dest_check=True)

    @rule(which=st.integers(0, 9), told=st.booleans())
    def begin_to_die(self, which: int, *, told: bool) -> None:
        """A NAT is shut down, and a message says so or is lost."""
        nat = self._change(which, {InstanceState.RUNNING}, state=InstanceState.SHUTTING_DOWN)
        if nat and told:
            self.messages.append(nat.instance)

    @rule(which=st.integers(0, 9), told=st.booleans())
    def die(self, which: int, *, told: bool) -> None:
        """A NAT is gone, and the routes that lead to it turn blackhole."""
        alive = {*ALIVE, InstanceState.SHUTTING_DOWN}
        nat = self._change(which, alive, state=InstanceState.TERMINATED, lifecycle=None)
        if nat is None:
            return
        tables = (
            replace(t, route=replace(t.route, blackhole=True))
            if t.route and t.route.interface == nat.interface
            else t
            for t in self.seen.tables
        )
        self.seen = replace(self.seen, tables=frozenset(tables))
        if told:
            self.messages.append(nat.instance)

    @rule(zone=st.integers(0, 2))
    def tamper(self, zone: int) -> None:
        """Somebody deletes a default route."""
        victim = f"rtb-{self.zones[zone % len(self.zones)]}"
        tables = (replace(t, route=None) if t.id == victim else t for t in self.seen.tables)
        self.seen = replace(self.seen, tables=frozenset(tables))

    @rule(zone=st.integers(0, 2))
    def disassociate(self, zone: int) -> None:
        """Somebody takes the subnets out of a table, so that they fall to the main one."""
        victim = f"rtb-{self.zones[zone % len(self.zones)]}"
        tables = (
            replace(t, associations=frozenset()) if t.id == victim else t for t in self.seen.tables
        )
        self.seen = with_subnets(replace(self.seen, tables=frozenset(tables)))

    @rule(target=runs, which=st.integers(0, 9), again=st.booleans())
    def start(self, which: int, *, again: bool) -> Run:
        """A run starts on any message, which may come again, or on the sweep when there is none."""
        if not self.messages:
            return self._look(Run(leaving=frozenset()))
        message = self.messages[which % len(self.messages)]
        if not again:
            self.messages.remove(message)
        return self._look(Run(leaving=frozenset({message})))

    @rule(run=runs)
    def step(self, run: Run) -> None:
        """A run makes its next write, or observes again when it has made all."""
        if run.todo:
            self.seen = aws(self.seen, run.todo.pop(0))
        else:
            self._look(run)

    @invariant()
    def settles_where_it_should(self) -> None:
        """From here, runs that end and one sweep leave every subnet where it should be."""
        if not hasattr(self, "seen"):
            return
        seen = settled(self.seen)
        for moment in [seen.now] * 4 + [seen.now + RING_WAIT_S] * 4:
            seen = replace(seen, now=moment)
            for action in plan(seen, self.policy).actions:
                seen = aws(seen, action)
        assert plan(seen, self.policy).actions == ()
        usable = {n.interface: n for n in seen.nats if judged(n, seen).health is Health.USABLE}
        tables = {table.id: table for table in seen.tables | seen.foreign}
        for subnet in seen.subnets:
            self._is_served(tables[subnet.table], subnet.zone, usable)

    def _is_served(self, table: Table, home: str, usable: dict[str | None, Nat]) -> None:
        """Check that a subnet has egress if there is any, and at home if the policy wants that.

        With replace-route a subnet that somebody disassociated stays in the main table.
        """
        if table.main and not self.policy.swap:
            return
        route = table.route
        nat = usable.get(route.interface) if route and not route.blackhole else None
        assert nat or not usable
        at_home = {n.zone for n in usable.values()}
        if nat and self.policy.failback and home in at_home:
            assert (home, home) == (table.zone, nat.zone)

    def _look(self, run: Run) -> Run:
        run.todo = list(plan(replace(self.seen, leaving=run.leaving), self.policy).actions)
        return run

    def _change(
        self,
        which: int,
        states: set[InstanceState],
        **facts: Any,  # noqa: ANN401 - Nat's fields
    ) -> Nat | None:
        """Change one NAT that is in one of these states; return it, or None if there is none."""
        nats = sorted((n for n in self.seen.nats if n.state in states), key=lambda n: n.instance)
        if not nats:
            return None
        nat = nats[which % len(nats)]
        changed = replace(nat, **facts)
        self.seen = replace(self.seen, nats=self.seen.nats - {nat} | {changed})
        return changed


TestFailover = Failover.TestCase
TestFailover.settings = settings(max_examples=settings().max_examples // 2, stateful_step_count=40)
