"""NATs and tables that do not matter, worlds that Hypothesis draws, and AWS's part.

`carry_out` is what AWS does with a write, as a pure function of the network.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, assert_never

from hypothesis import strategies as st

from nat_failover.actions import (
    AssociateAddress,
    AssociateSubnet,
    CompleteLifecycleAction,
    DeleteDefaultRoute,
    DisableSourceDestCheck,
    ForgetStandby,
    ForgetTakeover,
    MarkUnhealthy,
    Move,
    MoveSubnet,
    Planned,
    PublishRing,
    RecordLifecycleActionHeartbeat,
    RememberStandby,
    RememberTakeover,
    RestoreRoute,
    SetDefaultRoute,
)
from nat_failover.claims import Claims
from nat_failover.effects import route_to as route_to_target
from nat_failover.history import FAILBACK_AFTER_S, corrected
from nat_failover.model import (
    Accusation,
    Association,
    Claim,
    DefaultRoute,
    ElasticIp,
    Gateway,
    InstanceState,
    Judgement,
    Nat,
    NatHistory,
    Observation,
    Policy,
    Ring,
    Standby,
    Subnet,
    Table,
    Takeover,
    judge,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

HERE, THERE = "zone-a", "zone-b"


def any_nat(name: str = "any", zone: str = HERE, **facts: Any) -> Nat:  # noqa: ANN401 - Nat's fields
    """Return a NAT that is usable but for the facts given."""
    nat = Nat(
        instance=f"i-{name}",
        interface=f"eni-{name}",
        zone=zone,
        state=InstanceState.RUNNING,
        lifecycle="InService",
    )
    return replace(nat, **facts)


def judged(nat: Nat, observation: Observation) -> Judgement:
    """Return what a plan takes a NAT for, by what the ring says of it, too."""
    seen = replace(observation, history=corrected(observation))
    return judge(nat, seen, Claims(seen))


def any_table(route: DefaultRoute | None = None, zone: str = HERE, name: str = "any") -> Table:
    """Return a private table of a zone with one subnet, at home."""
    return Table(
        id=f"rtb-{name}",
        zone=zone,
        home_subnets=frozenset({f"subnet-{name}"}),
        route=route,
        associations=frozenset({Association(id=f"rtbassoc-{name}", subnet=f"subnet-{name}")}),
    )


def route_to(nat: Nat, *, blackhole: bool = False) -> DefaultRoute:
    """Return a default route to a NAT."""
    return DefaultRoute(interface=nat.interface, instance=nat.instance, blackhole=blackhole)


NAT_GATEWAY = DefaultRoute(other="nat-gateway")
STANDBY_GATEWAY = DefaultRoute(other="nat-standby")
INTERNET_GATEWAY = DefaultRoute(other="igw-any")
PROPAGATED = DefaultRoute(other="vgw-any", dynamic=True)
FOREIGN_INTERFACE = DefaultRoute(interface="eni-foreign", instance="i-foreign")


MAIN = Table(id="rtb-main", zone="", home_subnets=frozenset(), route=None, main=True)
"""The VPC's main table, as the stack makes it: without a default route."""


def network(
    nats: Iterable[Nat], tables: Iterable[Table], foreign: Iterable[Table] = (MAIN,)
) -> Observation:
    """Return an observation of these NATs and tables, and of the tables that subnets may use."""
    nats, tables = frozenset(nats), frozenset(tables)
    zones = {nat.zone for nat in nats} | {table.zone for table in tables}
    seen = Observation(nats=nats, tables=tables, foreign=frozenset(foreign), zones=frozenset(zones))
    return settled(with_subnets(seen))


def settled(seen: Observation) -> Observation:
    """Let each NAT be usable for long, as far as its history goes."""
    since = seen.now - FAILBACK_AFTER_S
    return replace(
        seen,
        history=frozenset(
            NatHistory(instance=nat.instance, usable_since=since) for nat in seen.nats
        ),
    )


def with_subnets(seen: Observation) -> Observation:
    """Let each private subnet use the table that has an association of it, or else the main one."""
    every = seen.tables | seen.foreign
    main = next(table.id for table in every if table.main)
    uses = {row.subnet: (table.id, row.id) for table in every for row in table.associations}
    return replace(
        seen,
        subnets=frozenset(
            Subnet(id=id_, zone=home.zone, home=home.id, table=table, association=association)
            for home in seen.tables
            for id_ in home.home_subnets
            for table, association in [uses.get(id_, (main, None))]
        ),
    )


def carry_out(seen: Observation, actions: Iterable[Planned]) -> Observation:
    """Return the network as AWS leaves it after the writes."""
    for action in actions:
        match action:
            case SetDefaultRoute():
                route = DefaultRoute(interface=action.interface, instance=action.instance)
                seen = _with_route(seen, action.table, route)
            case (
                RestoreRoute()
                | DeleteDefaultRoute()
                | RememberTakeover()
                | ForgetTakeover()
                | RememberStandby()
                | ForgetStandby()
            ):
                seen = _taken_or_given_back(seen, action)
            case MoveSubnet() | AssociateSubnet():
                seen = with_subnets(
                    replace(
                        seen,
                        tables=frozenset(_moved(table, action) for table in seen.tables),
                        foreign=frozenset(_moved(table, action) for table in seen.foreign),
                    )
                )
            case DisableSourceDestCheck():
                nats = (
                    replace(nat, source_dest_check=False)
                    if nat.instance == action.instance
                    else nat
                    for nat in seen.nats
                )
                seen = replace(seen, nats=frozenset(nats))
            case AssociateAddress():
                given = {"interface": action.interface, "address": action.address}
                ips = (
                    replace(ip, **given) if ip.allocation == action.allocation else ip
                    for ip in seen.elastic_ips or ()
                )
                seen = replace(seen, elastic_ips=frozenset(ips))
            case MarkUnhealthy() | CompleteLifecycleAction():
                nats = (
                    _told(nat, action) if nat.instance == action.instance else nat
                    for nat in seen.nats
                )
                seen = replace(seen, nats=frozenset(nats))
            case RecordLifecycleActionHeartbeat():
                seen = replace(seen, held=seen.held | {action.instance})
            case PublishRing():
                ring = Ring(members=action.members, version=action.version, written=seen.now)
                seen = replace(seen, ring=ring)
            case _ as never:
                assert_never(never)
    return seen


def _told(nat: Nat, action: MarkUnhealthy | CompleteLifecycleAction) -> Nat:
    if isinstance(action, MarkUnhealthy):
        return replace(nat, healthy=False)
    return replace(nat, lifecycle="Terminating:Proceed")


def _with_route(seen: Observation, id_: str, route: DefaultRoute | None) -> Observation:
    tables = (replace(t, route=route) if t.id == id_ else t for t in seen.tables)
    return replace(seen, tables=frozenset(tables))


def _taken_or_given_back(
    seen: Observation,
    action: RestoreRoute
    | DeleteDefaultRoute
    | RememberTakeover
    | ForgetTakeover
    | RememberStandby
    | ForgetStandby,
) -> Observation:
    """Return the network after a write about a table that leads, or led, to what is not ours."""
    match action:
        case RestoreRoute():
            return _with_route(seen, action.table, route_to_target(action.to))
        case DeleteDefaultRoute():
            known = {each.table: each.target for each in seen.takeovers or ()}
            hidden = known.get(action.table) == "propagated"
            return _with_route(seen, action.table, PROPAGATED if hidden else None)
        case RememberTakeover():
            return replace(seen, takeovers=_others(seen, action.table) | {action.takeover})
        case ForgetTakeover():
            return replace(seen, takeovers=_others(seen, action.table))
        case RememberStandby():
            return replace(seen, standbys=(seen.standbys or frozenset()) | {action.standby})
        case ForgetStandby():
            return replace(seen, standbys=(seen.standbys or frozenset()) - {action.standby})


def _others(seen: Observation, table: str) -> frozenset[Takeover]:
    return frozenset(each for each in seen.takeovers or () if each.table != table)


def _moved(table: Table, move: Move) -> Table:
    """Take the subnet out of its table, or put it into the other under a new association id."""
    old = move.association if isinstance(move, MoveSubnet) else f"rtbassoc-{move.subnet}"
    if table.id == move.source:
        stay = {a for a in table.associations if a.id != old}
        return replace(table, associations=frozenset(stay))
    if table.id == move.table:
        new = Association(id=f"{old}'", subnet=move.subnet)
        return replace(table, associations=table.associations | {new})
    return table


_LIFECYCLES = st.sampled_from(
    ["InService", "InService", "InService", "Pending", "Pending:Wait", "Terminating:Wait", None]
)

policies = st.builds(
    Policy,
    swap=st.booleans(),
    failback=st.booleans(),
    adopt=st.booleans() | st.frozensets(st.sampled_from(["rtb-0", "rtb-1", "rtb-2"])),
    deployed=st.booleans(),
    watch=st.booleans(),
    group=st.just("any-group"),
    standby=st.sampled_from([None, "nat-standby"]),
)


@st.composite
def networks(draw: st.DrawFn) -> Observation:
    """Draw a network of any number of zones, NATs in any state, tables and subnets."""
    zones = [f"zone-{i}" for i in range(draw(st.integers(1, 4)))]
    nats = [
        Nat(
            instance=f"i-{i}",
            interface=draw(st.sampled_from([f"eni-{i}"] * 9 + [None])),
            zone=draw(st.sampled_from(zones)),
            state=draw(
                st.sampled_from([InstanceState.RUNNING, InstanceState.RUNNING, *InstanceState])
            ),
            lifecycle=draw(_LIFECYCLES),
            healthy=draw(st.sampled_from([True, True, True, False])),
            source_dest_check=draw(st.sampled_from([False, False, True])),
            addressed=draw(st.sampled_from([True, True, False])),
            routed=draw(st.sampled_from([True, True, False])),
        )
        for i in range(draw(st.integers(0, 5)))
    ]
    routes = st.sampled_from(
        [
            *(None, NAT_GATEWAY, STANDBY_GATEWAY, replace(STANDBY_GATEWAY, blackhole=True)),
            *(INTERNET_GATEWAY, PROPAGATED, FOREIGN_INTERFACE, DefaultRoute()),
        ]
    )
    if nats:
        alive = st.builds(route_to, st.sampled_from(nats))
        dead = st.builds(route_to, st.sampled_from(nats), blackhole=st.just(True))  # noqa: FBT003
        routes = st.one_of(routes, alive, dead)
    tables, users = draw(_tables(zones, routes))
    seen = network(nats, *draw(_with_foreign(tables, users, routes)))
    ids = st.sampled_from(sorted(nat.instance for nat in nats) or ["i-none"])
    targets = st.tuples(
        st.sampled_from([table.id for table in tables] + [s.id for s in sorted(seen.subnets)]),
        st.sampled_from([table.id for table in tables] + [nat.instance for nat in nats]),
    )
    return replace(
        draw(_with_takeovers(draw(_with_hearsay(seen)))),
        zones=draw(st.just(seen.zones) | st.frozensets(st.sampled_from(zones))),
        leaving=draw(st.frozensets(ids)),
        memory_readable=draw(st.sampled_from([True, True, False])),
        refused=draw(st.just(frozenset()) | st.frozensets(targets, max_size=3)),
    )


@st.composite
def _with_hearsay(draw: st.DrawFn, seen: Observation) -> Observation:
    """Draw what the NATs say, what is remembered of them, and what the group is about to do."""
    now = 10_000.0
    ids = sorted(nat.instance for nat in seen.nats)
    seen = settled(replace(seen, now=now))
    if not ids or draw(st.booleans()):
        return seen
    moments = st.floats(now - 200, now)
    peers = st.sampled_from(ids)
    claim = st.builds(
        Claim,
        instance=peers,
        received=moments,
        ailment=st.sampled_from([None, None, "egress", "forwarding"]),
        silent=st.frozensets(st.builds(Accusation, peer=peers, began=moments), max_size=2),
        ill=st.frozensets(peers, max_size=1),
        ring=st.sampled_from([None, 0, 1]),
        flows=st.sampled_from([None, 0, 9]),
    )
    fared = st.builds(
        NatHistory,
        instance=peers,
        usable_since=st.none() | moments,
        stable_since=st.none() | moments,
        sick=st.lists(moments, max_size=3).map(tuple),
    )
    nats = [
        replace(
            nat,
            address=draw(st.sampled_from([f"10.0.0.{i}", None])),
            stable=draw(st.sampled_from([True, True, False])),
        )
        for i, nat in enumerate(sorted(seen.nats))
    ]
    return replace(
        seen,
        nats=frozenset(nats),
        elastic_ips=draw(_elastic_ips(nats)),
        claims=frozenset(draw(st.lists(claim, max_size=4, unique_by=lambda c: c.instance))),
        history=frozenset(draw(st.lists(fared, max_size=4, unique_by=lambda h: h.instance))),
        ring=draw(st.sampled_from([None, Ring(), Ring(version=1, written=now - 1)])),
        replaced=draw(st.none() | moments),
        desired=draw(st.sampled_from([2, 2, 0])),
        deleting=draw(st.sampled_from([False, False, True])),
    )


@st.composite
def _with_takeovers(draw: st.DrawFn, seen: Observation) -> Observation:
    """Draw what is remembered of tables that were taken over, and the gateways that there are."""
    takeover = st.builds(
        Takeover,
        table=st.sampled_from([table.id for table in sorted(seen.tables, key=repr)] + ["rtb-old"]),
        target=st.sampled_from(["nat-gateway", "nat-gateway", "eni-foreign", "propagated"]),
        times=st.integers(1, 2),
        done=st.booleans(),
        written=st.floats(seen.now - 60, seen.now),
    )
    states = st.sampled_from(["available", "available", "pending", "deleted"])
    gateways = st.builds(
        lambda first, second: frozenset(
            {Gateway(id="nat-gateway", state=first), Gateway(id="nat-standby", state=second)}
        ),
        states,
        states,
    )
    standby = st.builds(
        Standby,
        table=st.sampled_from(sorted(table.id for table in seen.tables)),
        gateway=st.sampled_from(["nat-standby", "nat-standby", "nat-gateway"]),
        written=st.floats(seen.now - 60, seen.now),
    )
    known = st.lists(takeover, max_size=3, unique_by=lambda each: each.table)
    return replace(
        seen,
        takeovers=draw(st.none() | known.map(frozenset) | known.map(frozenset)),
        standbys=draw(st.none() | st.frozensets(standby, max_size=4)),
        gateways=draw(st.sampled_from([None, frozenset[Gateway]()]) | gateways),
    )


@st.composite
def _elastic_ips(draw: st.DrawFn, nats: list[Nat]) -> frozenset[ElasticIp] | None:
    """Draw a set of Elastic IPs: free, with a NAT, or with something else; or that of no stack."""
    holders: list[tuple[str | None, str | None]] = [(None, None), (None, None)]
    holders += [("eni-foreign", "10.0.0.99"), *((nat.interface, nat.address) for nat in nats)]
    held = draw(st.lists(st.sampled_from(holders), max_size=4))
    once = [holder for i, holder in enumerate(held) if None in holder or holder not in held[:i]]
    ips = [
        ElasticIp(allocation=f"eipalloc-{i}", interface=interface, address=address)
        for i, (interface, address) in enumerate(once)
    ]
    return draw(st.sampled_from([frozenset(ips), frozenset(ips), frozenset(), None]))


@st.composite
def _with_foreign(
    draw: st.DrawFn,
    tables: list[Table],
    users: list[str],
    routes: st.SearchStrategy[DefaultRoute | None],
) -> tuple[list[Table], list[Table]]:
    """Draw the tables that are not the stack's, and let one of the stack's be lost or the main one.

    Subnets of a lost table fall to the main one.
    """
    lost = draw(st.sampled_from([None, None, *tables]))
    private = [_lost(table) if table is lost else table for table in tables]
    used = {row.subnet for table in private for row in table.associations}
    strays = [subnet for subnet in users if subnet not in used]
    put = draw(st.lists(st.sampled_from(strays), unique=True)) if strays else []
    theirs = Table(
        id="rtb-theirs",
        zone="",
        home_subnets=frozenset(),
        route=draw(routes),
        associations=frozenset(Association(id=f"rtbassoc-{s}", subnet=s) for s in put),
        other_routes=draw(st.sampled_from([frozenset(), frozenset({("pl-1", "vpce-1")})])),
    )
    main = replace(MAIN, route=draw(st.one_of(st.none(), routes)))
    if lost is None and draw(st.integers(0, 5)) == 0:
        private[0] = replace(private[0], main=True)
        main = replace(main, main=False)
    return private, [main, theirs]


def _lost(table: Table) -> Table:
    return replace(
        table, route=None, associations=frozenset(), other_routes=frozenset(), exists=False
    )


@st.composite
def _tables(
    draw: st.DrawFn, zones: list[str], routes: st.SearchStrategy[DefaultRoute | None]
) -> tuple[list[Table], list[str]]:
    """Draw tables and subnets; each has one home, and is associated with at most one table."""
    count = draw(st.integers(1, 6))
    subnets = [f"subnet-{i}" for i in range(draw(st.integers(0, 8)))]
    homes = {subnet: draw(st.integers(0, count - 1)) for subnet in subnets}
    users = [*subnets, *(["subnet-foreign"] if draw(st.booleans()) else [])]
    uses = {subnet: draw(st.integers(-1, count - 1)) for subnet in users}
    other_routes = st.sampled_from(
        [
            frozenset[tuple[str, str]](),
            frozenset({("pl-1", "vpce-1")}),
            frozenset({("0.0.0.0/1", "tgw-1"), ("128.0.0.0/1", "tgw-1")}),
        ]
    )
    tables = [
        Table(
            id=f"rtb-{i}",
            zone=draw(st.sampled_from(zones)),
            home_subnets=frozenset(subnet for subnet in subnets if homes[subnet] == i),
            route=draw(routes),
            associations=frozenset(
                Association(id=f"rtbassoc-{subnet}", subnet=subnet)
                for subnet in users
                if uses[subnet] == i
            ),
            other_routes=draw(other_routes),
        )
        for i in range(count)
    ]
    return tables, subnets
