"""Who is sick by what the NATs claim: the rules one by one, and what a NAT that lies can do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nat_failover.actions import SetDefaultRoute
from nat_failover.claims import CLAIM_LIFE_S, CONTRADICT_S, FOUND_AGAIN_S, MUTUAL_S, Claims
from nat_failover.history import FAILBACK_AFTER_S
from nat_failover.model import (
    Accusation,
    Claim,
    Health,
    InstanceState,
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
    route_to,
    with_subnets,
)

NOW = 1000.0
A, B, C = (
    any_nat(name, zone, address=f"10.0.0.{number}")
    for number, (name, zone) in enumerate((("a", HERE), ("b", THERE), ("c", "zone-c")), 4)
)
LONG_AGO = NOW - 2 * CONTRADICT_S


def claim(of: Nat, received: float = NOW, **said: object) -> Claim:
    """Return a claim of a NAT that is well, but for what it says."""
    return replace(Claim(instance=of.instance, received=received), **said)  # type: ignore[arg-type]  # Claim's fields


def silent(peer: Nat, began: float = LONG_AGO) -> frozenset[Accusation]:
    """Return the accusation that a peer is not heard since a moment."""
    return frozenset({Accusation(peer=peer.instance, began=began)})


def seen(*claims: Claim, nats: tuple[Nat, ...] = (A, B)) -> Observation:
    """Return an observation of NATs with tables at home, and of claims."""
    tables = {any_table(route_to(nat), nat.zone, nat.instance) for nat in nats}
    return replace(network(nats, tables), now=NOW, claims=frozenset(claims))


def sickness(of: Nat, *claims: Claim, nats: tuple[Nat, ...] = (A, B)) -> str | None:
    """Return why a NAT is sick by claims."""
    return Claims(seen(*claims, nats=nats)).sickness(of.instance)


@pytest.mark.parametrize(
    ("ailment", "why"),
    [
        ("egress", "it says that it has no egress"),
        ("forwarding", "it says that it does not forward"),
    ],
)
def test_nat_is_sick_when_it_says_so(ailment: str, why: str) -> None:
    """Nobody knows better."""
    assert why == sickness(B, claim(B, NOW - FOUND_AGAIN_S, ailment=ailment))


@pytest.mark.parametrize(("age", "why"), [(FOUND_AGAIN_S - 0.1, None), (FOUND_AGAIN_S, "it says")])
def test_nat_that_was_usable_may_have_found_its_egress_again(age: float, why: str | None) -> None:
    """What it could not publish before arrives first, and what is true now comes seconds later."""
    usable = frozenset({NatHistory(instance="i-b", usable_since=0.0)})
    said = claim(B, NOW - age, ailment="egress")
    observation = replace(seen(said), history=usable)
    assert (why or "None") in str(Claims(observation).sickness("i-b"))
    assert (None if why else said.received + FOUND_AGAIN_S) == Claims(observation).due()
    assert Claims(observation).is_accused("i-b")
    peer = claim(A, ill=frozenset({"i-b"}))
    told = replace(observation, claims=observation.claims | {peer})
    assert Claims(told).sickness("i-b") is not None


def test_nat_that_does_not_forward_is_sick_at_once() -> None:
    """It knows that of itself, and nothing was in the way of its claim."""
    usable = frozenset({NatHistory(instance="i-b", usable_since=0.0)})
    observation = replace(seen(claim(B, ailment="forwarding")), history=usable)
    assert Claims(observation).sickness("i-b") is not None


def test_nat_is_sick_when_it_told_a_peer_so() -> None:
    """Without egress it cannot say so itself, and its peer says it at once."""
    told = claim(A, ill=frozenset({"i-b"}))
    assert "i-a was told by it that it is ill" == sickness(B, told)
    assert "i-a was told by it that it is ill" == sickness(B, told, claim(B, NOW - 50))


def test_nat_is_usable_when_it_said_that_it_is_well_after_its_peer_said_that_it_is_ill() -> None:
    """The newer word counts."""
    assert sickness(B, claim(A, NOW - 1, ill=frozenset({"i-b"})), claim(B)) is None


def test_nat_is_sick_when_a_peer_does_not_hear_it_and_it_does_not_answer() -> None:
    """A hung NAT says nothing."""
    assert "i-a does not hear it" == sickness(B, claim(A, silent=silent(B)))
    assert "i-a does not hear it" == sickness(B, claim(A, silent=silent(B)), claim(B, NOW - 50))


def test_accusation_waits_until_it_is_old_enough_to_be_answered() -> None:
    """Until then nothing moves, and the plan says when to observe again."""
    began = NOW - CONTRADICT_S / 2
    observation = seen(claim(A, silent=silent(B, began)))
    assert Claims(observation).sickness("i-b") is None
    assert began + CONTRADICT_S == plan(observation, Policy(watch=True)).due


def test_nat_is_usable_when_it_has_answered_since_the_accusation_began() -> None:
    """It is not heard by one of its peers, and that is the link."""
    answered = (claim(A, silent=silent(B)), claim(B, LONG_AGO + 0.5))
    assert sickness(B, *answered) is None
    assert plan(seen(*answered), Policy()).due is None


def test_renewed_accusation_is_no_new_one() -> None:
    """It keeps the moment at which it began, so that an answer to it stands."""
    renewed = claim(A, NOW, silent=silent(B, NOW - 70))
    assert sickness(B, renewed, claim(B, NOW - 60)) is None


def test_both_stay_when_two_nats_accuse_each_other() -> None:
    """The link between them is broken; who said so first does not matter."""
    first = claim(B, LONG_AGO - 0.4, silent=silent(A, LONG_AGO - 0.5))
    observation = seen(first, claim(A, silent=silent(B)))
    claims = Claims(observation)
    assert (None, None) == (claims.sickness("i-a"), claims.sickness("i-b"))
    assert (("i-a", "i-b"),) == plan(observation, Policy()).broken_links


def test_nat_is_sick_when_its_counter_accusation_is_old() -> None:
    """It hung behind a broken link."""
    first = claim(B, NOW - MUTUAL_S - 1, silent=silent(A, NOW - 300))
    assert "i-a does not hear it" == sickness(B, first, claim(A, silent=silent(B, NOW - 10)))


def test_accuser_does_not_count_when_it_is_ill_itself() -> None:
    """Who has no egress hears nobody, or cannot judge."""
    assert sickness(B, claim(A, ailment="egress", silent=silent(B), ill=frozenset({"i-b"}))) is None


@pytest.mark.parametrize(
    "facts",
    [
        {"healthy": False},
        {"addressed": False},
        {"lifecycle": "Pending:Wait"},
        {"state": InstanceState.STOPPING},
    ],
)
def test_accuser_does_not_count_when_it_is_not_credible(facts: dict[str, Any]) -> None:
    """It boots, ends, or AWS knows what is wrong with it."""
    accuser = replace(A, **facts)
    assert sickness(B, claim(A, silent=silent(B)), nats=(accuser, B)) is None


ACCUSES = (claim(A, silent=silent(B)), claim(A, ill=frozenset({"i-b"})))


@pytest.mark.parametrize("accusation", ACCUSES)
def test_nat_is_usable_when_a_witness_hears_it(accusation: Claim) -> None:
    """Of three NATs one alone decides nothing, also where the accused one is slow to answer."""
    heard = claim(C, NOW - MUTUAL_S, ring=7)
    observation = seen(accusation, heard, nats=(A, B, C))
    known = replace(observation, ring=Ring(version=7))
    assert Claims(known).sickness("i-b") is None


@pytest.mark.parametrize("accusation", ACCUSES)
@pytest.mark.parametrize(
    "said",
    [
        {"received": NOW - MUTUAL_S - 1},
        {"ring": 6},
        {"ring": None},
        {"ailment": "egress"},
        {"silent": silent(B)},
        {"ill": frozenset({"i-b"})},
    ],
)
def test_witness_does_not_count_when_it_may_not_know(
    accusation: Claim, said: dict[str, Any]
) -> None:
    """Its word is old, it does not know the NAT yet, it is ill, or it says the same."""
    witness = replace(claim(C, ring=7), **said)
    known = replace(seen(accusation, witness, nats=(A, B, C)), ring=Ring(version=7))
    assert Claims(known).sickness("i-b") is not None


def test_witness_does_not_count_when_the_accuser_does_not_hear_it_either() -> None:
    """Both may hang, as in a zone that fails."""
    accusation = claim(A, silent=silent(B) | silent(C))
    observation = seen(accusation, claim(C, NOW - 9, ring=7), nats=(A, B, C))
    assert Claims(replace(observation, ring=Ring(version=7))).sickness("i-b") is not None


def test_claim_does_not_count_when_it_is_old() -> None:
    """Who said it may be gone."""
    old = NOW - CLAIM_LIFE_S - 1
    assert sickness(B, claim(A, old, silent=silent(B, old))) is None
    assert sickness(B, claim(B, old, ailment="egress")) is None


def test_claim_does_not_count_when_it_is_not_a_members() -> None:
    """Whoever may publish can say anything of itself."""
    stranger = any_nat("stranger")
    gone = replace(C, lifecycle=None)
    accusations = [claim(nat, silent=silent(B)) for nat in (stranger, gone)]
    assert sickness(B, *accusations, nats=(A, B, gone)) is None


def test_newest_claim_of_a_nat_counts_when_several_were_kept() -> None:
    """In whatever order they came."""
    claims = (claim(B, NOW - 5, ailment="egress"), claim(B, NOW - 1), claim(B, NOW - 9))
    assert sickness(B, *claims) is None


NO_EGRESS = [claim(nat, NOW - FOUND_AGAIN_S, ailment="egress") for nat in (A, B)]


def test_nothing_moves_when_every_nat_says_that_it_has_no_egress() -> None:
    """Then it is the internet, or the targets; people are told."""
    observation = seen(*NO_EGRESS)
    made = plan(observation, Policy(watch=True))
    assert [Verdict.NO_EGRESS] * 2 == [decision.verdict for decision in made.decisions]
    assert () == made.actions


def test_table_that_leads_nowhere_is_repaired_when_every_nat_is_called_sick() -> None:
    """What NATs say makes a choice among them: a watch that errs keeps no table from a repair."""
    ill = seen(*NO_EGRESS)
    lost = replace(ill, tables=ill.tables | {any_table(None, HERE, "lost")})
    made = plan(with_subnets(lost), Policy(watch=True))
    assert ["i-a"] == [a.instance for a in made.actions if isinstance(a, SetDefaultRoute)]
    repaired = {d.table: d for d in made.decisions}["rtb-lost"]
    assert Verdict.REPAIR_AT_HOME is repaired.verdict
    assert repaired.reason.endswith("no NAT is known to serve, and this one may")


def test_table_moves_at_once_when_its_nat_is_sick_by_claims() -> None:
    """As if it were dead: who does not serve is not waited for."""
    made = plan(seen(claim(A, ill=frozenset({"i-b"}))), Policy(watch=True))
    assert [Verdict.KEEP, Verdict.REPAIR_ELSEWHERE] == [d.verdict for d in made.decisions]
    assert {"i-b": Health.SICK, "i-a": Health.USABLE} == {
        said.nat.instance: said.health for said in made.health
    }


NATS = (A, B, C)
MOMENTS = st.floats(NOW - 200, NOW)


@st.composite
def anything(draw: st.DrawFn, of: Nat) -> Claim:
    """Draw whatever a NAT may say."""
    peers = st.sampled_from([nat for nat in NATS if nat != of])
    accusations = st.builds(Accusation, peer=peers.map(lambda nat: nat.instance), began=MOMENTS)
    return Claim(
        instance=of.instance,
        received=draw(MOMENTS),
        ailment=draw(st.sampled_from([None, "egress", "forwarding"])),
        silent=draw(st.frozensets(accusations, max_size=3)),
        ill=draw(st.frozensets(peers.map(lambda nat: nat.instance))),
    )


@given(st.lists(anything(A), max_size=3), st.sampled_from([(A, B), NATS]))
@example([Claim(instance="i-a", received=NOW, ill=frozenset({"i-b"}))], (A, B))
def test_nats_that_answer_stay_whatever_one_nat_says_of_them(
    lies: list[Claim], nats: tuple[Nat, ...]
) -> None:
    """One that lies loses its own tables at most: the others have said later that they are well."""
    honest = [claim(nat) for nat in nats if nat != A]
    observation = seen(*lies, *honest, nats=nats)
    made = plan(observation, Policy(watch=True))
    for decision in made.decisions:
        if decision.table != "rtb-i-a":
            assert Verdict.KEEP is decision.verdict


@given(anything(A), st.floats(NOW - 60, NOW), st.floats(NOW - 60, NOW))
def test_nats_that_hear_each_other_stay_when_a_third_accuses_one_of_them(
    lie: Claim, said_b: float, said_c: float
) -> None:
    """Also when it does not learn of that, and says nothing: of three, one is outvoted."""
    one = replace(
        lie,
        silent=frozenset(each for each in lie.silent if each.peer == "i-b"),
        ill=lie.ill & {"i-b"},
    )
    claims = (one, claim(B, said_b, ring=7), claim(C, said_c, ring=7))
    observation = replace(seen(*claims, nats=NATS), ring=Ring(version=7))
    made = plan(observation, Policy(watch=True))
    assert {"rtb-i-b": Verdict.KEEP, "rtb-i-c": Verdict.KEEP} == {
        d.table: d.verdict for d in made.decisions if d.table != "rtb-i-a"
    }


STEPS = st.lists(
    st.tuples(st.floats(0.1, 90.0), st.sampled_from(NATS).flatmap(anything), st.booleans()),
    max_size=12,
)


@given(STEPS, st.booleans())
def test_nothing_fails_back_to_a_nat_that_was_sick_a_moment_ago(
    steps: list[tuple[float, Claim, bool]],
    swap: bool,  # noqa: FBT001 - drawn
) -> None:
    """Whatever is said when, also where a run does not know yet what the one before it found."""
    observation = replace(seen(nats=NATS), ring=Ring())
    before, sick = observation.history, dict.fromkeys((nat.instance for nat in NATS), 0.0)
    for gap, said, overlaps in steps:
        now = observation.now + gap
        came = replace(
            said,
            received=now,
            silent=frozenset(replace(a, began=a.began - NOW + now) for a in said.silent),
        )
        others = {each for each in observation.claims if each.instance != came.instance}
        observation = replace(observation, now=now, claims=frozenset({*others, came}))
        known = replace(observation, history=before) if overlaps else observation
        made = plan(known, Policy(watch=True, swap=swap))
        for judged in made.health:
            if judged.health is Health.SICK:
                sick[judged.nat.instance] = now
        for decision in made.decisions:
            if decision.verdict is Verdict.FAIL_BACK:
                assert now - sick[decision.nat or ""] >= FAILBACK_AFTER_S
        before = observation.history
        observation = replace(carry_out(observation, made.actions), history=made.history)


@given(st.lists(st.one_of(*map(anything, NATS)), max_size=9), st.randoms())
def test_claims_mean_the_same_in_whatever_order_they_came(
    claims: list[Claim], random: object
) -> None:
    """And however often."""
    again = [*claims, *claims[:2]]
    random.shuffle(again)  # type: ignore[attr-defined]  # a random.Random, drawn
    once = {c.instance: c for c in sorted(claims, key=lambda c: c.received)}
    if len({(c.instance, c.received) for c in claims}) < len(set(claims)):
        return  # two at one moment: the store keeps one of them
    assert plan(seen(*once.values(), nats=NATS), Policy()) == plan(
        seen(*again, nats=NATS), Policy()
    )


@given(st.lists(st.one_of(*map(anything, NATS)), max_size=6))
def test_no_table_leaves_a_nat_that_is_well_for_one_that_is_not(claims: list[Claim]) -> None:
    """Whatever was said, a table that moves is led to a NAT that no rule calls sick."""
    observation = seen(*claims, nats=NATS)
    made = plan(observation, Policy(watch=True))
    health = {said.nat.instance: said.health for said in made.health}
    for decision in made.decisions:
        if decision.verdict is not Verdict.KEEP and decision.nat:
            assert Health.USABLE is health[decision.nat]
            assert Health.SICK is health[decision.table.removeprefix("rtb-")]
