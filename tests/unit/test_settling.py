"""What time decides: settling before a failback, the ring before a planned move, drains, brakes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nat_failover.actions import (
    CompleteLifecycleAction,
    MarkUnhealthy,
    PublishRing,
    RecordLifecycleActionHeartbeat,
    SetDefaultRoute,
)
from nat_failover.apply import Result
from nat_failover.contract import DRAIN_HOOK
from nat_failover.history import FAILBACK_AFTER_S, MEMORABLE_S, advance
from nat_failover.members import FIRST_MINUTES_S, REPLACE_AFTER_S, REPLACE_EVERY_S
from nat_failover.model import (
    Accusation,
    Claim,
    InstanceState,
    Nat,
    NatHistory,
    Observation,
    Peer,
    Policy,
    Ring,
    Verdict,
)
from nat_failover.planner import plan
from nat_failover.reconcile import Run
from nat_failover.ring import REFUSED, RING_WAIT_S
from nat_failover.triggers import Trigger
from tests.unit.worlds import HERE, THERE, any_nat, any_table, network, route_to

NOW = 10_000.0
HOME = any_nat("home", HERE, address="10.0.0.1")
AWAY = any_nat("away", THERE, address="10.0.1.1")
BOTH = (
    Peer(instance="i-away", address="10.0.1.1", state="usable"),
    Peer(instance="i-home", address="10.0.0.1", state="usable"),
)
POLICY = Policy(watch=True, group="any-group")


def seen(*nats: Nat, served: Nat = AWAY, **facts: object) -> Observation:
    """Return an observation of NATs that are settled, and of a table that one of them serves."""
    observation = network(nats, {any_table(route_to(served))})
    history = frozenset(
        NatHistory(instance=nat.instance, usable_since=NOW - FAILBACK_AFTER_S) for nat in nats
    )
    given = {"now": NOW, "history": history, **facts}
    return replace(observation, **given)  # type: ignore[arg-type]  # Observation's fields


def verdict(observation: Observation, policy: Policy = POLICY) -> Verdict:
    """Return the verdict on the one table."""
    (decision,) = plan(observation, policy).decisions
    return decision.verdict


class TestFailback:
    """A table fails back to a NAT that has settled."""

    def test_table_waits_when_the_nat_at_home_is_not_usable_for_long(self) -> None:
        """A moment too early is too early."""
        young = frozenset(
            {NatHistory(instance="i-home", usable_since=NOW - FAILBACK_AFTER_S + 0.1)}
        )
        assert Verdict.KEEP is verdict(seen(HOME, AWAY, history=young))
        assert Verdict.FAIL_BACK is verdict(seen(HOME, AWAY))

    def test_table_waits_when_nothing_is_remembered_of_the_nat_at_home(self) -> None:
        """It became usable now, as far as is known; and the reason says so."""
        made = plan(seen(HOME, AWAY, history=frozenset()), POLICY)
        assert Verdict.KEEP is made.decisions[0].verdict
        assert made.decisions[0].reason.endswith("no NAT at home has been usable for 60 s yet")

    def test_table_stays_away_when_the_nat_at_home_turned_sick_twice(self) -> None:
        """Until it is replaced, or an hour has passed."""
        twice = NatHistory(instance="i-home", usable_since=0.0, sick=(NOW - 200, NOW - 100))
        made = plan(seen(HOME, AWAY, history=frozenset({twice})), POLICY)
        assert made.decisions[0].reason.endswith("stays away until it is replaced")
        old = replace(twice, sick=(NOW - MEMORABLE_S - 1, NOW - 100))
        assert Verdict.FAIL_BACK is verdict(seen(HOME, AWAY, history=frozenset({old})))

    def test_table_waits_when_another_run_found_the_nat_at_home_sick_a_moment_ago(self) -> None:
        """That run wrote the ring beside the route, and writes what it remembers at its end."""
        sick = (BOTH[0], replace(BOTH[1], state="sick"))
        known = frozenset({Claim(instance=nat, received=NOW, ring=3) for nat in ("i-home", "i-x")})
        made = plan(seen(HOME, AWAY, ring=ring(members=sick), claims=known), POLICY)
        assert Verdict.KEEP is made.decisions[0].verdict
        assert NatHistory(instance="i-home", usable_since=NOW) in made.history

    def test_table_waits_when_a_nat_accuses_the_one_at_home(self) -> None:
        """Flows could not be handed over by a link that is broken, and the NAT may hang next."""
        accused = Accusation(peer="i-home", began=NOW - 20)
        claims = frozenset(
            {
                Claim(instance="i-away", received=NOW, silent=frozenset({accused})),
                Claim(instance="i-home", received=NOW),
            }
        )
        made = plan(seen(HOME, AWAY, claims=claims), POLICY)
        assert Verdict.KEEP is made.decisions[0].verdict
        assert made.decisions[0].reason.endswith("a NAT says that the one at home is ill or silent")

    def test_table_is_repaired_by_an_unstable_nat_when_there_is_no_other(self) -> None:
        """The last resort is better than none, and a stable one elsewhere better than that."""
        dead = any_nat("dead", THERE, state=InstanceState.TERMINATED)
        twice = NatHistory(instance="i-home", usable_since=0.0, sick=(NOW - 200, NOW - 100))
        history = frozenset({twice})
        alone = seen(HOME, dead, served=dead, history=history)
        assert Verdict.REPAIR_AT_HOME is verdict(alone)
        helped = seen(HOME, AWAY, dead, served=dead, history=history)
        (decision,) = plan(helped, POLICY).decisions
        assert (Verdict.REPAIR_ELSEWHERE, "i-away") == (decision.verdict, decision.nat)


HOME_ILL = frozenset({Claim(instance="i-home", received=NOW, ailment="forwarding")})


class TestHistory:
    """What is remembered of the NATs."""

    def test_nat_is_remembered_from_when_it_became_usable(self) -> None:
        """And not what came later."""
        first = plan(seen(HOME, history=frozenset()), POLICY).history
        assert frozenset({NatHistory(instance="i-home", usable_since=NOW)}) == first
        later = replace(seen(HOME), now=NOW + 9, history=first)
        assert first == plan(later, POLICY).history

    def test_nat_that_turns_sick_is_remembered_once(self) -> None:
        """It is usable no more, and not sick again while it is sick."""
        once = plan(seen(HOME, served=HOME, claims=HOME_ILL), POLICY).history
        assert frozenset({NatHistory(instance="i-home", usable_since=None, sick=(NOW,))}) == once
        again = seen(HOME, served=HOME, claims=HOME_ILL, history=once, now=NOW + 9)
        assert once == plan(again, POLICY).history

    @pytest.mark.parametrize(("gap", "times"), [(FAILBACK_AFTER_S - 1, 1), (FAILBACK_AFTER_S, 2)])
    def test_nat_turns_sick_once_in_a_while(self, gap: float, times: int) -> None:
        """Claims overtake each other: what comes and goes within seconds is one sickness."""
        before = NatHistory(instance="i-home", usable_since=NOW - 1, sick=(NOW - gap,))
        made = plan(seen(HOME, claims=HOME_ILL, history=frozenset({before})), POLICY)
        (after,) = made.history
        assert times == len(after.sick)

    def test_nat_that_was_never_usable_turns_sick_once(self) -> None:
        """So that the group is told of it after a while."""
        never = frozenset({NatHistory(instance="i-home")})
        for history in (never, frozenset[NatHistory]()):
            once = plan(seen(HOME, claims=HOME_ILL, history=history), POLICY).history
            (after,) = plan(
                seen(HOME, claims=HOME_ILL, history=once, now=NOW + 100), POLICY
            ).history
            assert (NOW,) == after.sick

    def test_nat_does_not_turn_sick_by_what_aws_says(self) -> None:
        """A person may switch a check on; the group replaces what is Unhealthy anyway."""
        for nat in (replace(HOME, healthy=False), replace(HOME, source_dest_check=True)):
            (after,) = plan(seen(nat, served=HOME), POLICY).history
            assert (None, ()) == (after.usable_since, after.sick)

    def test_nat_that_is_gone_is_forgotten(self) -> None:
        """So that what is remembered stays small."""
        gone = any_nat("gone", state=InstanceState.TERMINATED)
        assert frozenset() == plan(seen(gone, served=gone), POLICY).history
        assert frozenset() == advance(frozenset({NatHistory(instance="i-x")}), (), (), NOW)


def ring(version: int = 3, written: float = NOW - 60, members: tuple[Peer, ...] = BOTH) -> Ring:
    """Return a ring that was written."""
    return Ring(members=members, version=version, written=written)


class TestRing:
    """The NATs know each other before a planned move."""

    def test_ring_is_written_when_it_differs(self) -> None:
        """Over the version that was read, in the order of the ids."""
        (write,) = plan(seen(HOME, AWAY, served=HOME, ring=Ring()), POLICY).actions
        assert isinstance(write, PublishRing)
        assert (BOTH, 1, 0) == (write.members, write.version, write.found)

    @pytest.mark.parametrize("known", [ring(), None])
    def test_ring_is_not_written_when_it_is_so_already_or_could_not_be_read(
        self, known: Ring | None
    ) -> None:
        """Nothing is written over what was not read."""
        assert () == plan(seen(HOME, AWAY, served=HOME, ring=known), POLICY).actions

    def test_ring_has_whoever_runs_with_an_address_and_is_listed(self) -> None:
        """What boots and what leaves too, each with its health."""
        nats = (
            any_nat("boots", lifecycle="Pending:Wait", address="10.0.0.2"),
            any_nat("leaves", lifecycle="Terminating:Wait", address="10.0.0.3"),
            any_nat("sick", healthy=False, address="10.0.0.4"),
            any_nat("lost", lifecycle=None, address="10.0.0.5"),
            any_nat("dead", state=InstanceState.TERMINATED, address="10.0.0.6"),
            any_nat("strange"),
        )
        made = plan(seen(HOME, *nats, served=HOME, ring=Ring()), POLICY)
        (write,) = (action for action in made.actions if isinstance(action, PublishRing))
        assert [("i-boots", "booting"), ("i-home", "usable"), ("i-leaves", "leaving")] == [
            (peer.instance, peer.state) for peer in write.members[:3]
        ]
        assert ["i-sick"] == [peer.instance for peer in write.members[3:]]

    def test_failback_waits_until_the_nats_know_the_ring(self) -> None:
        """For some seconds: then it fails back anyway."""
        claims = frozenset(
            {
                Claim(instance="i-home", received=NOW, ring=2),
                Claim(instance="i-away", received=NOW, ring=3),
            }
        )
        fresh = seen(HOME, AWAY, ring=ring(written=NOW - 1), claims=claims)
        made = plan(fresh, POLICY)
        assert Verdict.WAIT is made.decisions[0].verdict
        assert (NOW - 1 + RING_WAIT_S, ()) == (made.waits_until, made.actions)
        late = seen(HOME, AWAY, ring=ring(written=NOW - RING_WAIT_S), claims=claims)
        assert Verdict.FAIL_BACK is verdict(late)

    def test_run_waits_for_the_nats_to_know_the_ring_if_it_wrote_it(self) -> None:
        """Whoever else observes meanwhile would move the same table once more."""
        claims = frozenset({Claim(instance="i-home", received=NOW, ring=2)})
        fresh = seen(HOME, AWAY, ring=ring(written=NOW - 1), claims=claims)
        other = Run(trigger=Trigger(), observation=fresh, plan=plan(fresh, POLICY))
        write = PublishRing(members=BOTH, found=2, at=NOW, reason="any")
        writer = replace(other, results=(Result(write=write),))
        assert (None, RING_WAIT_S - 1) == (other.due_in, writer.due_in)

    @pytest.mark.parametrize("versions", [(3, 3), (None, 3), (4, 3)])
    def test_failback_does_not_wait_when_nobody_lacks_the_ring(
        self, versions: tuple[int | None, int | None]
    ) -> None:
        """Who says no version is not waited for."""
        pairs = zip(("i-home", "i-away"), versions, strict=True)
        claims = frozenset(Claim(instance=nat, received=NOW, ring=known) for nat, known in pairs)
        assert Verdict.FAIL_BACK is verdict(
            seen(HOME, AWAY, ring=ring(written=NOW - 1), claims=claims)
        )

    def test_failback_waits_while_the_ring_is_to_be_written(self) -> None:
        """Unless AWS refused to take it in this run."""
        unknown = seen(HOME, AWAY, ring=ring(members=()))
        assert Verdict.WAIT is verdict(unknown)
        assert Verdict.FAIL_BACK is verdict(replace(unknown, refused=frozenset({REFUSED})))

    def test_table_of_a_nat_that_leaves_by_plan_waits_too(self) -> None:
        """It is served meanwhile."""
        leaves = replace(AWAY, lifecycle="Terminating:Wait")
        made = plan(seen(HOME, leaves, ring=ring()), POLICY)
        assert (Verdict.WAIT, "i-away") == (made.decisions[0].verdict, made.decisions[0].nat)
        assert [PublishRing] == [type(action) for action in made.actions]
        assert () == made.without_egress

    @pytest.mark.parametrize(
        "facts",
        [
            {"state": InstanceState.SHUTTING_DOWN},
            {"healthy": False},
            {"lifecycle": "Terminating:Proceed"},
            {"lifecycle": "Terminating:Wait", "healthy": False},
        ],
    )
    def test_table_of_a_nat_that_does_not_serve_moves_at_once(
        self, facts: dict[str, object]
    ) -> None:
        """On a failure the route goes first."""
        fails = replace(AWAY, **facts)  # type: ignore[arg-type]  # Nat's fields
        assert Verdict.REPAIR_AT_HOME is verdict(seen(HOME, fails, ring=ring()))


WAITING = replace(AWAY, lifecycle="Terminating:Wait")
SWEEP = replace(POLICY, prolongs=True)
ENDS = {"group": "any-group", "hook": DRAIN_HOOK, "instance": "i-away"}


def ended(observation: Observation, policy: Policy = POLICY) -> list[CompleteLifecycleAction]:
    """Return the terminations that a plan lets go on."""
    made = plan(observation, policy)
    return [action for action in made.actions if isinstance(action, CompleteLifecycleAction)]


def prolonged(
    observation: Observation, policy: Policy = SWEEP
) -> list[RecordLifecycleActionHeartbeat]:
    """Return the terminations that a plan prolongs."""
    made = plan(observation, policy)
    return [each for each in made.actions if isinstance(each, RecordLifecycleActionHeartbeat)]


def beat() -> RecordLifecycleActionHeartbeat:
    """Return what prolongs the termination of the NAT that leaves."""
    return RecordLifecycleActionHeartbeat(reason="no other NAT is usable", **ENDS)


def flows(count: int | None) -> frozenset[Claim]:
    """Return the claim of the NAT that leaves, with the flows that it carries."""
    return frozenset({Claim(instance="i-away", received=NOW, flows=count)})


class TestDrain:
    """A NAT that leaves by plan serves its flows until they have ended."""

    @pytest.mark.parametrize("count", [None, 12])
    def test_termination_is_held_while_the_nat_has_flows(self, count: int | None) -> None:
        """Or does not say; the hook's own time ends it."""
        assert [] == ended(seen(HOME, WAITING, served=HOME, claims=flows(count)))

    def test_termination_is_held_while_nothing_is_claimed(self) -> None:
        """The hook's own time ends it."""
        assert [] == ended(seen(HOME, WAITING, served=HOME))

    def test_termination_goes_on_when_the_last_flow_has_ended(self) -> None:
        """By the name of the hook and the instance."""
        (end,) = ended(seen(HOME, WAITING, served=HOME, claims=flows(0)))
        assert CompleteLifecycleAction(reason="its last flow has ended", **ENDS) == end

    def test_termination_is_held_while_a_table_leads_to_the_nat(self) -> None:
        """Its flows count from when its table has moved."""
        assert [] == ended(seen(HOME, WAITING, claims=flows(0), ring=ring()))

    def test_termination_goes_on_when_no_subnet_uses_the_table_that_leads_to_the_nat(self) -> None:
        """With swap-route-table the table keeps its route, and its subnets have left it."""
        here, there = any_table(route_to(AWAY), THERE), any_table(route_to(HOME), HERE, "other")
        left = replace(here, associations=frozenset())
        full = replace(there, associations=here.associations | there.associations)
        observation = replace(network({HOME, WAITING}, {left, full}), now=NOW, claims=flows(0))
        (end,) = ended(observation, replace(POLICY, swap=True))
        assert ENDS["instance"] == end.instance

    @pytest.mark.parametrize(
        ("facts", "of", "policy"),
        [
            ({"deleting": True}, {}, POLICY),
            ({"desired": 0}, {}, POLICY),
            ({}, {"healthy": False}, POLICY),
            ({}, {"state": InstanceState.TERMINATED}, POLICY),
            ({}, {"addressed": False}, POLICY),
            ({}, {}, replace(POLICY, watch=False)),
        ],
    )
    def test_termination_goes_on_at_once_when_there_is_nothing_to_drain(
        self, facts: dict[str, object], of: dict[str, object], policy: Policy
    ) -> None:
        """A group that ends, a NAT that does not serve, or NATs that hand nothing over."""
        nat = replace(WAITING, **of)  # type: ignore[arg-type]  # Nat's fields
        assert [ENDS["instance"]] == [
            end.instance for end in ended(seen(HOME, nat, served=HOME, **facts), policy)
        ]

    def test_termination_is_prolonged_while_no_other_nat_could_serve(self) -> None:
        """The NAT serves on, without the watch too; by sweeps alone, and once in each of them."""
        for policy in (SWEEP, replace(SWEEP, watch=False)):
            assert [] == ended(seen(WAITING), policy)
            assert [beat()] == prolonged(seen(WAITING), policy)
        assert [] == prolonged(seen(WAITING), POLICY)
        assert [] == prolonged(seen(WAITING, held=frozenset({"i-away"})))
        assert [] == prolonged(seen(WAITING, refused=frozenset({("i-away", beat().call)})))

    def test_table_waits_at_the_last_nat_that_leaves(self) -> None:
        """It has internet there, and nobody is told otherwise."""
        made = plan(seen(WAITING), SWEEP)
        assert [Verdict.WAIT] == [decision.verdict for decision in made.decisions]
        assert made.decisions[0].reason.endswith("it serves until another NAT is usable")
        assert () == made.without_egress

    def test_table_of_a_dead_nat_gets_one_that_leaves_where_there_is_no_other(self) -> None:
        """A NAT that dies in the middle of a deployment may have nobody else to stand in."""
        dead = replace(HOME, state=InstanceState.TERMINATED)
        made = plan(seen(dead, WAITING, served=dead), SWEEP)
        assert [("rtb-any", "i-away")] == [
            (a.table, a.instance) for a in made.actions if isinstance(a, SetDefaultRoute)
        ]
        assert [] == ended(seen(dead, WAITING, served=dead))

    def test_termination_is_not_prolonged_when_another_nat_could_serve(self) -> None:
        """Nor does the hook's own time begin anew while a table still leads to the NAT."""
        assert [] == prolonged(seen(HOME, WAITING, ring=ring()))
        assert [] == prolonged(seen(HOME, WAITING, served=HOME))

    @pytest.mark.parametrize(
        "of", [{"healthy": False}, {"addressed": False}, {"state": InstanceState.STOPPED}]
    )
    def test_termination_goes_on_when_the_last_nat_serves_nobody(self, of: dict[str, Any]) -> None:
        """There is nothing to hold."""
        nat = replace(WAITING, **of)
        assert [ENDS["instance"]] == [end.instance for end in ended(seen(nat))]
        assert [] == prolonged(seen(nat))

    def test_refused_end_is_not_asked_for_again_in_the_run(self) -> None:
        """The action has ended already."""
        refused = frozenset({("i-away", "autoscaling:CompleteLifecycleAction")})
        assert [] == ended(seen(HOME, WAITING, served=HOME, claims=flows(0), refused=refused))


SAYS_ILL = frozenset({Claim(instance="i-away", received=NOW, ailment="forwarding")})
LONG_SICK = frozenset({NatHistory(instance="i-away", sick=(NOW - REPLACE_AFTER_S,))})


def replaced(observation: Observation) -> list[MarkUnhealthy]:
    """Return the NATs that a plan lets the group replace."""
    made = plan(observation, POLICY)
    return [action for action in made.actions if isinstance(action, MarkUnhealthy)]


class TestReplacement:
    """The group is told of a NAT that is sick by claims."""

    def test_group_is_told_of_a_sick_nat(self) -> None:
        """With the reason in words."""
        (told,) = replaced(seen(HOME, AWAY, claims=SAYS_ILL, history=LONG_SICK))
        assert told == MarkUnhealthy(
            instance="i-away",
            at=NOW,
            not_since=NOW - 900,
            reason="it says that it does not forward",
        )

    def test_group_is_told_of_a_nat_that_turned_sick_twice(self) -> None:
        """Also while it is usable."""
        twice = NatHistory(instance="i-away", usable_since=NOW, sick=(NOW - 200, NOW - 100))
        (told,) = replaced(seen(HOME, AWAY, served=HOME, history=frozenset({twice})))
        assert "i-away" == told.instance

    @pytest.mark.parametrize(
        ("facts", "of"),
        [
            ({"replaced": NOW - REPLACE_EVERY_S + 1}, {}),
            ({"memory_readable": False}, {}),
            ({"refused": frozenset({("i-away", "autoscaling:SetInstanceHealth")})}, {}),
            ({}, {"launched": NOW - FIRST_MINUTES_S + 1}),
            ({}, {"healthy": False}),
            ({}, {"lifecycle": "Terminating:Wait"}),
        ],
    )
    def test_group_is_not_told(self, facts: dict[str, object], of: dict[str, object]) -> None:
        """Too soon after the last one, unknown, refused, too young, or known to it already."""
        nat = replace(AWAY, **of)  # type: ignore[arg-type]  # Nat's fields
        observation = seen(HOME, nat, claims=SAYS_ILL, history=LONG_SICK)
        assert [] == replaced(replace(observation, **facts))  # type: ignore[arg-type]  # Observation's

    def test_group_is_not_told_of_the_last_usable_nat(self) -> None:
        """Whatever ails it, it may be better than nothing."""
        assert [] == replaced(seen(AWAY, claims=SAYS_ILL, history=LONG_SICK))
        twice = NatHistory(instance="i-away", usable_since=NOW, sick=(NOW - 200, NOW - 100))
        assert [] == replaced(seen(AWAY, history=frozenset({twice})))

    @pytest.mark.parametrize(
        ("sick", "told"), [((), 0), ((NOW - REPLACE_AFTER_S + 0.1,), 0), ((NOW - 8.0,), 1)]
    )
    def test_group_is_told_of_a_nat_that_is_sick_for_some_time(
        self, sick: tuple[float, ...], told: int
    ) -> None:
        """Its table has moved; an answer that comes late, or rules that come back, save the NAT."""
        history = frozenset({NatHistory(instance="i-away", sick=sick)})
        observation = seen(HOME, AWAY, claims=SAYS_ILL, history=history)
        assert Verdict.REPAIR_AT_HOME is verdict(observation)
        assert told == len(replaced(observation))

    def test_group_is_told_at_once_of_a_nat_that_aws_and_nats_call_sick(self) -> None:
        """Each of the two says so by itself."""
        nowhere = replace(AWAY, addressed=False)
        assert 1 == len(replaced(seen(HOME, nowhere, claims=SAYS_ILL)))
        assert [] == replaced(seen(HOME, nowhere))

    def test_group_is_told_of_one_nat_at_a_time(self) -> None:
        """What ails several may be none of them."""
        third = any_nat("third", "zone-c")
        claims = SAYS_ILL | {Claim(instance="i-third", received=NOW, ailment="egress")}
        history = LONG_SICK | {NatHistory(instance="i-third", sick=(NOW - REPLACE_AFTER_S,))}
        assert 1 == len(replaced(seen(HOME, AWAY, third, claims=claims, history=history)))
