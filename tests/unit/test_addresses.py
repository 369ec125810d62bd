"""Elastic IPs: who gets one, who may be relied on, and that nothing is taken from anybody."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from nat_failover.actions import AssociateAddress, CompleteLifecycleAction, SetDefaultRoute
from nat_failover.addresses import SETTLES_S
from nat_failover.effects import effect, overlay, pending
from nat_failover.history import FAILBACK_AFTER_S
from nat_failover.model import (
    Claim,
    DefaultRoute,
    ElasticIp,
    Nat,
    NatHistory,
    Observation,
    Policy,
    Ring,
    Verdict,
)
from nat_failover.planner import plan
from tests.unit.worlds import (
    HERE,
    THERE,
    any_nat,
    any_table,
    carry_out,
    network,
    networks,
    policies,
    route_to,
)

NOW = 10_000.0
HOME = any_nat("home", HERE, address="10.0.0.1", stable=True)
AWAY = any_nat("away", THERE, address="10.0.1.1", stable=True)
FREE = ElasticIp(allocation="eipalloc-free")
FOREIGN = ElasticIp(allocation="eipalloc-taken", interface="eni-foreign", address="10.0.2.1")


def ip_of(nat: Nat) -> ElasticIp:
    """Return an Elastic IP that a NAT has."""
    return ElasticIp(
        allocation=f"eipalloc-{nat.instance}", interface=nat.interface, address=nat.address
    )


def seen(
    *nats: Nat,
    ips: set[ElasticIp] | None,
    route: DefaultRoute | None = None,
    stable_for: float = SETTLES_S,
    **facts: object,
) -> Observation:
    """Return an observation of NATs that are usable for long, and of a table of zone a."""
    history = frozenset(
        NatHistory(
            instance=nat.instance,
            usable_since=NOW - FAILBACK_AFTER_S,
            stable_since=NOW - stable_for,
        )
        for nat in nats
    )
    elastic_ips = None if ips is None else frozenset(ips)
    known = {"now": NOW, "history": history, "elastic_ips": elastic_ips, **facts}
    return replace(network(nats, {any_table(route)}), **known)  # type: ignore[arg-type]


def given_to(observation: Observation) -> dict[str, str]:
    """Return which NAT gets which Elastic IP."""
    actions = plan(observation, Policy()).actions
    return {a.instance: a.allocation for a in actions if isinstance(a, AssociateAddress)}


def decided(observation: Observation) -> tuple[Verdict, str | None, str]:
    """Return the verdict on the one table, the NAT that it gets, and why."""
    (decision,) = plan(observation, Policy()).decisions
    return decision.verdict, decision.nat, decision.reason


class TestAssociation:
    """A NAT gets an Elastic IP that is free."""

    def test_nat_without_one_gets_a_free_one(self) -> None:
        """At its primary private address."""
        actions = plan(seen(HOME, ips={FREE}, route=route_to(HOME)), Policy()).actions
        assert actions == (
            AssociateAddress(
                allocation="eipalloc-free",
                interface="eni-home",
                address="10.0.0.1",
                instance="i-home",
                reason="the NAT has no Elastic IP of the set yet",
            ),
        )

    def test_each_nat_gets_one_and_none_gets_two(self) -> None:
        """As long as some are free."""
        other = replace(FREE, allocation="eipalloc-other")
        assert given_to(seen(HOME, AWAY, ips={FREE})) == {"i-away": "eipalloc-free"}
        assert len(set(given_to(seen(HOME, AWAY, ips={FREE, other})).values())) == 2
        assert {} == given_to(seen(HOME, AWAY, ips={ip_of(HOME), ip_of(AWAY), FREE}))

    @pytest.mark.parametrize("held", [FOREIGN, replace(FREE, interface="eipassoc-without-one")])
    def test_address_is_not_taken_from_what_has_it(self, held: ElasticIp) -> None:
        """Be it no interface at all."""
        assert {} == given_to(seen(HOME, ips={held}))

    def test_one_at_another_private_address_is_none(self) -> None:
        """Packets of hosts leave by the primary one."""
        secondary = replace(ip_of(HOME), address="10.0.0.2")
        assert given_to(seen(HOME, ips={secondary, FREE})) == {"i-home": "eipalloc-free"}

    @pytest.mark.parametrize(
        "facts",
        [
            {"stable": False},
            {"lifecycle": "Pending:Wait"},
            {"lifecycle": "Terminating:Wait"},
            {"lifecycle": None},
            {"healthy": False},
            {"address": None},
            {"routed": False},
        ],
        ids=str,
    )
    def test_nat_gets_none_when_it_is_to_be_replaced_or_does_not_serve(
        self, facts: dict[str, object]
    ) -> None:
        """What boots needs the address of its launch, and flows of what leaves have theirs."""
        nat = replace(HOME, **facts)  # type: ignore[arg-type]
        assert {} == given_to(seen(nat, ips={FREE}, route=route_to(nat)))

    def test_nat_that_lost_its_public_address_gets_one(self) -> None:
        """It serves again with it."""
        bare = replace(HOME, addressed=False)
        assert given_to(seen(bare, ips={FREE})) == {"i-home": "eipalloc-free"}

    def test_nat_that_others_call_sick_gets_none(self) -> None:
        """Until it is well."""
        claim = Claim(instance="i-home", received=NOW - 100, ailment="forwarding")
        observation = seen(HOME, AWAY, ips={FREE, ip_of(AWAY)}, claims=frozenset({claim}))
        assert {} == given_to(observation)

    def test_refused_address_is_passed_over_in_this_run(self) -> None:
        """Another one is tried."""
        other = replace(FREE, allocation="eipalloc-other")
        refused = frozenset({("eipalloc-free", "i-home")})
        assert given_to(seen(HOME, ips={FREE, other}, refused=refused)) == {
            "i-home": "eipalloc-other"
        }
        assert {} == given_to(seen(HOME, ips={FREE}, refused=refused))

    def test_nothing_is_associated_when_the_addresses_could_not_be_read(self) -> None:
        """A failed read is no empty set."""
        assert {} == given_to(seen(HOME, ips=None))

    def test_association_is_known_when_an_observation_lags(self) -> None:
        """So that the run does not make it twice."""
        before = seen(HOME, ips={FREE})
        (write,) = plan(before, Policy()).actions[:1]
        made = effect(write, before)
        assert overlay(before, pending(before, [made])) == carry_out(before, [write])
        taken = seen(HOME, ips={replace(FOREIGN, allocation="eipalloc-free")})
        assert taken == overlay(taken, pending(taken, [made]))


class TestTargets:
    """Tables go to NATs that others know by their address."""

    def test_table_is_repaired_elsewhere_while_the_nat_at_home_has_no_address(self) -> None:
        """Its neighbour's address is in the set."""
        assert decided(seen(HOME, AWAY, ips={ip_of(AWAY)})) == (
            Verdict.REPAIR_ELSEWHERE,
            "i-away",
            "there is no default route; no NAT at home has its Elastic IP for long enough yet",
        )

    def test_table_is_repaired_at_home_when_no_nat_has_an_address(self) -> None:
        """It serves at once."""
        verdict, nat, _ = decided(seen(HOME, AWAY, ips={FREE}))
        assert (verdict, nat) == (Verdict.REPAIR_AT_HOME, "i-home")

    def test_address_counts_when_it_has_settled(self) -> None:
        """And not a moment before; of one that nobody remembers it is not known."""
        ips, away = {ip_of(HOME), ip_of(AWAY)}, route_to(AWAY)
        early = seen(HOME, AWAY, ips=ips, route=away)
        young = [
            replace(each, stable_since=NOW - SETTLES_S + 0.1) if each.instance == "i-home" else each
            for each in early.history
        ]
        assert decided(early)[0] is Verdict.FAIL_BACK
        assert decided(replace(early, history=frozenset(young)))[0] is Verdict.KEEP

    def test_table_fails_back_to_a_nat_without_address_when_none_has_one(self) -> None:
        """Nothing is worse at home."""
        assert decided(seen(HOME, AWAY, ips={FREE}, route=route_to(AWAY)))[0] is Verdict.FAIL_BACK

    def test_table_stays_away_while_the_nat_at_home_has_no_address(self) -> None:
        """And says so."""
        verdict, _, why = decided(seen(HOME, AWAY, ips={ip_of(AWAY)}, route=route_to(AWAY)))
        assert verdict is Verdict.KEEP
        assert why.endswith("no NAT at home has its Elastic IP for long enough yet")

    def test_table_stays_with_a_nat_that_serves_it_without_an_address(self) -> None:
        """It gets one where it is; a move would cost its flows."""
        assert decided(seen(HOME, AWAY, ips={ip_of(AWAY)}, route=route_to(HOME)))[0] is Verdict.KEEP

    def test_unstable_nat_is_none_to_rely_on(self) -> None:
        """One that turned sick too often serves as a last resort, whatever its address."""
        observation = seen(HOME, AWAY, ips={ip_of(AWAY)})
        ailing = {
            replace(each, sick=(NOW - 99, NOW - 98)) if each.instance == "i-away" else each
            for each in observation.history
        }
        assert decided(replace(observation, history=frozenset(ailing)))[1] == "i-home"

    def test_nothing_fails_back_when_the_addresses_could_not_be_read(self) -> None:
        """What is broken is repaired all the same."""
        verdict, _, why = decided(seen(HOME, AWAY, ips=None, route=route_to(AWAY)))
        assert verdict is Verdict.KEEP
        assert why.endswith("the Elastic IPs could not be read")
        assert decided(seen(HOME, AWAY, ips=None))[0] is Verdict.REPAIR_AT_HOME


class TestDrains:
    """Where all NATs that have an Elastic IP leave, they serve until another one has it."""

    LEAVING = replace(HOME, lifecycle="Terminating:Wait")
    POLICY = Policy(watch=True, group="any-group")

    def test_table_waits_at_a_nat_that_leaves_until_another_has_its_address(self) -> None:
        """Its address is in the set, and that of the other one is not yet."""
        observation = seen(self.LEAVING, AWAY, ips={ip_of(HOME)}, route=route_to(HOME))
        assert decided(observation) == (
            Verdict.WAIT,
            "i-home",
            (
                "it uses i-home, leaving: the group says Terminating:Wait; it serves until another"
                " NAT has its Elastic IP for long enough"
            ),
        )
        assert plan(observation, self.POLICY).due is None

    @pytest.mark.parametrize(("age", "moves"), [(SETTLES_S - 1, False), (SETTLES_S, True)])
    def test_table_moves_when_the_address_has_settled(self, age: float, *, moves: bool) -> None:
        """And the run waits for that."""
        ips = {ip_of(HOME), ip_of(AWAY)}
        observation = seen(self.LEAVING, AWAY, ips=ips, route=route_to(HOME))
        history = frozenset(
            replace(each, stable_since=NOW - age) if each.instance == "i-away" else each
            for each in observation.history
        )
        made = plan(replace(observation, history=history), self.POLICY)
        assert made.decisions[0].verdict is (Verdict.REPAIR_ELSEWHERE if moves else Verdict.WAIT)
        assert made.due == (None if moves else NOW + 1)

    def test_run_does_not_wait_for_an_address_that_has_settled(self) -> None:
        """Where a table waits for the NATs to know each other."""
        ips, ring = {ip_of(AWAY)}, Ring(version=1, written=NOW)
        observation = seen(self.LEAVING, AWAY, ips=ips, route=route_to(HOME), ring=ring)
        made = plan(observation, self.POLICY)
        assert (made.decisions[0].verdict, made.due) == (Verdict.WAIT, None)

    @pytest.mark.parametrize("bare", [set(), {FOREIGN}], ids=["none", "foreign"])
    def test_table_does_not_wait_at_a_nat_without_an_address(self, bare: set[ElasticIp]) -> None:
        """As without the setting."""
        observation = seen(self.LEAVING, AWAY, ips=bare, route=route_to(HOME))
        assert decided(observation)[0] is Verdict.REPAIR_ELSEWHERE

    @pytest.mark.parametrize(
        ("ips", "route", "ends"),
        [
            ({ip_of(HOME)}, AWAY, True),
            ({ip_of(HOME)}, HOME, False),
            ({ip_of(HOME), FREE}, AWAY, False),
            ({ip_of(HOME), ip_of(AWAY)}, AWAY, False),
            ({FOREIGN}, AWAY, False),
        ],
        ids=["needed", "serves", "one-is-free", "has-one", "has-none"],
    )
    def test_drain_ends_when_nothing_but_the_address_is_needed(
        self, ips: set[ElasticIp], route: Nat, *, ends: bool
    ) -> None:
        """No table leads to the NAT, and none that stays has an Elastic IP."""
        observation = seen(self.LEAVING, AWAY, ips=ips, route=route_to(route))
        made = plan(replace(observation, desired=2), self.POLICY)
        reasons = [a.reason for a in made.actions if isinstance(a, CompleteLifecycleAction)]
        assert reasons == (["its Elastic IP is needed"] if ends else [])

    def test_drain_does_not_end_for_a_nat_from_before_the_setting(self) -> None:
        """It gets none."""
        old = replace(AWAY, stable=False)
        made = plan(seen(self.LEAVING, old, ips={ip_of(HOME)}, route=route_to(old)), self.POLICY)
        assert not [a for a in made.actions if isinstance(a, CompleteLifecycleAction)]


class TestWhatIsTold:
    """People are told of NATs that lack their address, and of what holds it."""

    def test_nat_without_an_address_is_named_with_the_reason(self) -> None:
        """What has the address, that one is free, or that one has to be waited for."""

        def why(*ips: ElasticIp) -> str:
            return dict(plan(seen(HOME, ips=set(ips)), Policy()).unstable)["i-home"]

        assert why(FOREIGN) == (
            "it has no Elastic IP of the set yet: eipalloc-taken is associated with eni-foreign,"
            " which is no NAT's"
        )
        assert why(FREE).endswith("yet: one is free")
        assert why(ip_of(AWAY), ip_of(any_nat("old"))).count("is no NAT's") == 2

    def test_nat_that_waits_for_one_that_leaves_is_named_so(self) -> None:
        """Its drain ends in minutes."""
        leaving = replace(AWAY, lifecycle="Terminating:Wait")
        made = plan(seen(HOME, leaving, ips={ip_of(leaving)}, route=route_to(HOME)), Policy())
        assert made.unstable == (
            ("i-home", "it has no Elastic IP of the set yet: NATs that leave have the others"),
        )

    def test_nat_of_before_is_not_named(self) -> None:
        """A deployment is about to replace it."""
        old = replace(HOME, stable=False)
        assert () == plan(seen(old, ips={FREE}, route=route_to(old)), Policy()).unstable

    @pytest.mark.parametrize(
        ("ips", "stable_for", "expected"),
        [
            ({ip_of(HOME)}, SETTLES_S, False),
            ({ip_of(HOME)}, SETTLES_S - 1, True),
            ({FREE}, SETTLES_S, True),
            ({FOREIGN}, SETTLES_S, False),
            (set(), SETTLES_S, False),
            (None, SETTLES_S, False),
        ],
    )
    def test_plan_says_whether_an_address_is_about_to_settle(
        self, ips: set[ElasticIp] | None, stable_for: float, *, expected: bool
    ) -> None:
        """A deployment waits for that; for one that leaves it does not."""
        observation = seen(HOME, ips=ips, route=route_to(HOME), stable_for=stable_for)
        assert plan(observation, Policy()).settles is expected


def test_what_is_remembered_says_since_when_a_nat_has_its_address() -> None:
    """From when it was first seen with it, until it has none any more."""

    def since(observation: Observation) -> float | None:
        (fared,) = plan(observation, Policy()).history
        return fared.stable_since

    assert since(seen(HOME, ips={ip_of(HOME)})) == NOW - SETTLES_S
    assert since(seen(HOME, ips={ip_of(HOME)}, history=frozenset())) == NOW
    assert since(seen(HOME, ips={FREE})) is None


@given(networks(), policies)
def test_new_target_has_its_address_when_a_usable_nat_has(
    observation: Observation, policy: Policy
) -> None:
    """In every state: a table that is written goes to a NAT of the set that has settled.

    Unless AWS refused these, or they turned sick too often.
    """
    made = plan(replace(observation, refused=frozenset()), policy)
    held = {(ip.interface, ip.address) for ip in observation.elastic_ips or () if ip.interface}
    fared = {each.instance: each for each in observation.history}
    reliable = set()
    for said in made.health:
        known = fared.get(said.nat.instance)
        settled = known and known.stable_since and NOW - known.stable_since >= SETTLES_S
        stable = known and sum(NOW - moment <= 3600 for moment in known.sick) < 2
        if said.health == "usable" and (said.nat.interface, said.nat.address) in held:
            reliable |= {said.nat.instance} if settled and stable else set()
    for action in made.actions:
        if isinstance(action, SetDefaultRoute) and reliable:
            assert action.instance in reliable
