"""What NATs claim of each other reaches the planner through topic and memory, and moves tables."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from nat_failover.contract import MEMORY_KEY, Item
from nat_failover.incidents import UNWATCHED_GRACE_S
from nat_failover.members import REPLACE_AFTER_S
from nat_failover.recall import RECALL_LIMIT_S
from tests.aws import messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.aws.conftest import Deploy, Function
    from tests.aws.region import Region

    Logged = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def function(region: Region, deploy: Deploy) -> Function:
    """Return the function of a Region at rest whose NATs watch each other."""
    return deploy(replace(region.settings, watch=True))


AGO = 10.0
"""Seconds: an accusation of this age needs no waiting for an answer."""


def silence(region: Region, of: str = "a", by: str = "b", ago: float = AGO) -> messages.Message:
    """Return the event with which a NAT accuses another one of silence."""
    silent = {region.nats[of]: ago}
    return messages.sns(messages.claim(region.nats[by], silent=silent))


def problems(logged: Logged) -> list[str]:
    """Return what was logged as a problem."""
    return [line["problem"] for line in logged() if "problem" in line]


def test_table_moves_when_a_peer_has_not_heard_a_nat_for_long_enough(
    region: Region, function: Function
) -> None:
    """The claim that the run brings counts in the run's first observation."""
    returned = function(silence(region))

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    assert returned["trigger"] == ["claim"]
    assert {row["nat"]: row["health"] for row in returned["saw"]} == {
        region.nats["a"]: "sick",
        region.nats["b"]: "usable",
    }


def test_table_moves_in_the_same_run_when_nobody_contradicts_a_new_accusation(
    region: Region, function: Function
) -> None:
    """The run waits for the answer that may come, and no longer."""
    began = time.monotonic()

    function(silence(region, ago=0.0))

    assert region.served_by()["a"] == region.nats["b"]
    assert time.monotonic() - began >= 1


def test_table_stays_when_the_accused_nat_contradicts_in_time(
    region: Region, function: Function
) -> None:
    """Its answer is another message and another run, which the first one finds in the memory."""
    answers = iter([messages.claim(region.nats["a"])])

    def answer(parsed: object) -> None:
        del parsed
        for claim in answers:
            region.claim(claim)

    function.wire.edit("DescribeRouteTables", answer)

    function(silence(region, ago=0.0))

    assert region.served_by() == region.nats
    assert "ReplaceRoute" not in function.wire.written()


def test_tables_stay_when_two_nats_accuse_each_other(region: Region, function: Function) -> None:
    """A broken link is not a broken NAT."""
    function(silence(region, of="a", by="b"))
    region.lose_claims()
    region.claim(messages.claim(region.nats["b"], silent={region.nats["a"]: AGO}))
    region.point("a", NetworkInterfaceId=region.interface(region.nats["a"]))
    before = len(function.wire.writes)

    function(silence(region, of="b", by="a"))

    assert region.served_by() == region.nats
    assert function.wire.writes[before:] == []


def test_table_moves_at_once_when_a_nat_says_that_it_is_ill(
    region: Region, function: Function
) -> None:
    """Nobody waits for an answer to that."""
    function(messages.sns(messages.claim(region.nats["a"], ailment="forwarding")))

    assert region.served_by()["a"] == region.nats["b"]
    assert function.wire.count("DescribeRouteTables") == 2


def test_tables_stay_when_every_nat_says_that_it_is_ill(region: Region, function: Function) -> None:
    """The internet's trouble is not the NATs': moving would help nobody."""
    region.claim(messages.claim(region.nats["b"], ailment="forwarding"))

    function(messages.sns(messages.claim(region.nats["a"], ailment="forwarding")))

    assert region.served_by() == region.nats
    ((subject, _),) = region.notifications()
    assert subject.startswith("NO INTERNET: ")


def test_claim_counts_in_later_runs_when_its_own_run_was_cut_short(
    region: Region, function: Function
) -> None:
    """It was stored beside the first observation, whatever became of that."""
    function.wire.fail("DescribeRouteTables", "UnauthorizedOperation", times=1)
    function(messages.sns(messages.claim(region.nats["a"], ailment="forwarding")), seconds=30.1)
    assert region.served_by() == region.nats

    function(messages.SWEEP)

    assert region.served_by()["a"] == region.nats["b"]


def test_older_claim_does_not_count_when_it_comes_late(region: Region, function: Function) -> None:
    """Messages overtake each other, and come twice."""
    region.claim(messages.claim(region.nats["a"], sequence=2))

    function(messages.sns(messages.claim(region.nats["a"], sequence=1, ailment="forwarding")))
    function(messages.sns(messages.claim(region.nats["a"], sequence=2, ailment="forwarding")))

    assert region.served_by() == region.nats


def test_claim_counts_when_a_restarted_nat_counts_anew(region: Region, function: Function) -> None:
    """After ten minutes any sequence replaces an old one."""
    region.claim(messages.claim(region.nats["a"], sequence=2**40), ago=601)

    function(messages.sns(messages.claim(region.nats["a"], sequence=1, ailment="forwarding")))

    assert region.served_by()["a"] == region.nats["b"]


def test_own_word_of_a_nat_is_kept_out_when_somebody_speaks_in_its_name(
    region: Region, function: Function
) -> None:
    """Nothing proves who speaks: a sequence that it does not reach outlives its claims."""
    region.claim(messages.claim(region.nats["a"], sequence=2**53, ailment="forwarding"))

    function(messages.sns(messages.claim(region.nats["a"], sequence=2)))

    assert region.served_by()["a"] == region.nats["b"]


def test_claim_does_not_count_when_it_is_of_no_member(region: Region, function: Function) -> None:
    """And nothing of it is kept."""
    stranger = "i-0123456789abcdef0"
    event = messages.sns(messages.claim(stranger, silent={region.nats["a"]: AGO}))

    returned = function(event)

    assert region.served_by() == region.nats
    assert returned["failure"] is None
    assert region.claimants() == set()


@pytest.mark.parametrize(
    "said",
    [
        {"Claim": 2},
        {"Claim": True},
        {"instance": "i-1; rm"},
        {"sequence": -1},
        {"sequence": 10**400},
        {"sequence": True},
        {"ailment": "melancholy"},
        {"silent": {"i-0": float("nan")}},
        {"silent": {"i-0": float("inf")}},
        {"silent": {"i-0": 10**400}},
        {"silent": {"i-0": "3"}},
        {"silent": {f"i-{number:x}": 1 for number in range(101)}},
        {"silent": []},
        {"ill": {"i-0": None}},
        {"ring": 0.5},
        {"flows": -1},
        {"flows": {}},
    ],
    ids=lambda said: repr(said)[:30],
)
def test_claim_is_a_problem_in_the_log_when_nobody_would_say_that(
    said: dict[str, Any], region: Region, function: Function, logged: Logged
) -> None:
    """It is observed all the same, and nothing of it is kept."""
    claim = messages.claim(region.nats["a"], ailment="forwarding") | said

    returned = function(messages.sns(json.dumps(claim)))

    assert returned["trigger"] == ["unknown"]
    assert function.wire.reads
    assert region.served_by() == region.nats
    assert region.claimants() == set()
    (problem,) = problems(logged)
    assert problem.startswith("not understood: ")


def test_claim_does_not_count_when_no_watch_is_wanted(region: Region, deploy: Deploy) -> None:
    """With `fleet.watch` off there is nobody who could say so."""
    deploy(replace(region.settings, watch=False))(silence(region))

    assert region.served_by() == region.nats
    assert region.claimants() == set()


# A memory that fails -----------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["GetItem", "UpdateItem"])
def test_nothing_moves_by_claims_when_the_memory_refuses(
    operation: str, region: Region, function: Function
) -> None:
    """Every other detector works."""
    function.wire.fail(operation, "AccessDeniedException")
    function.wire.fail("GetItem", "AccessDeniedException")
    region.kill(region.nats["b"])

    returned = function(silence(region))

    assert region.served_by() == {"a": region.nats["a"], "b": region.nats["a"]}
    assert returned["failure"] is None


def test_claim_that_cannot_be_stored_is_a_problem_in_the_log(
    region: Region, function: Function, logged: Logged
) -> None:
    """The item may be full ("Item size to update has exceeded the maximum allowed size")."""
    region.claim(messages.claim(region.nats["a"], ailment="forwarding"))
    function.wire.fail("UpdateItem", "ValidationException")

    function(silence(region, of="b", by="a"))

    assert region.served_by()["a"] == region.nats["b"]
    assert [text for text in problems(logged) if text.startswith("a claim was not stored: ")]


def test_claims_of_garbage_count_for_nothing_and_are_removed(
    region: Region, function: Function
) -> None:
    """Somebody else wrote them; the next run finds the item as it should be."""
    told = region.claim(messages.claim(region.nats["b"]))
    garbage: Any = {
        MEMORY_KEY: {"S": Item.CLAIMS},
        region.nats["a"]: {"S": "any"},
        region.nats["b"]: told,
        "i-1": {"M": {"said": {"S": "{"}, "received": {"N": "1"}}},
        "i-2": told,
        "any": {"L": []},
    }
    region.dynamodb.put_item(TableName=region.memory, Item=garbage)

    function(messages.SWEEP)

    assert region.served_by() == region.nats
    assert region.claimants() == {region.nats["b"]}


def test_garbage_that_cannot_be_removed_is_a_problem_in_the_log(
    region: Region, function: Function, logged: Logged
) -> None:
    """It counts for nothing all the same."""
    garbage: Any = {MEMORY_KEY: {"S": Item.CLAIMS}, region.nats["a"]: {"S": "any"}}
    region.dynamodb.put_item(TableName=region.memory, Item=garbage)
    function.wire.fail("UpdateItem", "AccessDeniedException")

    function(messages.SWEEP)

    assert region.served_by() == region.nats
    assert [text for text in problems(logged) if text.startswith("old claims were not removed: ")]


def test_repair_is_not_delayed_when_the_memory_does_not_answer(
    region: Region, function: Function
) -> None:
    """A run waits for it a moment in all, however often it observes."""
    written: list[float] = []
    function.wire.hold("GetItem", lambda: time.sleep(2))
    function.wire.hold("UpdateItem", lambda: time.sleep(2))
    function.wire.hold("ReplaceRoute", lambda: written.append(time.monotonic()))
    region.kill(region.nats["a"])
    began = time.monotonic()

    function(silence(region, of="a", by="b"))

    assert region.served_by()["a"] == region.nats["b"]
    assert written[0] - began < RECALL_LIMIT_S + 1


def test_nothing_fails_back_while_claims_cannot_be_read(region: Region, function: Function) -> None:
    """A sick NAT looks well to whom does not know what is claimed of it."""
    function(messages.sns(messages.claim(region.nats["a"], ailment="forwarding")))
    assert region.served_by()["a"] == region.nats["b"]
    function.wire.fail("GetItem", "AccessDeniedException", mentions="claims")

    function(messages.SWEEP)

    assert region.served_by()["a"] == region.nats["b"]


def test_claim_of_a_nat_that_died_does_not_count(region: Region, function: Function) -> None:
    """Or the last NAT would be sick by the last words of another one."""
    region.claim(messages.claim(region.nats["b"], silent={region.nats["a"]: AGO}))
    region.kill(region.nats["b"])

    function(messages.SWEEP)

    assert region.served_by() == {"a": region.nats["a"], "b": region.nats["a"]}


# The ring ----------------------------------------------------------------------------------------


def test_ring_is_written_once_and_only_when_it_changes(region: Region, function: Function) -> None:
    """The watch reads it; who is in it, in order, and how each one is."""
    function(messages.SWEEP)

    first = region.ring()
    assert [row["instance"] for row in first["ring"]] == sorted(region.nats.values())
    assert {row["state"] for row in first["ring"]} == {"usable"}
    assert first["version"] == 1
    assert all(row["address"].startswith("10.0.") for row in first["ring"])

    region.kill(region.nats["a"])
    function(messages.SWEEP)
    function(messages.SWEEP)

    second = region.ring()
    assert [row["instance"] for row in second["ring"]] == [region.nats["b"]]
    assert second["version"] == 2


@pytest.mark.parametrize("version", [{"S": "any"}, {"N": "-3"}, {"N": "1.5"}, {"N": "1e30"}])
def test_ring_of_garbage_is_written_over(
    region: Region, function: Function, version: dict[str, str]
) -> None:
    """Or the NATs would know no other ring for ever."""
    item: Any = {MEMORY_KEY: {"S": Item.PEERS}, "ring": {"S": "[]"}, "version": version}
    region.dynamodb.put_item(TableName=region.memory, Item=item)

    function(messages.SWEEP)

    assert [row["instance"] for row in region.ring()["ring"]] == sorted(region.nats.values())
    assert region.ring()["version"] == 1


def test_ring_is_left_to_the_faster_run_when_two_overlap(
    region: Region, function: Function, logged: Logged
) -> None:
    """Both saw the same, and the condition takes the first."""
    region.kill(region.nats["a"])
    function.wire.fail("PutItem", "ConditionalCheckFailedException", mentions="peers", times=1)

    returned = function(messages.SWEEP)

    assert returned["failure"] is None
    assert problems(logged) == []


def test_ring_is_not_written_when_no_watch_is_wanted(region: Region, deploy: Deploy) -> None:
    """Nobody would read it."""
    before = region.ring()
    region.kill(region.nats["a"])

    deploy(replace(region.settings, watch=False))(messages.SWEEP)

    assert region.ring() == before


# What follows ------------------------------------------------------------------------------------


def test_group_is_told_once_that_a_sick_nat_shall_be_replaced(
    region: Region, function: Function
) -> None:
    """After its tables have moved; a second sick one has to wait."""
    region.age(function, 400)
    region.turn_sick(ago=REPLACE_AFTER_S)

    function(messages.sns(messages.claim(region.nats["a"], ailment="forwarding")))

    assert region.health() == {region.nats["a"]: "Unhealthy", region.nats["b"]: "Healthy"}
    region.launch("a")
    function(messages.sns(messages.claim(region.nats["b"], ailment="forwarding")))
    assert region.health()[region.nats["b"]] == "Healthy"


def test_group_is_not_told_when_another_run_was_faster(region: Region, function: Function) -> None:
    """Of runs that overlap one tells it, and the other one has not failed."""
    region.age(function, 400)
    region.turn_sick(ago=REPLACE_AFTER_S)
    region.replaced(time.time() - 1, late=function)

    returned = function(messages.sns(messages.claim(region.nats["a"], ailment="forwarding")))

    assert region.health()[region.nats["a"]] == "Healthy"
    assert returned["failure"] is None


def test_group_is_not_told_when_the_nat_is_in_its_first_minutes(
    region: Region, function: Function
) -> None:
    """What it boots with may still come."""
    region.turn_sick(ago=REPLACE_AFTER_S)
    function(messages.sns(messages.claim(region.nats["a"], ailment="forwarding")))

    assert region.served_by()["a"] == region.nats["b"]
    assert region.health()[region.nats["a"]] == "Healthy"


# Told --------------------------------------------------------------------------------------------


def long_unwatched(region: Region) -> None:
    """Let ten minutes pass for what is not watched."""
    began = region.remembered()
    since = tuple((i, start - UNWATCHED_GRACE_S) for i, start in began.since)
    region.remember(replace(began, since=since))


def test_people_are_told_once_when_a_nat_is_not_watched_for_long(
    region: Region, function: Function
) -> None:
    """Nothing moves; the text names the NAT, and what to do."""
    region.age(function, 700)
    region.claim(messages.claim(region.nats["b"]))
    function(messages.SWEEP)
    assert region.notifications() == []
    long_unwatched(region)

    function(messages.SWEEP)
    function(messages.SWEEP)

    ((subject, text),) = region.notifications()
    assert subject == "NOT WATCHED: any-stack in eu-west-1 (eu-west-1a)"
    assert text.startswith("All private subnets have internet access now.")
    assert ": a NAT that is not watched." in text
    assert f"- {region.nats['a']} in eu-west-1a: nothing was heard of it" in text
    assert "To do: nothing at once: its tables stay" in text
    assert region.served_by() == region.nats


def test_people_are_told_that_there_may_be_no_internet_when_no_nat_says_anything(
    region: Region, function: Function
) -> None:
    """Who has no egress can say nothing either."""
    region.age(function, 700)
    function(messages.SWEEP)
    long_unwatched(region)

    function(messages.SWEEP)

    ((_, text),) = region.notifications()
    assert text.startswith("All private subnets are routed to NATs, but no NAT says anything")
    assert "they may be without internet access" in text


def test_people_are_told_which_nats_do_not_hear_each_other(
    region: Region, function: Function
) -> None:
    """Each of them says so of the other: both stay."""
    one, other = sorted(region.nats.values())
    region.claim(messages.claim(one, silent={other: AGO}))
    region.claim(messages.claim(other, silent={one: AGO}))
    function(messages.SWEEP)
    long_unwatched(region)

    function(messages.SWEEP)

    ((_, text),) = region.notifications()
    assert f"- {one} and {other} do not hear each other" in text
    assert "UDP 4788" in text


def test_people_are_told_that_the_group_was_told_to_replace_a_nat(
    region: Region, function: Function
) -> None:
    """It need not be terminated by hand then."""
    region.age(function, 400)
    region.turn_sick(ago=REPLACE_AFTER_S)

    function(messages.sns(messages.claim(region.nats["a"], ailment="forwarding")))

    ((_, text),) = region.notifications()
    told = f"The group was told to replace {region.nats['a']}: it says that it does not forward."
    assert told in text.splitlines()


@pytest.mark.parametrize(("age", "advised"), [(400, 0), (0, 1)])
def test_people_are_to_terminate_a_sick_nat_only_when_its_group_lets_it_be(
    age: int, advised: int, region: Region, function: Function
) -> None:
    """Where redundancy is lost, one that the group replaces needs no help."""
    region.age(function, age)
    region.turn_sick(ago=REPLACE_AFTER_S)
    function(messages.sns(messages.claim(region.nats["a"], ailment="forwarding")))
    region.notifications()
    long_unwatched(region)

    function(messages.SWEEP)

    ((subject, text),) = region.notifications()
    assert subject.startswith("NOT REDUNDANT: ")
    assert text.count("mend what its reason names, or terminate it") == advised
