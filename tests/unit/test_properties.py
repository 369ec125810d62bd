"""The six safety properties of a plan, over any number of zones, NATs, tables and subnets."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from nat_failover.model import (
    Health,
    MoveSubnet,
    Nat,
    Observation,
    Policy,
    SetDefaultRoute,
    Table,
    judge,
)
from nat_failover.planner import plan
from tests.unit.worlds import carry_out, networks, policies

ROUNDS = 4


def settle(seen: Observation, policy: Policy) -> Observation:
    """Plan and carry out until nothing is left to do, as a run does."""
    for _ in range(ROUNDS):
        actions = plan(seen, policy).actions
        if not actions:
            return seen
        seen = carry_out(seen, actions)
    message = f"still not settled after {ROUNDS} rounds: {plan(seen, policy)}"
    raise AssertionError(message)


def usable(seen: Observation) -> dict[str | None, Nat]:
    """Return the usable NATs by interface."""
    return {n.interface: n for n in seen.nats if judge(n, seen.leaving).health is Health.USABLE}


def serves(table: Table, nats: dict[str | None, Nat]) -> bool:
    """Say whether the default route of a table leads to one of these NATs."""
    route = table.route
    return bool(route and not route.blackhole and route.interface and route.interface in nats)


def works(table: Table, seen: Observation) -> bool:
    """Say whether a table has egress: through a usable NAT, or through what is not ours."""
    route = table.route
    if route is None or route.blackhole:
        return False
    ours = {n.interface for n in seen.nats} | {n.instance for n in seen.nats}
    named = {route.interface, route.instance, route.other} - {None}
    return serves(table, usable(seen)) or bool(named and not named & ours)


@given(networks(), policies)
def test_plan_converges(seen: Observation, policy: Policy) -> None:
    """Planning again after applying comes to an empty plan, from every state."""
    settle(seen, policy)


@given(networks(), policies)
def test_plan_is_live(seen: Observation, policy: Policy) -> None:
    """While one usable NAT exists, no subnet of the stack is left without a working route.

    With swap-route-table that is so of every table that a subnet uses; with replace-route of every
    table.
    """
    seen = settle(seen, policy)
    if not usable(seen):
        return
    for table in seen.tables:
        assert works(table, seen) or (policy.swap and not table.associations)


@given(networks(), policies)
def test_plan_points_to_usable_nats_only(seen: Observation, policy: Policy) -> None:
    """No write points a table at a NAT that is not usable at the time."""
    nats = usable(seen)
    for action in plan(seen, policy).actions:
        if isinstance(action, SetDefaultRoute):
            assert nats[action.interface].instance == action.instance


@given(networks(), policies, st.data())
def test_plan_takes_no_working_route_away(
    seen: Observation, policy: Policy, data: st.DataObject
) -> None:
    """A subnet with egress keeps it through every plan, whichever of its writes are done.

    A foreign route is working too; only `adopt` takes it, and gives a usable NAT for it.
    """
    actions = plan(seen, policy).actions
    done = data.draw(st.permutations(actions))[: data.draw(st.integers(0, len(actions)))]
    after = carry_out(seen, done)
    had = {a.subnet for t in seen.tables if works(t, seen) for a in t.associations}
    has = {a.subnet for t in after.tables if works(t, after) for a in t.associations}
    assert had <= has


@given(networks(), policies)
def test_plan_writes_nothing_when_nothing_has_to_change(seen: Observation, policy: Policy) -> None:
    """Each write changes the network, and no table or subnet is written twice."""
    actions = plan(seen, policy).actions
    for action in actions:
        assert carry_out(seen, [action]) != seen
    tables = [action.table for action in actions if isinstance(action, SetDefaultRoute)]
    subnets = [action.subnet for action in actions if isinstance(action, MoveSubnet)]
    assert len(set(tables)) == len(tables)
    assert len(set(subnets)) == len(subnets)


@given(networks(), policies, st.randoms())
def test_plan_is_deterministic(seen: Observation, policy: Policy, random: object) -> None:
    """The same state gives the same plan, in whatever order it was read."""
    nats, tables = sorted(seen.nats, key=repr), sorted(seen.tables, key=repr)
    random.shuffle(nats)  # type: ignore[attr-defined]  # a random.Random, drawn
    random.shuffle(tables)  # type: ignore[attr-defined]
    again = replace(seen, nats=frozenset(nats), tables=frozenset(tables))
    assert plan(seen, policy) == plan(again, policy)


@given(networks(), policies)
def test_plan_writes_what_is_of_this_stack_only(seen: Observation, policy: Policy) -> None:
    """Every write names a table that was given, a subnet at home in one, or an instance given."""
    tables = {table.id for table in seen.tables}
    subnets = {subnet for table in seen.tables for subnet in table.home_subnets}
    for action in plan(seen, policy).actions:
        match action:
            case SetDefaultRoute():
                assert action.table in tables
            case MoveSubnet():
                assert action.subnet in subnets
                assert {action.source, action.table} <= tables
            case _:
                assert action.instance in {nat.instance for nat in seen.nats}
