"""The decision table, one row of the test per row of the table and in its order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nat_failover.actions import (
    AssociateSubnet,
    DisableSourceDestCheck,
    MoveSubnet,
    SetDefaultRoute,
)
from nat_failover.fleet import may_lead_out
from nat_failover.model import (
    Association,
    Decision,
    DefaultRoute,
    Health,
    InstanceState,
    Nat,
    Observation,
    Policy,
    SubnetDecision,
    Table,
    Verdict,
)
from nat_failover.planner import plan
from tests.unit.worlds import (
    FOREIGN_INTERFACE,
    HERE,
    INTERNET_GATEWAY,
    MAIN,
    NAT_GATEWAY,
    PROPAGATED,
    THERE,
    any_nat,
    any_table,
    network,
    networks,
    route_to,
)

AT_HOME, AWAY = any_nat("home", HERE), any_nat("away", THERE)
DEAD = any_nat("dead", HERE, state=InstanceState.TERMINATED, lifecycle=None)
REPLACE, SWAP = Policy(), Policy(swap=True)

SERVED, SERVED_AWAY = "i-home in zone-a serves it", "i-away in zone-b serves it"
BLACKHOLE = "the default route is a blackhole to i-dead, gone: EC2 says terminated"
DOWN = "it uses i-dead, gone: EC2 says terminated"
NONE, HOME, ELSEWHERE = (
    "no NAT is usable",
    "a NAT at home is usable",
    "a NAT is usable only in another zone",
)
FOREIGN = "that is not one of the group's NATs"
LOST = route_to(DEAD, blackhole=True)
ADDRESS_ONLY = replace(route_to(AT_HOME), instance=None)
FOREIGN_ADDRESS = DefaultRoute(interface="eni-foreign")

Row = tuple[str, DefaultRoute | None, set[Nat], Verdict, str | None, str]

# fmt: off
DECISION_TABLE: list[Row] = [
    ("1", route_to(AT_HOME), {AT_HOME, AWAY}, Verdict.KEEP, "i-home", SERVED),
    ("1 interface only", ADDRESS_ONLY, {AT_HOME}, Verdict.KEEP, "i-home", SERVED),
    ("1 instance only", replace(route_to(AT_HOME), interface=None), {AT_HOME}, Verdict.KEEP,
     "i-home", SERVED),
    ("2", route_to(AWAY), {AT_HOME, AWAY}, Verdict.FAIL_BACK, "i-home",
     f"{SERVED_AWAY}; a NAT at home is usable again"),
    ("2 none at home", route_to(AWAY), {AWAY}, Verdict.KEEP, "i-away",
     f"{SERVED_AWAY}; no NAT is usable at home"),
    ("3 missing", None, {AT_HOME, AWAY}, Verdict.REPAIR_AT_HOME, "i-home",
     f"there is no default route; {HOME}"),
    ("3 blackhole", LOST, {DEAD, AT_HOME, AWAY}, Verdict.REPAIR_AT_HOME, "i-home",
     f"{BLACKHOLE}; {HOME}"),
    ("3 forgotten", LOST, {AT_HOME}, Verdict.REPAIR_AT_HOME, "i-home",
     f"the default route is a blackhole to i-dead; {HOME}"),
    ("3 usable again, still blackhole", route_to(AT_HOME, blackhole=True), {AT_HOME},
     Verdict.REPAIR_AT_HOME, "i-home",
     "the default route is a blackhole to i-home, usable: it runs, is in service and may forward; "
     + HOME),
    ("3 not usable", route_to(DEAD), {DEAD, AT_HOME}, Verdict.REPAIR_AT_HOME, "i-home",
     f"{DOWN}; {HOME}"),
    ("3 interface only", replace(route_to(DEAD), instance=None), {DEAD, AT_HOME},
     Verdict.REPAIR_AT_HOME, "i-home", f"it uses eni-dead, gone: EC2 says terminated; {HOME}"),
    ("3 nameless", DefaultRoute(), {AT_HOME}, Verdict.REPAIR_AT_HOME, "i-home",
     f"it uses a target without a name; {HOME}"),
    ("4 missing", None, {AWAY}, Verdict.REPAIR_ELSEWHERE, "i-away",
     f"there is no default route; {ELSEWHERE}"),
    ("4 blackhole", LOST, {DEAD, AWAY}, Verdict.REPAIR_ELSEWHERE, "i-away",
     f"{BLACKHOLE}; {ELSEWHERE}"),
    ("4 not usable", route_to(DEAD), {DEAD, AWAY}, Verdict.REPAIR_ELSEWHERE, "i-away",
     f"{DOWN}; {ELSEWHERE}"),
    ("5 missing", None, set(), Verdict.NO_EGRESS, None, f"there is no default route; {NONE}"),
    ("5 blackhole", LOST, {DEAD}, Verdict.NO_EGRESS, None, f"{BLACKHOLE}; {NONE}"),
    ("5 not usable", route_to(DEAD), {DEAD}, Verdict.NO_EGRESS, None, f"{DOWN}; {NONE}"),
    ("6 a NAT gateway", NAT_GATEWAY, {AT_HOME}, Verdict.NOT_OURS, None,
     f"it uses nat-gateway; {FOREIGN}"),
    ("6 an instance", FOREIGN_INTERFACE, {AT_HOME}, Verdict.NOT_OURS, None,
     f"it uses i-foreign; {FOREIGN}"),
    ("6 an interface", FOREIGN_ADDRESS, {AT_HOME}, Verdict.NOT_OURS, None,
     f"it uses eni-foreign; {FOREIGN}"),
    ("6 an internet gateway", INTERNET_GATEWAY, {AT_HOME}, Verdict.NOT_OURS, None,
     f"it uses igw-any; {FOREIGN}, and no way out for a host without a public address"),
    ("6 propagated", PROPAGATED, {AT_HOME}, Verdict.NOT_OURS, None,
     "it uses vgw-any; that route was not written but propagated"),
    ("6 advertised, to a NAT of ours", replace(route_to(AT_HOME), dynamic=True), {AT_HOME},
     Verdict.NOT_OURS, None, "it uses i-home; that route was not written but propagated"),
    ("3 propagated, dead", replace(PROPAGATED, blackhole=True), {AT_HOME}, Verdict.REPAIR_AT_HOME,
     "i-home", f"the default route is a blackhole to vgw-any; {HOME}"),
    ("6 none usable", NAT_GATEWAY, set(), Verdict.NOT_OURS, None,
     f"it uses nat-gateway; {FOREIGN}"),
]
# fmt: on


@pytest.mark.parametrize(
    ("route", "nats", "verdict", "nat", "reason"),
    [row[1:] for row in DECISION_TABLE],
    ids=[row[0] for row in DECISION_TABLE],
)
def test_plan_follows_the_decision_table(
    route: DefaultRoute | None, nats: set[Nat], verdict: Verdict, nat: str | None, reason: str
) -> None:
    """Each row leads to its verdict, its NAT and its reason, and to a write only where due."""
    made = plan(network(nats, {any_table(route)}), REPLACE)
    expected = Decision(table="rtb-any", zone=HERE, verdict=verdict, nat=nat, reason=reason)
    assert (expected,) == made.decisions
    write = SetDefaultRoute(
        table="rtb-any",
        interface=f"eni-{(nat or '')[2:]}",
        instance=nat or "",
        exists=route is not None and not route.dynamic,
        reason=reason,
    )
    writes = {Verdict.FAIL_BACK, Verdict.REPAIR_AT_HOME, Verdict.REPAIR_ELSEWHERE}
    assert ((write,) if verdict in writes else ()) == made.actions


def test_plan_adopts_a_foreign_route_when_the_policy_says_so() -> None:
    """Row 6 turns into row 3 with `adopt`, but only when there is a NAT to take over."""
    seen = network({AT_HOME}, {any_table(NAT_GATEWAY)})
    (decision,) = plan(seen, Policy(adopt=True)).decisions
    assert (Verdict.REPAIR_AT_HOME, "i-home") == (decision.verdict, decision.nat)
    (decision,) = plan(network(set(), seen.tables), Policy(adopt=True)).decisions
    assert decision.verdict is Verdict.NOT_OURS


def test_plan_stays_away_when_failback_is_manual() -> None:
    """Row 2 waits for a person, and says so."""
    made = plan(network({AT_HOME, AWAY}, {any_table(route_to(AWAY))}), Policy(failback=False))
    assert made.actions == ()
    assert made.decisions[0].reason == "i-away in zone-b serves it; failback is manual"


def test_plan_leaves_a_nat_when_a_message_says_it_is_leaving() -> None:
    """EC2 may still call an instance running that a message says is leaving."""
    seen = network({AT_HOME, AWAY}, {any_table(route_to(AT_HOME))})
    (decision,) = plan(replace(seen, leaving=frozenset({"i-home"})), REPLACE).decisions
    assert (Verdict.REPAIR_ELSEWHERE, "i-away") == (decision.verdict, decision.nat)
    assert decision.reason == (
        "it uses i-home, leaving: a message says that it is leaving;"
        " a NAT is usable only in another zone"
    )


def test_plan_says_that_a_table_is_missing_and_repairs_the_others() -> None:
    """Row 7: what EC2 does not describe is not written, and costs the other tables nothing."""
    lost = replace(any_table(name="lost"), exists=False, associations=frozenset())
    made = plan(network({AT_HOME}, {lost, any_table(None, HERE, "other")}), REPLACE)
    assert (Verdict.MISSING, "EC2 does not describe it", None) == (
        made.decisions[0].verdict,
        made.decisions[0].reason,
        made.decisions[0].nat,
    )
    assert ["rtb-other"] == [a.table for a in made.actions if isinstance(a, SetDefaultRoute)]
    assert ("subnet-lost", "subnet-other") == made.without_egress


HALVES = frozenset({("0.0.0.0/1", "tgw-any"), ("128.0.0.0/1", "tgw-any")})


@pytest.mark.parametrize(
    ("routes", "without"),
    [
        (HALVES, ()),
        (HALVES | {("10.9.0.0/16", "pcx-any"), ("198.51.100.0/24", "blackhole")}, ()),
        (frozenset({("0.0.0.0/1", "igw-x"), ("128.0.0.0/1", "tgw-any")}), ("subnet-any",)),
    ],
)
@pytest.mark.parametrize("adopt", [False, True])
def test_plan_leaves_a_table_alone_when_more_specific_routes_take_everything(
    routes: frozenset[tuple[str, str]], without: tuple[str, ...], *, adopt: bool
) -> None:
    """No default route would change that, so `adopt` does not either."""
    table = replace(any_table(route_to(AT_HOME)), other_routes=routes)
    made = plan(network({AT_HOME}, {table}), Policy(adopt=adopt))
    assert () == made.actions
    assert Verdict.NOT_OURS == made.decisions[0].verdict
    assert made.decisions[0].reason == (
        "more specific routes than the default cover every address;"
        " those routes are not the function's"
    )
    assert without == made.without_egress


def test_plan_keeps_a_table_that_has_routes_of_ipv6_too() -> None:
    """What they cover is not what the default route of IPv4 does."""
    table = replace(any_table(route_to(AT_HOME)), other_routes=frozenset({("::/0", "eigw-any")}))
    assert Verdict.KEEP == plan(network({AT_HOME}, {table}), REPLACE).decisions[0].verdict


@pytest.mark.parametrize(
    ("route", "leads"),
    [
        (INTERNET_GATEWAY, True),
        (FOREIGN_ADDRESS, True),
        (DefaultRoute(other="pcx-any"), False),
        (LOST, False),
        (None, False),
    ],
)
def test_table_may_lead_out_when_its_default_route_leads_somewhere(
    route: DefaultRoute | None, *, leads: bool
) -> None:
    """That is what a NAT's own subnet needs; where it leads is its owner's business."""
    assert leads == may_lead_out(any_table(route))


@pytest.mark.parametrize(
    ("routes", "leads"),
    [
        (HALVES, True),
        ({("pl-1", "tgw-any")}, True),
        ({("192.0.0.0/4", "igw-any")}, True),
        ({("pl-1", "vpce-any"), ("10.9.0.0/16", "tgw-any"), ("::/0", "igw-any")}, False),
        ({("pl-1", "blackhole"), ("pl-2", "pcx-any")}, False),
        ({("0.0.0.0/1", "blackhole"), ("128.0.0.0/1", "pcx-any")}, False),
    ],
)
def test_table_may_lead_out_when_another_route_leads_to_any_of_the_internet(
    routes: set[tuple[str, str]], *, leads: bool
) -> None:
    """Somebody may limit by routes where NATs lead to; a list of prefixes is not read."""
    assert leads == may_lead_out(replace(any_table(), other_routes=frozenset(routes)))


def test_plan_names_no_prefix_list_when_the_route_that_counts_was_written() -> None:
    """Only a propagated route gives way to what a list holds."""
    said = {
        route: plan(
            network(
                {AT_HOME},
                {replace(any_table(route), other_routes=frozenset({("pl-1", "tgw-any")}))},
            ),
            REPLACE,
        )
        .decisions[0]
        .reason.partition(";")[0]
        for route in (NAT_GATEWAY, PROPAGATED)
    }
    assert said == {
        NAT_GATEWAY: "it uses nat-gateway",
        PROPAGATED: "it uses vgw-any, unless pl-1 holds one",
    }


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({("pl-1", "tgw-any")}, ", unless pl-1 holds one"),
        ({("pl-2", "tgw-any"), ("pl-1", "tgw-any")}, ", unless pl-1 or pl-2 holds one"),
        ({("pl-1", "vpce-any")}, ""),
        ({("10.9.0.0/16", "tgw-any")}, ""),
    ],
)
def test_plan_names_the_prefix_lists_that_may_hold_a_default(
    other: set[tuple[str, str]], said: str
) -> None:
    """What a list holds is not read; a written default route wins over it, so it is written."""
    table = replace(any_table(), other_routes=frozenset(other))
    made = plan(network({AT_HOME}, {table}), REPLACE)
    assert f"there is no default route{said}; {HOME}" == made.decisions[0].reason
    assert ["i-home"] == [a.instance for a in made.actions if isinstance(a, SetDefaultRoute)]
    lost = plan(network(set(), {table}), REPLACE)
    assert (Verdict.NO_EGRESS, f"there is no default route{said}; {NONE}") == (
        lost.decisions[0].verdict,
        lost.decisions[0].reason,
    )
    assert ("subnet-any",) == lost.without_egress


def test_plan_counts_a_subnet_as_without_egress_when_its_table_uses_an_internet_gateway() -> None:
    """Only a host with a public address gets out by one; a NAT gateway serves any."""
    for route, without in ((INTERNET_GATEWAY, ("subnet-any",)), (NAT_GATEWAY, ())):
        assert without == plan(network({AT_HOME}, {any_table(route)}), REPLACE).without_egress


def test_plan_gives_a_table_another_nat_when_aws_refused_one() -> None:
    """The refused one keeps its health, and is asked again when no other is left."""
    seen = network({AT_HOME, AWAY}, {any_table()})
    refused = frozenset({("rtb-any", "i-home")})
    made = plan(replace(seen, refused=refused), REPLACE)
    assert (Verdict.REPAIR_ELSEWHERE, "i-away") == (
        made.decisions[0].verdict,
        made.decisions[0].nat,
    )
    assert [Health.USABLE] * 2 == [said.health for said in made.health]
    every = refused | {("rtb-any", "i-away")}
    assert "i-home" == plan(replace(seen, refused=every), REPLACE).decisions[0].nat
    other = frozenset({("rtb-other", "i-home")})
    assert "i-home" == plan(replace(seen, refused=other), REPLACE).decisions[0].nat


def test_plan_stays_away_when_aws_refused_the_nat_at_home() -> None:
    """What works is not moved back and forth within a run."""
    seen = network({AT_HOME, AWAY}, {any_table(route_to(AWAY))})
    made = plan(replace(seen, refused=frozenset({("rtb-any", "i-home")})), REPLACE)
    assert () == made.actions
    assert f"{SERVED_AWAY}; AWS refused the NAT at home" == made.decisions[0].reason


def test_plan_stays_away_when_the_memory_could_not_be_read() -> None:
    """Failback can wait until it is known what other runs remembered; a repair cannot."""
    seen = network({AT_HOME, AWAY}, {any_table(route_to(AWAY)), any_table(name="lost")})
    made = plan(replace(seen, memory_readable=False), REPLACE)
    assert f"{SERVED_AWAY}; the memory could not be read" == made.decisions[0].reason
    assert ["rtb-lost"] == [a.table for a in made.actions if isinstance(a, SetDefaultRoute)]


def test_plan_spreads_tables_when_both_nats_are_in_one_zone() -> None:
    """A zone outage puts both NATs into one zone: each one then serves the fewest tables it can."""
    nats = {any_nat("x", THERE), any_nat("y", THERE)}
    tables = {any_table(name=str(i)) for i in range(4)} | {any_table(zone=THERE, name="9")}
    served = [decision.nat for decision in plan(network(nats, tables), REPLACE).decisions]
    assert {"i-x", "i-y"} == set(served)
    assert abs(served.count("i-x") - served.count("i-y")) == 1


def test_plan_counts_the_tables_that_stay_when_it_spreads() -> None:
    """A NAT that serves a table already is not given the next one while another serves none."""
    busy, free = any_nat("a-busy", THERE), any_nat("b-free", THERE)
    tables = {any_table(route_to(busy), THERE, "kept"), any_table(None, HERE, "moved")}
    decisions = {d.table: d.nat for d in plan(network({busy, free}, tables), REPLACE).decisions}
    assert {"rtb-kept": "i-a-busy", "rtb-moved": "i-b-free"} == decisions


@pytest.mark.parametrize(
    ("facts", "switched"),
    [
        ({}, True),
        ({"lifecycle": "Pending:Wait"}, True),
        ({"healthy": False}, True),
        ({"state": InstanceState.PENDING}, False),
        ({"state": InstanceState.TERMINATED}, False),
        ({"lifecycle": "Terminating:Wait"}, False),
        ({"lifecycle": None}, False),
    ],
)
def test_plan_switches_the_check_off_when_the_instance_is_to_serve(
    facts: dict[str, Any], *, switched: bool
) -> None:
    """The check goes off on every running instance that serves or will, and on no other."""
    nat = any_nat(source_dest_check=True, **facts)
    made = plan(network({nat}, {any_table(route_to(nat))}), REPLACE)
    off = DisableSourceDestCheck(
        instance="i-any",
        interface="eni-any",
        reason="a NAT forwards packets that are not addressed to it",
    )
    written = tuple(a for a in made.actions if isinstance(a, DisableSourceDestCheck))
    assert ((off,) if switched else ()) == written


def test_plan_gives_no_route_to_a_nat_whose_check_is_on() -> None:
    """A NAT whose check is on forwards nothing, so its tables wait until it is off."""
    nat = any_nat(source_dest_check=True)
    made = plan(network({nat}, {any_table()}), REPLACE)
    assert not [a for a in made.actions if isinstance(a, SetDefaultRoute)]


class TestSwap:
    """The strategy that moves subnets between tables."""

    here = any_table(route_to(DEAD, blackhole=True), HERE, "here")
    there = any_table(route_to(AWAY), THERE, "there")

    def test_subnets_go_to_the_other_table_when_theirs_lost_its_nat(self) -> None:
        """The broken table keeps its route, its subnets use a table whose NAT is usable."""
        made = plan(network({AWAY, DEAD}, {self.here, self.there}), SWAP)
        why = f"{BLACKHOLE}; {ELSEWHERE}"
        evacuated = Decision(
            table="rtb-here",
            zone=HERE,
            verdict=Verdict.EVACUATE,
            reason=f"{why}; its subnets use rtb-there meanwhile",
        )
        assert evacuated == made.decisions[0]
        move = MoveSubnet(
            association="rtbassoc-here",
            subnet="subnet-here",
            source="rtb-here",
            table="rtb-there",
            reason=why,
        )
        assert (move,) == made.actions

    def test_subnets_of_every_table_move_when_several_lost_their_nat(self) -> None:
        """One table's moves do not replace another's."""
        more = any_table(route_to(DEAD, blackhole=True), HERE, "more")
        made = plan(network({AWAY, DEAD}, {self.here, more, self.there}), SWAP)
        moves = [(a.subnet, a.table) for a in made.actions if isinstance(a, MoveSubnet)]
        assert [("subnet-here", "rtb-there"), ("subnet-more", "rtb-there")] == moves

    def test_subnets_stay_when_aws_refused_them_their_home_in_this_run(self) -> None:
        """Those that work wait for the next run, those that do not use a third table."""
        works = replace(self.here, route=route_to(AT_HOME))
        refused = frozenset({("subnet-here", "rtb-here")})
        seen = replace(network({AT_HOME, AWAY}, self._evacuated(works)), refused=refused)
        assert () == plan(seen, SWAP).actions
        lost = {
            replace(t, route=route_to(DEAD)) if t.id == "rtb-there" else t
            for t in self._evacuated(works)
        }
        third = any_table(route_to(AT_HOME), HERE, "third")
        seen = replace(network({AT_HOME, DEAD}, {*lost, third}), refused=refused)
        moves = [(a.subnet, a.table) for a in plan(seen, SWAP).actions if isinstance(a, MoveSubnet)]
        assert ("subnet-here", "rtb-third") in moves

    def test_nothing_is_left_to_do_when_the_subnets_are_away(self) -> None:
        """A broken table without subnets harms nobody and is not written."""
        tables = self._evacuated(self.here)
        made = plan(network({AWAY, DEAD}, tables), SWAP)
        assert made.actions == ()
        assert made.decisions[0].reason.endswith("; no subnet uses it")

    def test_the_table_is_repaired_first_when_its_nat_is_back(self) -> None:
        """Subnets that work do not fail back before their table was seen to work."""
        made = plan(network({AT_HOME, AWAY}, self._evacuated(self.here)), SWAP)
        (repair,) = made.actions
        assert isinstance(repair, SetDefaultRoute)
        assert ("rtb-here", "i-home") == (repair.table, repair.instance)

    def test_subnets_fail_back_when_their_table_works_again(self) -> None:
        """Once the home table was seen to work, its subnets fail back."""
        works = replace(self.here, route=route_to(AT_HOME))
        seen = network({AT_HOME, AWAY}, self._evacuated(works))
        move = MoveSubnet(
            association="rtbassoc-2",
            subnet="subnet-here",
            source="rtb-there",
            table="rtb-here",
            reason="the subnet's home table works again",
        )
        assert (move,) == plan(seen, SWAP).actions
        assert plan(seen, Policy(swap=True, failback=False)).actions == ()

    def test_subnets_fail_back_at_once_when_they_have_no_egress(self) -> None:
        """A subnet whose fallback table fails fails back as soon as its table is going to work."""
        tables = self._evacuated(replace(self.here, route=None))
        lost = {replace(t, route=route_to(DEAD)) if t.id == "rtb-there" else t for t in tables}
        moves = [
            (a.subnet, a.table)
            for a in plan(network({AT_HOME, DEAD}, lost), SWAP).actions
            if isinstance(a, MoveSubnet)
        ]
        assert [("subnet-here", "rtb-here"), ("subnet-there", "rtb-here")] == moves

    @pytest.mark.parametrize(
        ("tables", "why"),
        [
            (
                {here, replace(there, other_routes=frozenset({("10.9.0.0/16", "pcx-1")}))},
                "every other table would cost the subnets other routes",
            ),
            (
                {here, replace(there, route=None, zone="zone-c")},
                "every other table has no usable NAT",
            ),
            (
                {
                    replace(
                        here,
                        associations=here.associations
                        | {Association(id="rtbassoc-x", subnet="subnet-x")},
                    ),
                    there,
                },
                "subnet-x is not a subnet of the stack",
            ),
        ],
    )
    def test_the_route_is_replaced_when_a_swap_would_do_harm(
        self, tables: set[Table], why: str
    ) -> None:
        """A refused swap becomes a replaced route of the same table, with the reason."""
        made = plan(network({AWAY, DEAD}, tables), SWAP)
        decision = next(d for d in made.decisions if d.table == "rtb-here")
        assert Verdict.REPAIR_ELSEWHERE == decision.verdict
        assert decision.reason.endswith(f"its route is replaced, because {why}")
        assert not [a for a in made.actions if isinstance(a, MoveSubnet)]
        assert "rtb-here" in [a.table for a in made.actions if isinstance(a, SetDefaultRoute)]

    def test_subnets_fail_back_when_their_fallback_table_fails_and_no_table_is_alike(self) -> None:
        """Home is always a fallback table, whatever its other routes are."""
        alone = replace(self.here, route=None, other_routes=frozenset({("10.9.0.0/16", "pcx-1")}))
        fallback = replace(
            self.there,
            route=route_to(DEAD),
            associations=frozenset({Association(id="rtbassoc-2", subnet="subnet-here")}),
        )
        seen = network({AT_HOME, DEAD}, {replace(alone, associations=frozenset()), fallback})
        moves = [(a.subnet, a.table) for a in plan(seen, SWAP).actions if isinstance(a, MoveSubnet)]
        assert [("subnet-here", "rtb-here")] == moves

    def test_subnets_go_on_to_a_third_table_when_home_and_fallback_have_failed(self) -> None:
        """A home that does not work is no fallback table."""
        third = any_nat("third", "zone-c")
        fallback = replace(
            self.there,
            route=route_to(DEAD),
            associations=frozenset({Association(id="rtbassoc-2", subnet="subnet-here")}),
        )
        tables = {
            replace(self.here, associations=frozenset()),
            fallback,
            any_table(route_to(third), "zone-c", "third"),
        }
        moves = [
            (a.subnet, a.table)
            for a in plan(network({third, DEAD}, tables), SWAP).actions
            if isinstance(a, MoveSubnet)
        ]
        assert [("subnet-here", "rtb-third")] == moves

    def test_foreign_subnet_is_left_where_it_is_when_its_table_works(self) -> None:
        """A subnet that is not the stack's has no home to go to."""
        guest = Association(id="rtbassoc-x", subnet="subnet-x")
        here = replace(
            self.here,
            route=route_to(AT_HOME),
            associations=self.here.associations | {guest},
        )
        assert plan(network({AT_HOME, AWAY}, {here, self.there}), SWAP).actions == ()

    def test_subnets_that_stay_after_all_are_not_counted_where_they_might_have_gone(self) -> None:
        """A refused evacuation leaves the next table's subnets the choice they would have had."""
        nats = {any_nat(zone, zone) for zone in ("y", "z")}
        fallbacks = {any_table(route_to(any_nat(zone, zone)), zone, zone) for zone in ("y", "z")}
        stays = any_table(None, HERE, "1")
        stranger = Association(id="rtbassoc-x", subnet="subnet-x")
        stays = replace(stays, associations=stays.associations | {stranger})
        made = plan(network(nats, {*fallbacks, stays, any_table(None, HERE, "2")}), SWAP)
        moves = [(a.subnet, a.table) for a in made.actions if isinstance(a, MoveSubnet)]
        assert [("subnet-2", "rtb-y")] == moves

    def test_subnets_spread_when_several_tables_can_take_them(self) -> None:
        """Each subnet goes to the table with the fewest subnets, those on their way included."""
        nats = {any_nat(zone, zone) for zone in ("b", "c")}
        empty, full = (any_table(route_to(any_nat(zone, zone)), zone, zone) for zone in ("b", "c"))
        homeless = replace(
            self.here,
            home_subnets=frozenset(f"subnet-{i}" for i in range(3)),
            associations=frozenset(
                Association(id=f"rtbassoc-{i}", subnet=f"subnet-{i}") for i in range(3)
            ),
        )
        tables = {replace(empty, associations=frozenset()), full, homeless}
        made = plan(network(nats, tables), SWAP)
        moves = [a.table for a in made.actions if isinstance(a, MoveSubnet)]
        assert ["rtb-b", "rtb-b", "rtb-c"] == moves
        assert made.decisions[2].reason.endswith("its subnets use rtb-b, rtb-c meanwhile")

    def _evacuated(self, here: Table) -> set[Table]:
        guests = self.there.associations | {Association(id="rtbassoc-2", subnet="subnet-here")}
        return {
            replace(here, associations=frozenset()),
            replace(self.there, associations=guests),
        }


STRAY = "it uses none of the stack's route tables"
LEFT = "the strategy replace-route moves no subnets"
IN_MAIN = "it uses the VPC's main table rtb-main: "
THEIRS = replace(
    any_table(name="theirs"),
    zone="",
    home_subnets=frozenset(),
    associations=frozenset({Association(id="rtbassoc-x", subnet="subnet-any")}),
)


class TestStrays:
    """Private subnets that use none of the stack's tables, or another one than their home."""

    home = replace(any_table(route_to(AT_HOME)), associations=frozenset())
    other = any_table(route_to(AWAY), THERE, "other")

    @pytest.mark.parametrize(
        ("main", "policy", "verdict", "why"),
        [
            (None, REPLACE, Verdict.NO_EGRESS, f"there is no default route; {LEFT}"),
            (LOST, REPLACE, Verdict.NO_EGRESS, f"{BLACKHOLE}; {LEFT}"),
            (None, SWAP, Verdict.REPAIR_AT_HOME, f"there is no default route; {STRAY}"),
            (LOST, SWAP, Verdict.REPAIR_AT_HOME, f"{BLACKHOLE}; {STRAY}"),
            (route_to(AWAY), SWAP, Verdict.FAIL_BACK, f"{SERVED_AWAY}; {STRAY}"),
            (route_to(AWAY), REPLACE, Verdict.NO_EGRESS, f"{SERVED_AWAY}; {LEFT}"),
            (
                NAT_GATEWAY,
                SWAP,
                Verdict.NOT_OURS,
                "it uses nat-gateway; what is not the stack's is left alone",
            ),
            (
                INTERNET_GATEWAY,
                SWAP,
                Verdict.NOT_OURS,
                "it uses igw-any; what is not the stack's is left alone",
            ),
            (
                NAT_GATEWAY,
                replace(SWAP, adopt=True),
                Verdict.FAIL_BACK,
                f"it uses nat-gateway; {STRAY}",
            ),
            (
                INTERNET_GATEWAY,
                replace(SWAP, adopt=True),
                Verdict.REPAIR_AT_HOME,
                f"it uses igw-any; {STRAY}",
            ),
        ],
    )
    def test_subnet_without_association_uses_its_home_unless_the_main_table_leads_elsewhere(
        self, main: DefaultRoute | None, policy: Policy, verdict: Verdict, why: str
    ) -> None:
        """A subnet that somebody disassociated falls to the VPC's main table."""
        seen = network({AT_HOME, AWAY, DEAD}, {self.home}, {replace(MAIN, route=main)})
        made = plan(seen, policy)
        moves = policy.swap and verdict is not Verdict.NOT_OURS
        out = main in {route_to(AWAY), NAT_GATEWAY}
        expected = SubnetDecision(
            subnet="subnet-any",
            zone=HERE,
            table="rtb-main",
            verdict=verdict,
            reason=IN_MAIN + why,
            egress=out,
            destination="rtb-any" if moves else None,
        )
        assert (expected,) == made.subnets
        move = AssociateSubnet(
            subnet="subnet-any", source="rtb-main", table="rtb-any", reason=STRAY
        )
        assert ((move,) if moves else ()) == made.actions
        assert (() if out else ("subnet-any",)) == made.without_egress

    @pytest.mark.parametrize("route", [None, NAT_GATEWAY])
    def test_subnet_leaves_another_table_with_adopt_only(self, route: DefaultRoute | None) -> None:
        """Somebody put it there."""
        seen = network({AT_HOME}, {self.home}, {MAIN, replace(THEIRS, route=route)})
        left = plan(seen, SWAP)
        assert () == left.actions
        assert Verdict.NOT_OURS == left.subnets[0].verdict
        assert "it uses rtb-theirs, which is not the stack's: " in left.subnets[0].reason
        move = MoveSubnet(
            association="rtbassoc-x",
            subnet="subnet-any",
            source="rtb-theirs",
            table="rtb-any",
            reason=STRAY,
        )
        assert (move,) == plan(seen, replace(SWAP, adopt=True)).actions

    @pytest.mark.parametrize("route", [route_to(AWAY), route_to(DEAD), LOST])
    def test_subnet_leaves_the_table_of_a_zone_that_was_dropped(self, route: DefaultRoute) -> None:
        """It leads to a NAT of ours and has no other route: the stack's own until a moment ago."""
        seen = network({AT_HOME, AWAY, DEAD}, {self.home}, {MAIN, replace(THEIRS, route=route)})
        moves = [(a.subnet, a.table) for a in plan(seen, SWAP).actions if isinstance(a, MoveSubnet)]
        assert [("subnet-any", "rtb-any")] == moves
        more = replace(THEIRS, route=route, other_routes=frozenset({("10.9.0.0/16", "pcx-any")}))
        seen = network({AT_HOME, AWAY, DEAD}, {self.home}, {MAIN, more})
        assert () == plan(seen, SWAP).actions

    def test_subnet_gets_another_table_when_its_home_is_missing(self) -> None:
        """It loses nothing by that: the other table has every route that it has now."""
        lost = replace(self.home, exists=False, route=None)
        made = plan(network({AWAY}, {lost, self.other}), SWAP)
        assert ("rtb-other", Verdict.REPAIR_ELSEWHERE) == (
            made.subnets[0].destination,
            made.subnets[0].verdict,
        )
        after = any_table(route_to(AWAY), THERE, "other")
        guests = after.associations | {Association(id="rtbassoc-2", subnet="subnet-any")}
        stays = plan(network({AWAY}, {lost, replace(after, associations=guests)}), SWAP)
        assert () == stays.actions
        assert Verdict.AWAY == stays.subnets[0].verdict
        assert stays.subnets[0].reason.endswith("its home table rtb-any is missing")

    def test_subnet_stays_in_the_main_table_when_every_other_would_cost_it_routes(self) -> None:
        """Nothing is known of what it needs, so nothing is taken."""
        main = replace(MAIN, other_routes=frozenset({("10.9.0.0/16", "pcx-any")}))
        lost = replace(self.home, exists=False, route=None)
        made = plan(network({AWAY}, {lost, self.other}, {main}), SWAP)
        assert () == made.actions
        assert Verdict.NO_EGRESS == made.subnets[0].verdict

    def test_stray_goes_to_another_table_when_its_home_lost_its_nat(self) -> None:
        """Its home stays as it is, as with every other subnet of a troubled table."""
        troubled = replace(self.home, route=LOST)
        made = plan(network({AWAY, DEAD}, {troubled, self.other}), SWAP)
        assert Verdict.EVACUATE == made.decisions[0].verdict
        assert [("subnet-any", "rtb-other")] == [
            (a.subnet, a.table) for a in made.actions if isinstance(a, AssociateSubnet)
        ]

    def test_home_is_repaired_when_a_stray_has_no_other_table(self) -> None:
        """Then the stray fails back when that was seen to work."""
        main = replace(MAIN, other_routes=frozenset({("10.9.0.0/16", "pcx-any")}))
        troubled = replace(self.home, route=LOST)
        made = plan(network({AWAY, DEAD}, {troubled, self.other}, {main}), SWAP)
        assert Verdict.REPAIR_ELSEWHERE == made.decisions[0].verdict
        (write,) = made.actions
        assert isinstance(write, SetDefaultRoute | AssociateSubnet | MoveSubnet)
        assert "rtb-any" == write.table

    def test_stray_goes_to_a_home_that_leads_elsewhere_when_that_is_a_way_out(self) -> None:
        """Its home is where it belongs, and it had no egress at all."""
        made = plan(network({AWAY}, {replace(self.home, route=NAT_GATEWAY)}), SWAP)
        assert ["rtb-any"] == [a.table for a in made.actions if isinstance(a, AssociateSubnet)]

    def test_stray_takes_another_table_when_aws_refused_its_home_in_this_run(self) -> None:
        """And its home again in the next one."""
        refused = frozenset({("subnet-any", "rtb-any")})
        seen = replace(network({AT_HOME, AWAY}, {self.home, self.other}), refused=refused)
        moves = [a.table for a in plan(seen, SWAP).actions if isinstance(a, AssociateSubnet)]
        assert ["rtb-other"] == moves

    def test_stray_waits_for_its_home_when_that_gets_another_route(self) -> None:
        """It would only fail back a moment later."""
        guest = Association(id="rtbassoc-x", subnet="subnet-x")
        troubled = replace(self.home, route=LOST, associations=frozenset({guest}))
        made = plan(network({AWAY, DEAD}, {troubled, self.other}), SWAP)
        assert ["rtb-any"] == [a.table for a in made.actions if isinstance(a, SetDefaultRoute)]
        assert [] == [a for a in made.actions if isinstance(a, AssociateSubnet)]

    def test_stray_follows_the_other_subnets_when_its_home_is_taken_back(self) -> None:
        """The foreign target of its home works, but is being left."""
        policy = Policy(swap=True, adopt=True)
        made = plan(network({AWAY}, {replace(self.home, route=NAT_GATEWAY), self.other}), policy)
        assert Verdict.EVACUATE == made.decisions[0].verdict
        assert ["rtb-other"] == [a.table for a in made.actions if isinstance(a, AssociateSubnet)]

    def test_every_stray_is_helped_when_the_first_one_stays(self) -> None:
        """One that somebody put elsewhere, and is left there, is no reason to forget the next."""
        theirs = replace(
            THEIRS, associations=frozenset({Association(id="rtbassoc-x", subnet="subnet-any")})
        )
        other = replace(self.other, associations=frozenset())
        made = plan(network({AT_HOME, AWAY}, {self.home, other}, {MAIN, theirs}), SWAP)
        assert [("subnet-other", "rtb-other")] == [
            (a.subnet, a.table) for a in made.actions if isinstance(a, AssociateSubnet)
        ]

    def test_stray_says_that_its_home_does_not_work_when_failback_is_manual(self) -> None:
        """Failback has nothing to do with it."""
        policy = Policy(swap=True, failback=False)
        made = plan(network({DEAD}, {replace(self.home, route=LOST)}), policy)
        assert [
            f"{IN_MAIN}there is no default route; its home table rtb-any does not work yet"
        ] == [decision.reason for decision in made.subnets]

    @pytest.mark.parametrize(
        ("route", "verdict"), [(LOST, Verdict.NO_EGRESS), (NAT_GATEWAY, Verdict.NOT_OURS)]
    )
    def test_subnet_that_is_away_is_as_the_table_that_it_uses(
        self, route: DefaultRoute, verdict: Verdict
    ) -> None:
        """One without a way out, or one that leads elsewhere, is not merely away."""
        guests = self.other.associations | {Association(id="rtbassoc-2", subnet="subnet-any")}
        used = replace(self.other, route=route, associations=guests)
        made = plan(network({DEAD}, {replace(self.home, route=LOST), used}), REPLACE)
        assert [verdict] == [decision.verdict for decision in made.subnets]

    def test_subnet_that_is_away_says_why(self) -> None:
        """Another table of the stack serves it; that is nobody's alarm."""
        guests = self.other.associations | {Association(id="rtbassoc-2", subnet="subnet-any")}
        tables = {self.home, replace(self.other, associations=guests)}
        seen = network({AT_HOME, AWAY}, tables)
        told = {
            policy: plan(seen, policy).subnets[0]
            for policy in (REPLACE, Policy(swap=True, failback=False))
        }
        found = "it uses rtb-other of zone-b: i-away in zone-b serves it; "
        assert [found + LEFT, f"{found}failback is manual"] == [d.reason for d in told.values()]
        assert {Verdict.AWAY} == {decision.verdict for decision in told.values()}
        unknown = plan(replace(seen, memory_readable=False), SWAP).subnets[0]
        assert f"{found}the memory could not be read" == unknown.reason

    def test_subnet_away_fails_back_when_its_other_table_leads_nowhere(self) -> None:
        """A repair, whatever the policy says of failback."""
        guests = self.other.associations | {Association(id="rtbassoc-2", subnet="subnet-any")}
        tables = {self.home, replace(self.other, route=INTERNET_GATEWAY, associations=guests)}
        made = plan(network({AT_HOME, AWAY}, tables), Policy(swap=True, failback=False))
        assert [Verdict.REPAIR_AT_HOME] == [d.verdict for d in made.subnets]
        (write,) = made.actions
        assert isinstance(write, SetDefaultRoute | AssociateSubnet | MoveSubnet)
        assert "rtb-any" == write.table

    def test_route_is_replaced_when_the_troubled_table_is_the_main_one(self) -> None:
        """Other subnets may use it without an association, and would be left behind."""
        troubled = replace(any_table(LOST), main=True)
        made = plan(network({AWAY, DEAD}, {troubled, self.other}), SWAP)
        assert made.decisions[0].reason.endswith(
            "because it is the VPC's main table, which other subnets may use"
        )
        assert ["rtb-any"] == [a.table for a in made.actions if isinstance(a, SetDefaultRoute)]

    def test_route_is_replaced_when_aws_refused_every_other_table_to_a_subnet(self) -> None:
        """Within a run, what was refused is not asked again while there is another way."""
        seen = network({AWAY, DEAD}, {any_table(LOST), self.other})
        made = plan(replace(seen, refused=frozenset({("subnet-any", "rtb-other")})), SWAP)
        assert made.decisions[0].reason.endswith("because AWS refused every other table")
        assert ["rtb-any"] == [a.table for a in made.actions if isinstance(a, SetDefaultRoute)]


@given(seen=networks(), swap=st.booleans())
def test_plan_gives_every_table_one_decision_with_a_reason(
    seen: Observation, *, swap: bool
) -> None:
    """Whatever was seen, each table has exactly one decision, in order, with a reason in words."""
    made = plan(seen, Policy(swap=swap))
    assert sorted(t.id for t in seen.tables) == [d.table for d in made.decisions]
    assert all(decision.reason for decision in made.decisions)


@pytest.mark.parametrize("zone", ["zone-c", f"{HERE} and {THERE}"])
def test_table_without_a_home_is_served_by_any_nat_and_stays_with_it(zone: str) -> None:
    """Its zone has no NATs, or its subnets are in several; the one with the fewest tables gets it.

    The group launches in two zones.
    """
    zones = frozenset({HERE, THERE})
    at_home, lonely = any_table(route_to(AT_HOME)), any_table(None, zone, "lonely")
    first = replace(network({AT_HOME, AWAY}, {at_home, lonely}), zones=zones)
    given = next(d for d in plan(first, REPLACE).decisions if d.table == lonely.id)
    assert (given.verdict, given.nat) == (Verdict.REPAIR_AT_HOME, "i-away")
    assert given.reason == (
        "there is no default route; it has no home, and any usable NAT serves it"
    )

    served = replace(lonely, route=route_to(AT_HOME))
    then = replace(network({AT_HOME, AWAY}, {at_home, served}), zones=zones)
    kept = next(d for d in plan(then, REPLACE).decisions if d.table == lonely.id)
    assert (kept.verdict, kept.nat, kept.reason) == (Verdict.KEEP, "i-home", SERVED)
    assert plan(then, REPLACE).actions == ()
