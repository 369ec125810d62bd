"""The standby gateway: when it serves, when it is left, and whose a table is that leads to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from nat_failover.actions import (
    CompleteLifecycleAction,
    DisableSourceDestCheck,
    ForgetStandby,
    RememberStandby,
    RestoreRoute,
    SetDefaultRoute,
)
from nat_failover.claims import CLAIM_LIFE_S, FELL_SILENT_S
from nat_failover.history import FAILBACK_AFTER_S
from nat_failover.incidents import Incident, IncidentState, Notification
from nat_failover.model import (
    Accusation,
    Claim,
    DefaultRoute,
    ElasticIp,
    Gateway,
    InstanceState,
    NatHistory,
    Observation,
    Plan,
    Policy,
    Standby,
    Table,
    Takeover,
    Verdict,
)
from nat_failover.notices import compose
from nat_failover.planner import plan
from nat_failover.reconcile import Run
from nat_failover.situation import situation
from nat_failover.standby import LAG_S, LOOK_AGAIN_S, SEEN_QUIET_S
from nat_failover.triggers import Trigger
from tests.factories import any_function_settings
from tests.unit.worlds import (
    HERE,
    NAT_GATEWAY,
    STANDBY_GATEWAY,
    THERE,
    any_nat,
    any_table,
    carry_out,
    network,
    route_to,
)

if TYPE_CHECKING:
    from nat_failover.model import Nat

NOW = 10_000.0
GATEWAY = "nat-standby"
TABLE = any_table().id
POLICY = Policy(standby=GATEWAY)
GONE = any_nat("gone", state=InstanceState.TERMINATED, lifecycle=None)
LOST = DefaultRoute(interface="eni-gone", blackhole=True)
REMEMBERED = Standby(table=TABLE, gateway=GATEWAY, written=NOW - 60)


NOT_YET = "no NAT that is known to be well has been usable for 60 s"


def world(*nats: Nat, route: DefaultRoute | None, **facts: Any) -> Observation:  # noqa: ANN401
    """Return a network with one table of zone a, and a gateway that is available."""
    seen = network(nats, {any_table(route)})
    since = NOW - FAILBACK_AFTER_S
    there: dict[str, Any] = {
        "now": NOW,
        "gateways": frozenset({Gateway(id=GATEWAY, state="available")}),
        "zones": frozenset({HERE, THERE}),
        "history": frozenset(NatHistory(instance=n.instance, usable_since=since) for n in nats),
    }
    return replace(seen, **(there | facts))


def on_standby(*nats: Nat, **facts: Any) -> Observation:  # noqa: ANN401 - of an observation
    """Return a network whose table the function led to the gateway."""
    return world(*nats, route=STANDBY_GATEWAY, **({"standbys": frozenset({REMEMBERED})} | facts))


def silent(nat: Nat, seconds: float = FELL_SILENT_S + 1) -> Claim:
    """Return the last claim of a NAT that was well."""
    return Claim(instance=nat.instance, received=NOW - seconds)


def verdict(made: Plan) -> Verdict:
    """Return the verdict on the one table."""
    (decision,) = made.decisions
    return decision.verdict


def test_gateway_serves_when_no_nat_does() -> None:
    """The route is written, and beside it that the function did that."""
    made = plan(world(route=LOST), POLICY)
    reason = "the default route is a blackhole to eni-gone; no NAT is usable"
    assert verdict(made) is Verdict.TO_STANDBY
    assert made.decisions[0].reason == reason
    route, memory = made.actions
    assert isinstance(route, RestoreRoute)
    assert (route.table, route.to, route.exists) == (TABLE, GATEWAY, True)
    assert isinstance(memory, RememberStandby)
    assert memory.standby == Standby(table=TABLE, gateway=GATEWAY, written=NOW)
    after = plan(carry_out(world(route=LOST), made.actions), POLICY)
    assert (verdict(after), after.actions, after.without_egress) == (Verdict.STANDBY, (), ())


def test_table_without_a_route_gets_one() -> None:
    """As after somebody deleted it."""
    route, _ = plan(world(route=None), POLICY).actions
    assert isinstance(route, RestoreRoute)
    assert not route.exists


@pytest.mark.parametrize(
    "facts",
    [
        {"gateways": frozenset()},
        {"gateways": frozenset({Gateway(id=GATEWAY, state="deleted")})},
        {"gateways": None},
        {"gateways": frozenset({Gateway(id=GATEWAY, state="available", routed=False)})},
        {"gone": frozenset({GATEWAY})},
        {"refused": frozenset({(TABLE, GATEWAY)})},
        {"ending": True},
        {"deleting": True},
    ],
)
def test_gateway_does_not_serve_when_it_cannot_or_the_stack_ends(facts: dict[str, Any]) -> None:
    """Then there is no egress, as without one."""
    made = plan(world(route=LOST, **facts), POLICY)
    assert verdict(made) is Verdict.NO_EGRESS
    assert made.actions == ()


def test_run_looks_again_when_the_gateway_is_needed_and_its_state_could_not_be_read() -> None:
    """It is not waited for otherwise."""
    assert plan(world(route=LOST, gateways=None), POLICY).due == NOW + LOOK_AGAIN_S
    assert plan(world(any_nat(), route=None, gateways=None), POLICY).due is None
    assert plan(world(route=LOST, gateways=None), Policy()).due is None


def test_nat_of_another_zone_comes_before_the_gateway() -> None:
    """It is used only while no NAT is usable."""
    assert verdict(plan(world(any_nat(zone=THERE), route=LOST), POLICY)) is Verdict.REPAIR_ELSEWHERE


def test_nats_that_lost_their_egress_are_left_for_the_gateway_once() -> None:
    """It may get out another way than they do; what they say on proves nothing against it."""
    nats = any_nat("a"), any_nat("b", THERE)
    said = frozenset(
        Claim(instance=nat.instance, received=NOW - 20, ailment="egress") for nat in nats
    )
    made = plan(world(*nats, route=route_to(nats[0]), claims=said), POLICY)
    assert verdict(made) is Verdict.TO_STANDBY
    after = carry_out(world(*nats, route=route_to(nats[0]), claims=said), made.actions)
    later = frozenset(replace(claim, received=NOW + 290) for claim in said)
    stays = plan(replace(after, now=NOW + 300, claims=later), POLICY)
    assert (verdict(stays), stays.actions) == (Verdict.STANDBY, ())


def test_nats_that_fell_silent_together_are_left_for_the_gateway() -> None:
    """They may have no egress to publish by; tables come back to one that speaks."""
    nats = any_nat("a"), any_nat("b", THERE)
    quiet = frozenset(map(silent, nats))
    seen = world(*nats, route=route_to(nats[0]), claims=quiet, quiet_since=NOW - SEEN_QUIET_S)
    made = plan(seen, POLICY)
    assert verdict(made) is Verdict.TO_STANDBY
    reason = "i-a in zone-a serves it; no NAT says anything of itself any more"
    assert made.decisions[0].reason == reason
    after = replace(carry_out(seen, made.actions), now=NOW + 60)
    assert (verdict(plan(after, POLICY)), plan(after, POLICY).actions) == (Verdict.STANDBY, ())
    one = frozenset({silent(nats[0]), silent(nats[1], 1)})
    after = replace(after, claims=one)
    back = plan(after, POLICY)
    (write,) = (each for each in back.actions if isinstance(each, SetDefaultRoute))
    assert (verdict(back), write.instance) == (Verdict.FAIL_BACK, "i-b")
    stays = plan(carry_out(after, back.actions), POLICY)
    assert verdict(stays) is Verdict.KEEP, "the NAT at home is silent still"
    assert "the NAT at home says nothing of itself any more" in stays.decisions[0].reason


@pytest.mark.parametrize("since", [None, NOW - SEEN_QUIET_S + 1])
def test_function_that_did_not_run_heard_nobody(since: float | None) -> None:
    """So nobody is taken for silent before runs have seen that for a while."""
    nats = any_nat("a"), any_nat("b", THERE)
    seen = world(*nats, route=route_to(nats[0]), claims=frozenset(map(silent, nats)))
    assert verdict(plan(replace(seen, quiet_since=since), POLICY)) is Verdict.KEEP


def test_gateway_is_left_for_nats_that_only_do_not_hear_each_other() -> None:
    """Each accuses the other, which says of both that they are well."""
    nats = any_nat("a"), any_nat("b", THERE)
    said = frozenset(
        Claim(
            instance=nat.instance,
            received=NOW - 5,
            silent=frozenset({Accusation(peer=other.instance, began=NOW - 500)}),
        )
        for nat, other in (nats, nats[::-1])
    )
    assert verdict(plan(on_standby(*nats, claims=said), POLICY)) is Verdict.FAIL_BACK


def test_gateway_is_left_when_the_nat_has_its_elastic_ip() -> None:
    """It gets one at once, and users shall be seen by it."""
    nat = any_nat(stable=True, address="10.0.0.9")
    free = frozenset({ElasticIp(allocation="eipalloc-1")})
    assert verdict(plan(on_standby(nat, elastic_ips=free), POLICY)) is Verdict.STANDBY


@pytest.mark.parametrize("policy", [POLICY, replace(POLICY, failback=False)])
def test_nat_repairs_at_once_what_uses_a_gateway_that_is_being_deleted(policy: Policy) -> None:
    """It may process traffic still, and not for long."""
    gone = frozenset({Gateway(id=GATEWAY, state="deleting")})
    seen = on_standby(any_nat(), gateways=gone, history=frozenset())
    assert verdict(plan(seen, policy)) is Verdict.REPAIR_AT_HOME
    assert verdict(plan(on_standby(gateways=gone), policy)) is Verdict.NO_EGRESS


@pytest.mark.parametrize(
    "claims",
    [
        set(),
        {silent(any_nat("a"))},
        {silent(any_nat("a")), silent(any_nat("b"), FELL_SILENT_S)},
        {silent(any_nat("a"), 3600), silent(any_nat("b"))},
    ],
)
def test_nats_that_never_spoke_or_do_still_are_not_left(claims: set[Claim]) -> None:
    """A watch that never worked, or broke at another time, says nothing of anybody's egress."""
    nats = any_nat("a"), any_nat("b", THERE)
    quiet = {"claims": frozenset(claims), "quiet_since": NOW - 900}
    made = plan(world(*nats, route=route_to(nats[0]), **quiet), POLICY)
    assert verdict(made) is Verdict.KEEP


def test_table_that_somebody_else_leads_elsewhere_is_not_led_to_the_gateway() -> None:
    """Whatever became of the NATs."""
    assert verdict(plan(world(route=NAT_GATEWAY), POLICY)) is Verdict.NOT_OURS


def test_last_nat_that_leaves_by_plan_serves_on() -> None:
    """It is held until another NAT is usable, which breaks no connection."""
    nat = any_nat(lifecycle="Terminating:Wait")
    made = plan(world(nat, route=route_to(nat)), POLICY)
    assert (verdict(made), made.actions) == (Verdict.WAIT, ())


def test_gateway_serves_before_the_last_nat_of_a_group_that_shall_have_none_ends() -> None:
    """Its drain ends when its table has moved."""
    nat = any_nat(lifecycle="Terminating:Wait")
    seen = world(nat, route=route_to(nat), desired=0)
    made = plan(seen, POLICY)
    assert verdict(made) is Verdict.TO_STANDBY
    assert not [a for a in made.actions if isinstance(a, CompleteLifecycleAction)]
    (ended,) = plan(carry_out(seen, made.actions), POLICY).actions
    assert isinstance(ended, CompleteLifecycleAction)


@pytest.mark.parametrize(("zone", "nat"), [(HERE, "i-any"), (THERE, "i-any")])
def test_gateway_is_left_for_a_nat_that_has_settled(zone: str, nat: str) -> None:
    """For one at home, or else for any."""
    made = plan(on_standby(any_nat(zone=zone)), POLICY)
    write, kept = made.actions
    assert isinstance(write, SetDefaultRoute)
    assert isinstance(kept, RememberStandby), "a run that sees it there still must know whose it is"
    assert (verdict(made), write.instance, write.exists) == (Verdict.FAIL_BACK, nat, True)
    assert made.decisions[0].reason == "it uses nat-standby; a NAT is usable again"
    assert made.without_egress == ()


def test_gateway_is_left_for_the_nat_at_home_where_both_have_settled() -> None:
    """Whatever their ids are."""
    made = plan(on_standby(any_nat("z"), any_nat("a", THERE)), POLICY)
    assert [a.instance for a in made.actions if isinstance(a, SetDefaultRoute)] == ["i-z"]


@pytest.mark.parametrize(
    ("policy", "facts", "why"),
    [
        (POLICY, {"history": frozenset()}, NOT_YET),
        (POLICY, {"standbys": frozenset({replace(REMEMBERED, written=NOW - LAG_S)})}, NOT_YET),
        (POLICY, {"standbys": frozenset({replace(REMEMBERED, written=NOW + LAG_S)})}, NOT_YET),
        (POLICY, {"claims": frozenset({silent(any_nat(), CLAIM_LIFE_S + 1)})}, NOT_YET),
        (
            POLICY,
            {"claims": frozenset({Claim(instance="i-any", received=NOW - 1, ailment="egress")})},
            NOT_YET,
        ),
        (replace(POLICY, failback=False), {}, "failback is manual"),
        (POLICY, {"memory_readable": False}, "the memory could not be read"),
        (
            POLICY,
            {"memory_readable": False, "standbys": None},
            "the memory could not be read",
        ),
    ],
)
def test_table_stays_on_standby_until_it_may_fail_back(
    policy: Policy, facts: dict[str, Any], why: str
) -> None:
    """It has egress there."""
    made = plan(on_standby(any_nat(), **facts), policy)
    assert (verdict(made), made.actions) == (Verdict.STANDBY, ())
    assert made.decisions[0].reason == f"it uses nat-standby; {why}"
    assert made.without_egress == ()


def test_nat_repairs_at_once_what_uses_a_gateway_that_was_deleted() -> None:
    """A blackhole is a blackhole."""
    route = replace(STANDBY_GATEWAY, blackhole=True)
    seen = world(any_nat(), route=route, standbys=frozenset({REMEMBERED}), history=frozenset())
    assert verdict(plan(seen, POLICY)) is Verdict.REPAIR_AT_HOME


@pytest.mark.parametrize("standbys", [set(), {replace(REMEMBERED, gateway="nat-other")}])
def test_table_that_somebody_else_led_to_the_gateway_is_theirs(standbys: set[Standby]) -> None:
    """It is left alone and told, or taken over with `adopt`, as any that leads elsewhere."""
    made = plan(on_standby(any_nat(), standbys=frozenset(standbys)), POLICY)
    assert verdict(made) is Verdict.NOT_OURS
    listed = plan(on_standby(any_nat(), standbys=frozenset()), replace(POLICY, adopt=frozenset()))
    assert verdict(listed) is Verdict.LEFT


def test_table_is_forgotten_when_it_leads_elsewhere() -> None:
    """Not while a description may be older than the write."""
    seen = world(any_nat(), route=route_to(any_nat()), standbys=frozenset({REMEMBERED}))
    (write,) = plan(seen, POLICY).actions
    assert isinstance(write, ForgetStandby)
    assert write.standby == REMEMBERED
    young = replace(REMEMBERED, written=NOW - LAG_S)
    assert plan(replace(seen, standbys=frozenset({young})), POLICY).actions == ()
    refused = replace(seen, refused=frozenset({(f"{TABLE} {GATEWAY}", "dynamodb:UpdateItem")}))
    assert plan(refused, POLICY).actions == ()


def test_what_is_remembered_of_a_table_that_left_the_stack_is_forgotten() -> None:
    """Nobody would otherwise."""
    strange = replace(REMEMBERED, table="rtb-left")
    seen = on_standby(any_nat(), standbys=frozenset({REMEMBERED, strange}), history=frozenset())
    (write,) = plan(seen, POLICY).actions
    assert isinstance(write, ForgetStandby)
    assert write.standby == strange


def test_standby_is_no_writing_back_of_a_table_that_was_taken_over() -> None:
    """Its old owner's gateway may be the standby, and no conflict comes of that."""
    taken = Takeover(table=TABLE, target=GATEWAY, times=2, done=True, written=NOW - 600)
    seen = on_standby(any_nat(), takeovers=frozenset({taken}))
    assert verdict(plan(seen, replace(POLICY, adopt=True))) is Verdict.FAIL_BACK


@pytest.mark.parametrize("target", [GATEWAY, "nat-gateway"])
def test_table_on_standby_is_given_back_to_what_it_led_to(target: str) -> None:
    """When it is not to be taken over any more, and when the stack ends."""
    taken = Takeover(table=TABLE, target=target, times=1, done=True, written=NOW - 600)
    gateways = frozenset(Gateway(id=id_, state="available") for id_ in (GATEWAY, "nat-gateway"))
    seen = on_standby(any_nat(), takeovers=frozenset({taken}), gateways=gateways)
    rows: tuple[tuple[Policy, dict[str, Any]], ...] = (
        (replace(POLICY, adopt=frozenset()), {"ending": False}),
        (replace(POLICY, adopt=True), {"ending": True}),
    )
    for policy, facts in rows:
        after = replace(seen, **facts)
        made = plan(after, policy)
        assert verdict(made) is Verdict.GIVE_BACK
        for _ in range(3):
            after = carry_out(after, plan(after, policy).actions)
        assert {table.route for table in after.tables} == {DefaultRoute(other=target)}
        assert (after.takeovers, after.standbys) == (frozenset(), frozenset())


@pytest.mark.parametrize("releases", [True, False])
def test_table_stays_on_standby_when_the_stack_ends(*, releases: bool) -> None:
    """It is not led back to a NAT that ends, and its egress is not taken away."""
    made = plan(on_standby(any_nat(), ending=True), replace(POLICY, releases=releases))
    assert (verdict(made), made.actions) == (Verdict.LEFT, ())


def test_more_specific_routes_are_not_the_gateways() -> None:
    """What covers every address wins over any default route."""
    halves = frozenset({("0.0.0.0/1", "tgw-1"), ("128.0.0.0/1", "tgw-1")})
    table: Table = replace(any_table(STANDBY_GATEWAY), other_routes=halves)
    seen = replace(on_standby(any_nat()), tables=frozenset({table}))
    assert verdict(plan(seen, POLICY)) is Verdict.NOT_OURS


def test_gateway_that_could_not_serve_is_told_of_whoever_serves() -> None:
    """A stack without one says nothing."""
    seen = world(any_nat(), route=route_to(any_nat()))
    assert plan(seen, POLICY).standby_lost is None
    unread = plan(replace(seen, gateways=None), POLICY).standby_lost
    assert unread == "the state of nat-standby could not be read"
    assert plan(replace(seen, gateways=frozenset()), Policy()).standby_lost is None
    lost = plan(replace(seen, gateways=frozenset()), POLICY).standby_lost
    assert lost == "nat-standby is not there"
    astray = frozenset({Gateway(id=GATEWAY, state="available", routed=False)})
    lost = plan(replace(seen, gateways=astray), POLICY).standby_lost
    assert lost == "no route leads from the subnet of nat-standby to the internet"
    failed = frozenset({Gateway(id=GATEWAY, state="failed")})
    assert plan(replace(seen, gateways=failed), POLICY).standby_lost == "nat-standby is failed"


def test_single_nat_that_fell_silent_is_not_left() -> None:
    """Its watch may have ended, which costs nobody the internet."""
    nat = any_nat()
    seen = world(nat, route=route_to(nat), claims=frozenset({silent(nat)}), quiet_since=NOW - 900)
    assert verdict(plan(seen, POLICY)) is Verdict.KEEP


def test_run_remembers_what_it_led_until_that_is_written() -> None:
    """One that fails leaves no table that is nobody's; one that is young is not repeated."""
    seen = on_standby(standbys=frozenset(), led=frozenset({(TABLE, GATEWAY)}))
    made = plan(seen, POLICY)
    (write,) = made.actions
    assert isinstance(write, RememberStandby)
    assert verdict(made) is Verdict.STANDBY
    again = plan(replace(seen, now=NOW + 1), POLICY)
    assert again.actions == made.actions, "or else the run would never pause"
    assert plan(carry_out(seen, made.actions), POLICY).actions == ()
    unread = replace(seen, standbys=None)
    assert plan(unread, POLICY).actions == (), "nobody would see that it is written"
    lost = world(route=LOST, standbys=frozenset({replace(REMEMBERED, written=NOW - 1)}))
    assert [type(each) for each in plan(lost, POLICY).actions] == [RestoreRoute]


def test_gateway_that_stands_by_is_not_remembered_as_what_a_table_led_to() -> None:
    """Nor is a table of which nobody knows who led it there taken over again and again."""
    taken = Takeover(table=TABLE, target="eni-old", times=1, done=True, written=NOW - 600)
    seen = on_standby(any_nat(), standbys=frozenset(), takeovers=frozenset({taken}))
    made = plan(seen, replace(POLICY, adopt=True))
    assert (verdict(made), made.actions) == (Verdict.NOT_OURS, ())


def test_nat_whose_check_was_switched_on_is_mended_before_the_gateway_is_tried() -> None:
    """The next look finds it usable, or, where AWS refuses that, tries the gateway."""
    nat = any_nat(source_dest_check=True)
    seen = world(nat, route=route_to(nat))
    made = plan(seen, POLICY)
    assert [type(each) for each in made.actions] == [DisableSourceDestCheck]
    assert verdict(plan(carry_out(seen, made.actions), POLICY)) is Verdict.KEEP
    refused = plan(replace(seen, history=made.history), POLICY)
    assert verdict(refused) is Verdict.TO_STANDBY


def test_other_gateways_are_nobodys_standby() -> None:
    """Only the one that is named."""
    made = plan(world(any_nat(), route=NAT_GATEWAY), POLICY)
    assert verdict(made) is Verdict.NOT_OURS


def told(seen: Observation, policy: Policy, **settings: Any) -> str:  # noqa: ANN401 - of a function
    """Return what people are told after a run, with everything that holds."""
    given = replace(any_function_settings(standby_gateway=GATEWAY), **settings)
    run = Run(trigger=Trigger(), observation=seen, plan=plan(seen, policy))
    left = situation(run, given)
    assert left is not None
    opened = tuple((incident, NOW) for incident in Incident if incident in left.holds)
    state = IncidentState(settled=True, since=opened, notified=left.holds)
    subject, text = compose(Notification(opened=opened), state, run, given)
    return f"{subject}\n{text}"


def test_people_are_told_that_the_gateway_may_reach_nothing_either() -> None:
    """When NATs run and say so, or say nothing; not when they are gone."""
    nats = any_nat("a"), any_nat("b", THERE)
    ill = frozenset(Claim(instance=n.instance, received=NOW - 20, ailment="egress") for n in nats)
    doubt = "Private subnets use the standby gateway. NATs run and have lost the internet"
    assert doubt in told(on_standby(*nats, claims=ill), POLICY)
    quiet = frozenset(map(silent, nats))
    assert doubt in told(on_standby(*nats, claims=quiet), replace(POLICY, watch=True), watch=True)
    gone = told(on_standby(), POLICY)
    assert gone.startswith("STANDBY GATEWAY: ")
    assert doubt not in gone


def test_people_are_not_sent_to_the_groups_activity_for_a_gateway_that_is_lost() -> None:
    """What to do is of the gateway alone, while every NAT is usable."""
    nats = any_nat("a"), any_nat("b", THERE)
    seen = world(*nats, route=route_to(nats[0]), gateways=frozenset())
    text = told(seen, POLICY, wanted=2)
    assert "The standby gateway could not serve: nat-standby is not there." in text
    assert "To do: make another NAT gateway, and name it in failover.standby_gateway." in text
    assert "activity history" not in text
    assert "activity history" in told(replace(seen, nats=frozenset(nats[:1])), POLICY, wanted=2)
