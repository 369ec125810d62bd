"""What a run leaves behind, as far as people are to be told of it: here what is not watched."""

from __future__ import annotations

from dataclasses import replace

from nat_failover.incidents import Incident, Situation
from nat_failover.model import Accusation, Claim, NatHistory, Observation, Policy, Ring
from nat_failover.planner import plan
from nat_failover.reconcile import Run
from nat_failover.situation import FIRST_MINUTES_S, QUIET_S, situation
from nat_failover.triggers import Trigger
from tests.factories import any_function_settings
from tests.unit.worlds import HERE, THERE, any_nat, any_table, route_to

NOW = 10_000.0
WATCHED = replace(any_function_settings(), watch=True)
A, B = any_nat("a", HERE), any_nat("b", THERE)


def said(name: str, ago: float = 0.0, silent: str | None = None) -> Claim:
    """Return what a NAT said some time ago, perhaps that another one is silent."""
    accused = frozenset({Accusation(peer=f"i-{silent}", began=NOW - ago)} if silent else ())
    return Claim(instance=f"i-{name}", received=NOW - ago, silent=accused)


def after(*claims: Claim, watch: bool = True, **facts: object) -> Situation:
    """Return what a run leaves behind that found two usable NATs and these claims."""
    zones = frozenset({HERE, THERE})
    seen = Observation(nats=frozenset({A, B}), tables=frozenset(), now=NOW, zones=zones)
    seen = replace(seen, claims=frozenset(claims), **facts)  # type: ignore[arg-type] # of any field
    run = Run(trigger=Trigger(), observation=seen, plan=plan(seen, Policy(watch=watch)))
    left = situation(run, replace(WATCHED, watch=watch))
    assert left is not None
    return left


def test_nats_are_watched_while_each_says_something() -> None:
    """A claim may be two minutes old: one may be lost."""
    assert Incident.UNWATCHED not in after(said("a"), said("b", ago=QUIET_S)).holds


def test_nat_is_not_watched_when_its_last_claim_is_too_old_or_missing() -> None:
    """It serves on: all but the watch looks after it."""
    assert Incident.UNWATCHED in after(said("a"), said("b", ago=QUIET_S + 1)).holds
    assert Incident.UNWATCHED in after(said("a")).holds


def test_nat_is_not_missed_in_its_first_minutes() -> None:
    """What boots has said nothing yet."""
    young = replace(B, launched=NOW - FIRST_MINUTES_S)
    old = replace(B, launched=NOW - FIRST_MINUTES_S - 1)

    assert Incident.UNWATCHED not in after(said("a"), nats=frozenset({A, young})).holds
    assert Incident.UNWATCHED in after(said("a"), nats=frozenset({A, old})).holds


def test_nat_is_not_missed_when_it_is_not_usable() -> None:
    """Why it does not serve is told as something else."""
    unfit = replace(B, healthy=False)

    assert Incident.UNWATCHED not in after(said("a"), nats=frozenset({A, unfit})).holds


def test_two_nats_are_not_watched_when_they_do_not_hear_each_other() -> None:
    """Both say something, and none can watch the other."""
    assert Incident.UNWATCHED in after(said("a", silent="b"), said("b", silent="a")).holds


def test_nobody_is_missed_where_no_watch_is_wanted() -> None:
    """The NATs say nothing then, as they should."""
    claims = said("a", silent="b"), said("b", silent="a")

    assert Incident.UNWATCHED not in after(watch=False).holds
    assert Incident.UNWATCHED not in after(*claims, watch=False).holds
    assert after(watch=False, memory_readable=False).unknown == frozenset()


def test_it_is_not_known_who_is_watched_when_the_memory_cannot_be_read() -> None:
    """Claims that nobody read are not missing: what held before is neither over nor begins."""
    left = after(memory_readable=False)

    assert Incident.UNWATCHED not in left.holds
    assert left.unknown == {Incident.UNWATCHED}


def test_failover_is_not_over_while_a_table_waits_to_fail_back() -> None:
    """The other zone's NAT serves it until all know the ring."""
    nats = frozenset(replace(nat, address=f"10.0.0.{n}") for n, nat in enumerate((A, B)))
    history = frozenset(NatHistory(instance=nat.instance, usable_since=0.0) for nat in nats)
    tables = frozenset({any_table(route_to(B))})

    left = after(nats=nats, tables=tables, history=history, ring=Ring())

    assert Incident.FAILOVER in left.holds


def test_redundancy_is_lost_when_all_nats_are_in_one_of_the_groups_zones() -> None:
    """Of a group that launches in one zone alone more cannot be had."""
    together = frozenset({A, any_nat("b", HERE)})
    assert Incident.REDUNDANCY_LOST in after(nats=together).holds
    assert Incident.REDUNDANCY_LOST not in after().holds
    assert Incident.REDUNDANCY_LOST not in after(nats=together, zones=frozenset({HERE})).holds
