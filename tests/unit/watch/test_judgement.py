"""What a NAT thinks of itself and its peers."""

from __future__ import annotations

from itertools import pairwise

import pytest

from cdk_nat_failover.instances.watch.judgement import (
    ALERT_S,
    ALL_AT_ONCE_S,
    EMPTY_S,
    GRACE_S,
    HEARTBEAT_S,
    PAUSE_S,
    PROBE_AGAIN_S,
    PROBE_S,
    REPORT_S,
    RING_HINT_S,
    RING_S,
    SILENT_S,
    Watch,
)
from tests.unit.watch.nats import Nats, any_heartbeat, any_ring, any_watch

PAIR = any_ring("a", "b")


def any_pair_in_service() -> Nats:
    """Return two NATs that have watched each other for a while."""
    nats = Nats(any_ring("a", "b"))
    nats.run(20)
    return nats


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_nats_claim_nothing_but_their_health_when_all_is_well(count: int) -> None:
    """They report when they start, and then each minute."""
    nats = Nats(any_ring(*"abcde"[:count]))

    nats.run(10 * REPORT_S)

    said = nats.since(0, "a")
    assert 10 <= len(said) <= 11
    assert {(None, 0, 0)} == {(c.ailment, len(c.silent), len(c.ill)) for c in said}
    assert 1 == said[-1].ring


def test_a_nat_says_nothing_before_it_tried_its_egress() -> None:
    """A watch that starts anew beside a lost egress would acquit itself."""
    watch = Watch("a", 0)
    watch.told(PAIR, 0)

    opinion = watch.advance(0)

    assert (None, None, True) == (opinion.heartbeat, opinion.claim, opinion.probe_due)
    watch.probed(ok=False, now=1)
    assert watch.advance(1).heartbeat is None
    watch.probed(ok=False, now=2)
    watch.probed(ok=False, now=3)
    opinion = watch.advance(3)
    assert opinion.heartbeat is not None
    assert "egress" == opinion.heartbeat.ailment


def test_a_nat_without_any_target_is_taken_for_well() -> None:
    """Where all names lead to the VPC itself, nothing is known of the egress."""
    watch = Watch("a", 0)
    watch.probed(None, 0)

    opinion = watch.advance(0)

    assert opinion.claim is not None
    assert opinion.claim.ailment is None


@pytest.mark.parametrize("count", [2, 3, 5])
def test_the_peers_accuse_a_nat_that_hangs_within_three_seconds(count: int) -> None:
    """All of them do, of this one alone, and say so at once."""
    nats = Nats(any_ring(*"abcde"[:count]))
    nats.run(20)
    began = nats.now
    nats.frozen.add("b")

    nats.run(SILENT_S + HEARTBEAT_S)

    for name in set(nats.watches) - {"b"}:
        (claim,) = nats.since(began, name)
        assert ["b"] == list(claim.silent)


def test_an_accusation_keeps_its_age_when_it_is_renewed() -> None:
    """A renewal is no new accusation; it comes every ten seconds."""
    nats = any_pair_in_service()
    began = nats.now
    nats.frozen.add("b")

    nats.run(4 * ALERT_S)

    said = nats.since(began, "a")
    assert 4 == len(said)
    assert 1 == len({claim.silent["b"] for claim in said})


def test_a_nat_that_is_heard_again_is_accused_no_longer() -> None:
    """The withdrawal comes with the first heartbeat."""
    nats = any_pair_in_service()
    nats.frozen.add("b")
    nats.run(30)
    began = nats.now
    nats.frozen.clear()

    nats.run(1)

    assert {} == nats.since(began, "a")[-1].silent


def test_a_nat_that_hung_itself_accuses_nobody() -> None:
    """The time in which it heard nothing was its own."""
    nats = any_pair_in_service()
    nats.frozen.add("b")
    nats.run(30)
    nats.frozen.clear()
    began = nats.now

    nats.run(10)

    assert [{}] * len(nats.since(began, "b")) == [c.silent for c in nats.since(began, "b")]


def test_two_nats_whose_link_is_cut_accuse_each_other() -> None:
    """The function sees a broken link in it."""
    nats = any_pair_in_service()
    began = nats.now
    nats.cut = {("a", "b"), ("b", "a")}

    nats.run(4)

    assert ["b"] == list(nats.since(began, "a")[-1].silent)
    assert ["a"] == list(nats.since(began, "b")[-1].silent)


def test_an_accused_nat_that_is_well_contradicts_each_second_at_first() -> None:
    """One way of the link is cut: b hears that a does not hear it."""
    nats = any_pair_in_service()
    nats.cut = {("b", "a")}
    began = nats.now

    nats.run(SILENT_S + 4)

    said = nats.since(began, "b")
    assert 3 <= len(said) <= 4
    assert {None} == {claim.ailment for claim in said}
    assert all(not claim.silent for claim in said)


def test_a_contradiction_is_renewed_as_long_as_the_accusation_stands() -> None:
    """Every ten seconds, as the accusation is."""
    nats = any_pair_in_service()
    nats.cut = {("b", "a")}
    nats.run(20)
    began = nats.now

    nats.run(10 * ALERT_S)

    assert 10 == len(nats.since(began, "b"))


def test_a_lost_egress_is_known_after_three_failures() -> None:
    """The second and third attempt follow fast; the peer says it for the ill one."""
    nats = any_pair_in_service()
    began = nats.now
    nats.without_egress.add("b")

    nats.run(PROBE_S + 2 * PROBE_AGAIN_S + HEARTBEAT_S)

    assert "egress" == nats.since(began, "b")[-1].ailment
    assert {"b": "egress"} == nats.since(began, "a")[-1].ill


def test_two_failures_in_a_row_are_no_lost_egress() -> None:
    """A success between them begins the count anew."""
    watch = any_watch(PAIR)

    for now, ok in enumerate([False, False, True, False, False, True]):
        watch.probed(ok=ok, now=now / 2)

    assert watch.ailment is None


def test_an_egress_is_found_again_after_three_successes() -> None:
    """One may be luck: half of the attempts failing is no egress."""
    watch = any_watch(PAIR)
    outcomes = [False] * 3 + [True, False] * 3 + [True, True]

    for now, ok in enumerate(outcomes):
        watch.probed(ok=ok, now=now / 2)

    assert "egress" == watch.ailment
    watch.probed(ok=True, now=9)
    assert watch.ailment is None


def test_a_nat_that_found_its_egress_again_does_not_tell_of_peers_at_once() -> None:
    """It may be back for all; what ails a peer otherwise is told."""
    watch = any_watch(any_ring("a", "b", "c"))
    for now in (1, 2, 3):
        watch.probed(ok=False, now=now)
    watch.advance(4)
    for now in (5, 6, 7):
        watch.probed(ok=True, now=now)
    watch.heard(any_heartbeat("b", 1, ailment="egress"), 7)
    watch.heard(any_heartbeat("c", 1, ailment="forwarding"), 7)

    told = watch.advance(7).claim
    later = watch.advance(7 + ALL_AT_ONCE_S).claim

    assert told
    assert later
    assert (None, {"c": "forwarding"}) == (told.ailment, told.ill)
    assert {"b": "egress", "c": "forwarding"} == later.ill


def test_an_attempt_is_due_once_until_its_outcome_is_known() -> None:
    """After a failure it is tried again sooner."""
    watch = any_watch(PAIR)

    assert not watch.advance(PROBE_S - 0.1).probe_due
    assert [True, False] == [watch.advance(now).probe_due for now in (2.0, 2.2)]
    watch.probed(ok=False, now=3.2)
    assert [False, True] == [watch.advance(now).probe_due for now in (3.5, 3.7)]


def test_missing_rules_are_an_ailment_at_once() -> None:
    """Whether rules are loaded is a fact, and no question of chance."""
    nats = any_pair_in_service()
    began = nats.now
    nats.without_rules.add("b")

    nats.run(1)

    assert "forwarding" == nats.since(began, "b")[-1].ailment
    assert {"b": "forwarding"} == nats.since(began, "a")[-1].ill


def test_an_ill_nat_that_falls_silent_stays_ill() -> None:
    """Silence cures nothing."""
    nats = any_pair_in_service()
    nats.without_egress.add("b")
    nats.run(10)
    began = nats.now
    nats.frozen.add("b")

    nats.run(20)

    assert {("egress", True)} == {
        (claim.ill["b"], "b" in claim.silent) for claim in nats.since(began + 3, "a")
    }


def test_when_nobody_has_egress_everybody_says_so() -> None:
    """Of itself and of the others: nothing moves then."""
    nats = Nats(any_ring("a", "b", "c"))
    nats.run(20)
    began = nats.now
    nats.without_egress = {"a", "b", "c"}

    nats.run(6)

    for name, others in (("a", "bc"), ("b", "ac"), ("c", "ab")):
        claim = nats.since(began, name)[-1]
        assert ("egress", set(others)) == (claim.ailment, set(claim.ill))


def test_a_nat_that_said_farewell_is_not_accused() -> None:
    """Nothing is handed over to it either, until it is heard again."""
    watch = any_watch(PAIR)
    watch.heard(any_heartbeat("b", 1), 0)
    watch.heard(any_heartbeat("b", 2, bye=True), 0.5)

    quiet = [watch.advance(now) for now in range(1, 100)]

    assert {()} == {opinion.successors for opinion in quiet}
    assert not any(opinion.claim and opinion.claim.silent for opinion in quiet)
    watch.heard(any_heartbeat("b", 1), 100)
    assert ["b"] == [peer.instance for peer in watch.advance(100).successors]
    assert ["b"] == [name for now in (101, 102, 103) for name in _accused(watch, now)]


def test_the_farewell_is_newer_than_the_last_heartbeat() -> None:
    """An older one would be no news to the peer."""
    watch = any_watch(PAIR)
    last = watch.advance(0).heartbeat

    farewell = watch.farewell(0)

    assert last is not None
    assert farewell.bye
    assert farewell.sequence > last.sequence


def test_a_peer_that_was_never_heard_has_a_grace() -> None:
    """It may be of a version without a watch; then the link or the watch is broken."""
    watch = any_watch(PAIR)
    times = [now / 2 for now in range(2 * int(GRACE_S + SILENT_S))]

    assert [] == [name for now in times for name in _accused(watch, now)]
    assert ["b"] == _accused(watch, GRACE_S + SILENT_S)


def test_a_heartbeat_that_comes_with_a_claim_puts_off_none() -> None:
    """A peer that pauses meanwhile would be taken for silent sooner."""
    watch = any_watch(PAIR)
    heard = []
    for now in (step / 20 for step in range(200)):
        watch.forwards(ok=now < 5.15, now=now)
        if watch.advance(now).heartbeat:
            heard.append(now)

    assert 5.15 in heard
    assert max(later - earlier for earlier, later in pairwise(heard)) == HEARTBEAT_S


def test_nats_that_never_heard_each_other_have_answered_before_they_are_accused() -> None:
    """They accuse each other minutes apart, as one is older: neither is taken for a hung one."""
    nats = Nats(any_ring("a", "b", b="booting"), cut={("a", "b"), ("b", "a")})
    nats.run(90)
    nats.ring = PAIR
    nats.run(GRACE_S + 90)

    accusations = [
        (peer, began, at) for at, claim in nats.claims for peer, began in claim.silent.items()
    ]
    assert {"a", "b"} == {peer for peer, *_ in accusations}
    for peer, began, at in accusations:
        said = [moment for moment, claim in nats.claims if claim.instance == peer]
        assert any(max(began, at - REPORT_S - 1) <= moment <= at for moment in said)


def test_a_peer_that_the_function_knows_to_be_sick_has_no_grace() -> None:
    """A watch that starts anew beside a NAT that hangs does not acquit it."""
    watch = any_watch(any_ring("a", "b", b="sick"))

    assert ["b"] == _accused(watch, 0)


def test_a_watch_that_starts_anew_never_claims_to_know_the_ring_and_hear_a_sick_nat() -> None:
    """As a witness it would have the function take the NAT for usable, and then have its grace."""
    nats = Nats(any_ring("a", "b", "c", c="sick"))
    nats.frozen.add("c")
    nats.run(SILENT_S + 1)
    nats.start("b")
    began = nats.now
    nats.run(SILENT_S)

    knowing = [claim for claim in nats.since(began, "b") if claim.ring is not None]
    assert knowing
    assert [] == [claim for claim in knowing if "c" not in claim.silent]


@pytest.mark.parametrize("state", ["booting", "leaving"])
def test_a_peer_that_boots_or_leaves_unheard_is_never_accused(state: str) -> None:
    """It has no watch yet, or none any more."""
    watch = any_watch(any_ring("a", "b", b=state))

    assert [] == [name for now in range(2000) for name in _accused(watch, now)]


def test_the_grace_begins_when_the_peer_has_booted() -> None:
    """However long that took."""
    watch = any_watch(any_ring("a", "b", b="booting"))
    for now in range(1000):
        watch.advance(now)
        watch.told(any_ring("a", "b", b="booting"), now)
    watch.told(PAIR, 1000)

    assert [] == [name for now in range(1000, 1900) for name in _accused(watch, now)]


def test_heartbeats_of_strangers_are_not_taken_and_have_the_ring_read() -> None:
    """A new NAT may know a ring that this one does not."""
    watch = any_watch(PAIR)
    watch.advance(0.1)

    watch.heard(any_heartbeat("c", 1), 0.2)

    assert () == watch.advance(0.3).successors
    assert [False, True] == [watch.advance(now).ring_due for now in (0.4, 0.2 + RING_HINT_S)]


def test_a_heartbeat_from_another_address_than_the_peers_is_not_taken() -> None:
    """Who sends it is none of the ring."""
    watch = any_watch(PAIR)

    watch.heard(any_heartbeat("b", 1), 0.1, source="10.0.0.99")
    assert () == watch.advance(0.1).successors

    watch.heard(any_heartbeat("b", 1), 0.2, source="10.0.0.5")
    assert ["b"] == [peer.instance for peer in watch.advance(0.2).successors]


def test_an_older_heartbeat_changes_nothing() -> None:
    """Datagrams may overtake each other, and come twice."""
    watch = any_watch(PAIR)
    watch.heard(any_heartbeat("b", 5), 0.1)

    watch.heard(any_heartbeat("b", 4, ailment="egress"), 0.2)

    opinion = watch.advance(0.2)
    assert opinion.claim is not None
    assert {} == opinion.claim.ill


def test_a_rebooted_peer_is_heard_though_its_count_begins_anew() -> None:
    """It was silent before, or said farewell."""
    watch = any_watch(PAIR)
    watch.heard(any_heartbeat("b", 900_000), 0.1)
    for now in range(1, 20):
        watch.advance(now)

    watch.heard(any_heartbeat("b", 5), 20)

    assert ["b"] == [peer.instance for peer in watch.advance(20).successors]


@pytest.mark.parametrize(
    ("me", "expected"),
    [("a", "bcde"), ("c", "deab"), ("e", "abcd")],
)
def test_flows_are_handed_over_along_the_ring(me: str, expected: str) -> None:
    """From the next one, around its end."""
    nats = Nats(any_ring(*"abcde"))

    nats.run(3)

    assert list(expected) == [peer.instance for peer in nats.opinions[me].successors]


@pytest.mark.parametrize("state", ["booting", "sick"])
def test_nothing_is_handed_over_to_a_peer_that_cannot_know_a_flow(state: str) -> None:
    """A leaving one can: that is what it is for."""
    nats = Nats(any_ring("a", "b", "c", b=state, c="leaving"))

    nats.run(3)

    assert ["c"] == [peer.instance for peer in nats.opinions["a"].successors]


@pytest.mark.parametrize("broken", ["frozen", "without_egress", "without_rules"])
def test_the_hand_over_ends_when_the_peer_is_known_to_be_dead_or_ill(broken: str) -> None:
    """A client would wait for it."""
    nats = Nats(any_ring("a", "b", "c"))
    nats.run(10)
    getattr(nats, broken).add("b")

    nats.run(6)

    assert ["c"] == [peer.instance for peer in nats.opinions["a"].successors]


def test_the_ring_is_read_every_two_seconds_and_on_a_hint() -> None:
    """A peer that knows another version gives it."""
    watch = any_watch(PAIR)
    watch.advance(0)

    assert [False, True, False] == [watch.advance(now).ring_due for now in (1, RING_S, 2.5)]
    watch.told(PAIR, 2.6)
    watch.heard(any_heartbeat("b", 1, ring=2), 2.7)
    assert [False, True] == [watch.advance(now).ring_due for now in (3, 2.7 + RING_HINT_S)]


def test_a_ring_that_cannot_be_read_leaves_the_last_one() -> None:
    """Peers stay known while the table is away."""
    watch = any_watch(PAIR)
    watch.heard(any_heartbeat("b", 1), 0.1)

    watch.told(None, 0.2)

    assert ["b"] == [peer.instance for peer in watch.advance(0.2).successors]


def test_a_peer_that_left_the_ring_is_forgotten() -> None:
    """Whatever was held against it."""
    nats = any_pair_in_service()
    nats.frozen.add("b")
    nats.run(10)
    nats.ring = any_ring("a", version=2)
    nats.run(3)

    claim = nats.claims[-1][1]
    assert ({}, {}, 2) == (claim.silent, claim.ill, claim.ring)


def test_a_new_version_of_the_ring_is_claimed() -> None:
    """The function waits for it before it moves a table by plan."""
    nats = any_pair_in_service()
    began = nats.now
    nats.ring = any_ring("a", "b", version=2)

    nats.run(3)

    assert [2] == [claim.ring for claim in nats.since(began, "a")]


def test_a_leaving_nat_says_how_many_flows_it_carries() -> None:
    """None only when there were none for a while; that comes at once."""
    watch = any_watch(any_ring("a", "b", a="leaving"))
    said = []
    for tenth in range(400):
        now = tenth / 10
        watch.flows(5 if now < 12 else 0, now)
        if claim := watch.advance(now).claim:
            said.append((now, claim.flows))

    assert [(0.0, 5), (10.0, 5), (20.0, 5), (12 + EMPTY_S, 0), (32.0, 0)] == said


def test_a_leaving_nat_that_never_had_a_flow_does_not_know_so_at_once() -> None:
    """A table may have moved to it a moment ago."""
    watch = any_watch(any_ring("a", "b", a="leaving"))
    watch.flows(0, 0)

    claim = watch.advance(0).claim

    assert claim is not None
    assert claim.flows is None


def test_flows_are_no_longer_said_when_the_nat_stays() -> None:
    """What was counted before a scale-in was called off means nothing."""
    watch = any_watch(any_ring("a", "b", a="leaving"))
    watch.flows(0, 0)
    watch.told(PAIR, 20)
    watch.told(any_ring("a", "b", a="leaving"), 21)
    watch.flows(0, 21)

    claim = watch.advance(22).claim

    assert claim is not None
    assert claim.flows is None


def test_claims_are_at_most_one_a_second_however_a_peer_flaps() -> None:
    """What changed between is said then."""
    watch = any_watch(PAIR)
    said = 0
    for tenth in range(300):
        now = tenth / 10
        ailment = "egress" if tenth % 2 else None
        watch.heard(any_heartbeat("b", tenth, ailment=ailment), now)
        said += watch.advance(now).claim is not None

    assert 20 <= said <= 30


@pytest.mark.parametrize("jump", [PAUSE_S * 1.1, 60.0, 1e6])
def test_a_clock_that_jumps_forward_accuses_nobody(jump: float) -> None:
    """It is as if this process had been paused."""
    nats = any_pair_in_service()
    began = nats.now
    nats.now += jump

    nats.run(REPORT_S)

    assert not [claim for _, claim in nats.claims if claim.silent]
    assert nats.since(began, "a")


def test_a_clock_that_jumps_back_changes_nothing() -> None:
    """Time given twice is no time."""
    watch = any_watch(PAIR, now=100)
    watch.heard(any_heartbeat("b", 1), 100)
    watch.advance(100)

    opinion = watch.advance(50)

    assert opinion.claim is None
    assert ["b"] == [peer.instance for peer in opinion.successors]


def test_who_asks_when_told_to_misses_nothing() -> None:
    """The loop sleeps until then: silence is noticed to the moment."""
    watch = any_watch(PAIR, now=0.0)
    watch.heard(any_heartbeat("b", 1), 0.3)
    now = 0.3
    while not (accused := _accused(watch, now)) and now < 10:
        now = watch.advance(now).again

    assert (["b"], 0.3 + SILENT_S) == (accused, now)


def _accused(watch: Watch, now: float) -> list[str]:
    heartbeat = watch.advance(now)
    return list(heartbeat.claim.silent) if heartbeat.claim else []
