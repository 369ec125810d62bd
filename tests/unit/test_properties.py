"""The six safety properties of a plan, over any number of zones, NATs, tables and subnets."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nat_failover.actions import (
    AssociateSubnet,
    DeleteDefaultRoute,
    ForgetStandby,
    ForgetTakeover,
    Move,
    MoveSubnet,
    PublishRing,
    RememberStandby,
    RememberTakeover,
    RestoreRoute,
    SetDefaultRoute,
)
from nat_failover.model import Gateway, Health, Nat, Observation, Policy, Subnet, Table, Verdict
from nat_failover.planner import plan
from nat_failover.ring import RING_WAIT_S
from nat_failover.takeovers import MOST_TIMES, led_to
from tests.unit.worlds import NAT_GATEWAY, carry_out, judged, networks, policies

pytestmark = pytest.mark.no_cover
"""Its many examples take much longer while lines are counted, and other tests reach those lines."""

ROUNDS = 6


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
    return {n.interface: n for n in seen.nats if judged(n, seen).health is Health.USABLE}


def leaving(seen: Observation) -> dict[str | None, Nat]:
    """Return the NATs that leave by plan and would be usable otherwise, by interface."""
    return {
        n.interface: n
        for n in seen.nats
        if n.lifecycle == "Terminating:Wait"
        and n.instance not in seen.leaving
        and judged(replace(n, lifecycle="InService"), seen).health is Health.USABLE
    }


def serves(table: Table, nats: dict[str | None, Nat]) -> bool:
    """Say whether the default route of a table leads to one of these NATs."""
    route = table.route
    return bool(route and not route.blackhole and route.interface and route.interface in nats)


def leads_elsewhere(table: Table, seen: Observation) -> bool:
    """Say whether a table leads to something that is not ours, whether or not that is a way out."""
    if any(destination == "0.0.0.0/1" for destination, _ in table.other_routes):
        return True
    route = table.route
    if route is None or route.blackhole:
        return False
    ours = {n.interface for n in seen.nats} | {n.instance for n in seen.nats}
    named = {route.interface, route.instance, route.other} - {None}
    return route.dynamic or bool(named and not named & ours)


def works(table: Table, seen: Observation, standby: str | None = None) -> bool:
    """Say whether a table has egress: through a usable NAT, or through what is not ours.

    Through the standby gateway, to which the function led it, only while that serves.
    """
    other = table.route.other if table.route else None
    led = {(each.table, each.gateway) for each in seen.standbys or ()}
    ours = (table.id, other) in led or (seen.standbys is None and other and other == standby)
    ours = ours and ("0.0.0.0/1", "tgw-1") not in table.other_routes
    if ours and seen.gateways is not None and table.route and not table.route.blackhole:
        return other in {each.id for each in seen.gateways if each.serves}
    if leads_elsewhere(table, seen):
        overridden = bool(table.other_routes & {("0.0.0.0/1", "tgw-1")})
        route = table.route
        return overridden or bool(route and not (route.other or "").startswith("igw-"))
    return serves(table, usable(seen))


def served(seen: Observation, standby: str | None = None) -> set[str]:
    """Return the private subnets that get out."""
    tables = {table.id: table for table in seen.tables | seen.foreign}
    return {subnet.id for subnet in seen.subnets if works(tables[subnet.table], seen, standby)}


@given(networks(), policies)
def test_plan_converges(seen: Observation, policy: Policy) -> None:
    """Planning again after applying comes to an empty plan, from every state."""
    settle(seen, policy)


def may_be_left(subnet: Subnet, seen: Observation, policy: Policy) -> bool:
    """Say whether the strategy and `adopt` leave a subnet without egress where it is."""
    tables = {table.id: table for table in seen.tables | seen.foreign}
    used = tables[subnet.table]
    if used in seen.tables:
        return leads_elsewhere(used, seen)
    if not policy.swap:
        return True
    theirs = subnet.association is not None or leads_elsewhere(used, seen)
    working = [t for t in seen.tables if serves(t, usable(seen)) and not leads_elsewhere(t, seen)]
    alike = [t for t in working if used.other_routes <= t.other_routes]
    return (theirs and not policy.adopts(subnet.home)) or not alike


@given(networks(), policies)
def test_plan_is_live(seen: Observation, policy: Policy) -> None:
    """While one usable NAT exists, a subnet is without egress only where it may be left so.

    That is in a table that leads elsewhere, unless `adopt` takes it over; with replace-route also
    where a subnet uses none of the stack's tables; with swap-route-table also where no table that
    works has all the routes that a subnet has now. And where a NAT that leaves has its Elastic IP
    and no other one has, subnets go on leaving through that.
    """
    seen = settle(replace(seen, refused=frozenset()), policy)
    seen = settle(replace(seen, now=seen.now + RING_WAIT_S), policy)
    if not usable(seen):
        return
    decisions = plan(seen, policy).decisions
    waiting = {decision.table for decision in decisions if decision.verdict is Verdict.WAIT}
    for subnet in seen.subnets:
        if subnet.table in waiting:
            assert any(ip.interface for ip in seen.elastic_ips or ())
        else:
            assert subnet.id in served(seen) or may_be_left(subnet, seen, policy)


@given(networks(), policies)
def test_plan_says_which_subnets_are_without_egress_and_which_are_not_at_home(
    seen: Observation, policy: Policy
) -> None:
    """Every private subnet that does not use its home table has one decision, with a reason.

    What waits at a NAT that leaves has egress.
    """
    made = plan(seen, policy)
    every = {subnet.id for subnet in seen.subnets}
    waiting = {each.table for each in made.decisions if each.verdict is Verdict.WAIT}
    assert waiting <= {table.id for table in seen.tables if serves(table, leaving(seen))}
    wait = {subnet.id for subnet in seen.subnets if subnet.table in waiting}
    assert every - served(seen, policy.standby) - wait == set(made.without_egress)
    away = [subnet.id for subnet in sorted(seen.subnets) if subnet.table != subnet.home]
    assert away == [decision.subnet for decision in made.subnets]
    assert all(decision.reason for decision in made.subnets)


@given(networks(), policies)
def test_plan_points_to_usable_nats_only(seen: Observation, policy: Policy) -> None:
    """No write points a table at a NAT that is not usable at the time.

    Where NATs call each one sick of which AWS knows no ill, one of these is better than none, and
    where there is none either, one that leaves by plan is.
    """
    nats = usable(seen) or usable(replace(seen, claims=frozenset())) or leaving(seen)
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
    assert served(seen) <= served(after)


@given(networks(), policies)
def test_plan_writes_nothing_when_nothing_has_to_change(seen: Observation, policy: Policy) -> None:
    """Each write changes the network, and no table or subnet is written twice."""
    actions = plan(seen, policy).actions
    for action in actions:
        assert carry_out(seen, [action]) != seen
    tables = [action.table for action in actions if isinstance(action, SetDefaultRoute)]
    subnets = [action.subnet for action in actions if isinstance(action, Move)]
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
    """Every write names a table of the stack, a subnet at home in one, or an instance given.

    A subnet leaves a table that is not the stack's with `adopt`, or the main one that it fell to,
    or one that leads to a NAT of the stack's.
    """
    interfaces = {nat.interface for nat in seen.nats} - {None}
    instances = {nat.instance for nat in seen.nats}
    led = {
        table.id
        for table in seen.foreign
        if table.route
        and (table.route.interface in interfaces or table.route.instance in instances)
    }
    tables = {table.id for table in seen.tables if table.exists}
    subnets = {subnet for table in seen.tables for subnet in table.home_subnets}
    for action in plan(seen, policy).actions:
        match action:
            case SetDefaultRoute() | RestoreRoute() | DeleteDefaultRoute() | RememberTakeover():
                assert action.table in tables
            case ForgetTakeover():
                assert action.found in (seen.takeovers or ())
            case RememberStandby():
                assert action.standby.table in tables
            case ForgetStandby():
                assert action.standby in (seen.standbys or ())
            case MoveSubnet():
                assert action.subnet in subnets
                assert action.table in tables
                homes = {s.id: s.home for s in seen.subnets}
                taken = policy.adopts(homes[action.subnet])
                assert action.source in tables | led or taken
            case AssociateSubnet():
                assert action.subnet in subnets
                assert action.table in tables
            case PublishRing():
                assert {peer.instance for peer in action.members} <= instances
            case _:
                assert action.instance in {nat.instance for nat in seen.nats}


@given(networks(), policies)
def test_plan_moves_no_subnet_when_the_strategy_replaces_routes(
    seen: Observation, policy: Policy
) -> None:
    """The role of that strategy may not, and CloudFormation keeps every id."""
    actions = plan(seen, replace(policy, swap=False)).actions
    assert not [action for action in actions if isinstance(action, Move)]


@given(networks(), policies)
def test_plan_fails_nothing_back_when_the_memory_could_not_be_read(
    seen: Observation, policy: Policy
) -> None:
    """What works waits where it is; what does not is repaired all the same."""
    made = plan(replace(seen, memory_readable=False), policy)
    assert Verdict.FAIL_BACK not in {decision.verdict for decision in made.decisions}


@given(networks(), policies)
def test_plan_takes_over_only_what_is_remembered(seen: Observation, policy: Policy) -> None:
    """No written route of somebody else's is replaced before it is known what it leads to."""
    on_standby = {(each.table, each.gateway) for each in seen.standbys or ()}
    led = {
        table.id: led_to(table.route)
        for table in seen.tables
        if leads_elsewhere(table, seen) and (table.id, led_to(table.route)) not in on_standby
    }
    remembered = {each.table: each.target for each in seen.takeovers or ()}
    for action in plan(seen, policy).actions:
        if isinstance(action, SetDefaultRoute) and action.table in led:
            assert policy.adopts(action.table)
            assert remembered[action.table] == led[action.table]


@given(networks(), policies)
def test_plan_of_a_stack_that_ends_takes_nothing_over_and_keeps_nothing_that_was(
    seen: Observation, policy: Policy
) -> None:
    """Each table that was taken over leads to what it led to, or nowhere; then it is forgotten."""
    seen = replace(seen, ending=True, refused=frozenset())
    before = {table.id: table.route for table in seen.tables}
    after = settle(seen, policy)
    for table in after.tables:
        taken = next((each for each in seen.takeovers or () if each.table == table.id), None)
        if leads_elsewhere(table, seen) or not table.exists:
            continue
        pending = any(each.state == "pending" for each in seen.gateways or ())
        assert taken is None or table.route is None or pending
        assert before[table.id] is not None or table.route is None or pending
    assert not any(
        isinstance(action, SetDefaultRoute) and leads_elsewhere(table, seen)
        for table in seen.tables
        for action in plan(seen, policy).actions
        if action.target.startswith(f"{table.id} ")
    )


@given(networks(), policies)
def test_plan_leads_to_the_standby_gateway_only_while_no_nat_is_usable(
    seen: Observation, policy: Policy
) -> None:
    """And only while the gateway is there; afterwards every table that could be is with a NAT."""
    seen = replace(seen, refused=frozenset())
    ready = seen.gateways and Gateway(id="nat-standby", state="available") in seen.gateways
    led = {
        action.table
        for action in plan(seen, policy).actions
        if isinstance(action, RestoreRoute)
        and Verdict.TO_STANDBY
        in {each.verdict for each in plan(seen, policy).decisions if each.table == action.table}
    }
    assert not led or (policy.standby and ready and not usable(seen))
    after = settle(seen, policy)
    ends = seen.ending or seen.deleting
    if ready and policy.standby and not usable(seen) and not ends:
        for table in after.tables:
            overridden = bool(table.other_routes & {("0.0.0.0/1", "tgw-1")})
            assert not table.exists or overridden or table.route
            assert not table.route or not table.route.blackhole or overridden


@given(networks(), policies, st.integers(2, 6))
def test_plan_gives_up_a_table_that_is_written_back_again_and_again(
    seen: Observation, policy: Policy, writes: int
) -> None:
    """It is taken over twice at most, however often it leads back to a gateway that there is."""
    policy = replace(policy, deployed=False)
    there = frozenset({Gateway(id="nat-gateway", state="available")})
    seen = replace(seen, refused=frozenset(), takeovers=frozenset(), gateways=there)
    seen = replace(seen, standbys=frozenset())
    taken = 0
    for _ in range(writes):
        theirs = (replace(t, route=NAT_GATEWAY) if t.exists else t for t in seen.tables)
        seen = replace(seen, tables=frozenset(theirs), now=seen.now + 60)
        before = {table.id: table.route for table in seen.tables}
        seen = settle(seen, policy)
        taken += any(t.route != before[t.id] for t in seen.tables)
    assert taken <= MOST_TIMES
