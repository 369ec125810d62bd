"""NATs without a watch, which people have attached to the group: members like others, but quiet."""

from __future__ import annotations

from dataclasses import replace

from nat_failover.actions import AssociateAddress, CompleteLifecycleAction, PublishRing
from nat_failover.incidents import Incident
from nat_failover.model import (
    Claim,
    ElasticIp,
    Health,
    InstanceState,
    Observation,
    Peer,
    Policy,
    Ring,
    Verdict,
)
from nat_failover.planner import plan
from nat_failover.reconcile import Run
from nat_failover.situation import situation
from nat_failover.triggers import Trigger
from tests.factories import any_function_settings
from tests.unit.worlds import HERE, THERE, any_nat, any_table, network, route_to

NOW = 10_000.0
A = any_nat("a", HERE, address="10.0.0.4", profile="arn:ours")
B = any_nat("b", THERE, address="10.0.1.4", profile="arn:ours")
OLD = any_nat("old", HERE, address="10.0.0.9", profile="arn:theirs")
TABLE = any_table(route_to(OLD))
WATCHED = Policy(watch=True)


def said(*names: str) -> frozenset[Claim]:
    """Return what these NATs said last."""
    return frozenset(Claim(instance=f"i-{name}", received=NOW) for name in names)


def seen(**facts: object) -> Observation:
    """Return a network with two NATs that said something, and one that was attached."""
    usual = {"now": NOW, "claims": said("a", "b"), "ring": Ring()}
    return replace(network([A, B, OLD], [TABLE]), **{**usual, **facts})  # type: ignore[arg-type]


def ring_of(observation: Observation) -> set[str]:
    """Return who is to be in the ring."""
    (write,) = (row for row in plan(observation, WATCHED).actions if isinstance(row, PublishRing))
    return {peer.instance for peer in write.members}


def test_attached_nat_serves_what_leads_to_it() -> None:
    """Its table is the stack's from then on, without a write."""
    (decision,) = plan(seen(), WATCHED).decisions
    assert (decision.verdict, decision.nat) == (Verdict.KEEP, "i-old")


def test_attached_nat_is_not_in_the_ring() -> None:
    """It would answer nobody."""
    assert ring_of(seen()) == {"i-a", "i-b"}


def test_nat_without_any_profile_is_not_in_the_ring() -> None:
    """It can publish nothing."""
    bare = replace(OLD, profile=None)
    assert ring_of(replace(seen(), nats=frozenset({A, B, bare}))) == {"i-a", "i-b"}


def test_nat_of_the_stack_is_in_the_ring_before_it_says_anything() -> None:
    """It learns there whom to listen to; and whoever said something is, whatever its profile."""
    assert ring_of(seen(claims=said("a"))) == {"i-a", "i-b"}
    assert ring_of(seen(claims=said("a", "old"))) == {"i-a", "i-b", "i-old"}


def test_all_are_in_the_ring_while_nobody_said_anything() -> None:
    """Nobody knows then which profile is the stack's."""
    assert ring_of(seen(claims=frozenset())) == {"i-a", "i-b", "i-old"}


def test_nat_that_is_terminated_and_shows_no_profile_any_more_says_nothing_of_others() -> None:
    """New ones are in the ring before they say anything."""
    ended = replace(A, state=InstanceState.TERMINATED, profile=None)
    after = replace(seen(claims=said("a")), nats=frozenset({ended, B}))
    assert ring_of(after) == {"i-b"}


def test_attached_nat_stays_out_of_the_ring_while_nobody_knows_who_said_something() -> None:
    """Those that are in it did."""
    known = Ring(members=(Peer(instance="i-a", address="10.0.0.4", state="usable"),), version=1)
    lost = seen(claims=frozenset(), memory_readable=False, ring=known)
    assert ring_of(lost) == {"i-a", "i-b"}


def test_attached_nat_is_not_missed() -> None:
    """It has no watch; one of the stack that says nothing is missed all the same."""
    settings = replace(any_function_settings(), watch=True)

    def holds(observation: Observation) -> bool:
        run = Run(trigger=Trigger(), observation=observation, plan=plan(observation, WATCHED))
        left = situation(run, settings)
        return left is not None and Incident.UNWATCHED in left.holds

    assert not holds(seen())
    assert holds(seen(claims=said("a")))


def test_attached_nat_gets_no_elastic_ip() -> None:
    """It would lose the address that it has, whatever the group shows as its template."""
    free = frozenset({ElasticIp(allocation="eipalloc-1")})
    shown = frozenset({A, B, replace(OLD, stable=True)})
    actions = plan(replace(seen(elastic_ips=free), nats=shown), WATCHED).actions
    assert not [row for row in actions if isinstance(row, AssociateAddress)]


def test_attached_nat_that_leaves_goes_as_soon_as_its_tables_have_moved() -> None:
    """Nothing hands its flows over."""
    leaving = replace(OLD, lifecycle="Terminating:Wait")
    nats = frozenset({A, B, leaving})
    first = plan(replace(seen(), nats=nats), WATCHED)
    assert {row.nat.instance: row.health for row in first.health}["i-old"] is Health.LEAVING
    assert not [row for row in first.actions if isinstance(row, CompleteLifecycleAction)]
    tables = frozenset({replace(TABLE, route=route_to(A))})
    moved = plan(replace(seen(), nats=nats, tables=tables), WATCHED)
    (end,) = (row for row in moved.actions if isinstance(row, CompleteLifecycleAction))
    assert end.reason == "nothing uses it any more"
