"""When people hear of what: each incident once when it opens and once when it is over."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from nat_failover.incidents import (
    CLAIM_S,
    REDUNDANCY_GRACE_S,
    Incident,
    Message,
    Situation,
    State,
    advance,
    has_lost_redundancy,
    released,
    without,
)

SETTLED = State(settled=True)
OK: frozenset[Incident] = frozenset()
CUT = frozenset({Incident.NO_EGRESS})
AWAY = frozenset({Incident.FAILOVER})
LOST = frozenset({Incident.REDUNDANCY_LOST})


def at(now: float, holds: frozenset[Incident]) -> Situation:
    """Return a situation at a time."""
    return Situation(now=now, holds=holds, served=Incident.NO_EGRESS not in holds)


def told(state: State, *situations: Situation) -> list[tuple[list[Incident], list[Incident]]]:
    """Return what people hear of situations, one after the other; each message is published."""
    heard = []
    for situation in situations:
        state, message = advance(state, situation)
        if message:
            heard.append(([i for i, _ in message.opened], [i for i, _ in message.over]))
            state = without(state, message)
    return heard


def test_incident_is_told_once_and_its_end_once() -> None:
    """Sweeps that find the same again say nothing."""
    heard = told(SETTLED, at(0, CUT), at(60, CUT), at(120, CUT), at(180, OK), at(240, OK))

    assert [([Incident.NO_EGRESS], []), ([], [Incident.NO_EGRESS])] == heard


def test_outage_that_becomes_a_failover_makes_one_message_for_the_change() -> None:
    """Internet access that came back through another zone is one thing to say."""
    heard = told(SETTLED, at(0, CUT), at(60, AWAY), at(120, AWAY), at(180, OK))

    assert [
        ([Incident.NO_EGRESS], []),
        ([Incident.FAILOVER], [Incident.NO_EGRESS]),
        ([], [Incident.FAILOVER]),
    ] == heard


def test_lost_redundancy_is_told_when_a_replacement_would_have_come() -> None:
    """A replacement that comes in its time is no news."""
    grace = REDUNDANCY_GRACE_S
    assert told(SETTLED, at(0, LOST), at(grace - 1, LOST), at(grace, OK)) == []
    assert told(SETTLED, at(0, LOST), at(grace, LOST), at(grace + 60, OK)) == [
        ([Incident.REDUNDANCY_LOST], []),
        ([], [Incident.REDUNDANCY_LOST]),
    ]


def test_nothing_is_told_while_a_stack_is_being_made() -> None:
    """Its first NATs come one after the other."""
    assert told(State(), at(0, CUT), at(30, CUT), at(60, AWAY), at(120, OK)) == []


def test_stack_that_never_becomes_whole_is_told() -> None:
    """Both NATs in one zone since the first deployment is no passing state."""
    holds = LOST | AWAY
    heard = told(State(), at(0, CUT), at(60, holds), at(60 + REDUNDANCY_GRACE_S, holds))

    assert [([Incident.REDUNDANCY_LOST, Incident.FAILOVER], [])] == heard


def test_claim_is_taken_over_when_its_run_died() -> None:
    """Between the claim and the publication a run can end; a later one publishes."""
    claimed, message = advance(SETTLED, at(0, CUT))
    assert message is not None

    early, nothing = advance(claimed, at(CLAIM_S - 1, CUT))
    late, again = advance(early, at(CLAIM_S, CUT))

    assert nothing is None
    assert Message(opened=((Incident.NO_EGRESS, 0),), claimed=CLAIM_S) == again
    assert (again,) == late.messages


def test_message_is_published_by_the_next_run_when_publishing_failed() -> None:
    """It need not wait for the claim to expire."""
    claimed, message = advance(SETTLED, at(1000, CUT))
    assert message is not None

    _, again = advance(released(claimed, message), at(1060, CUT))

    assert again is not None
    assert message.opened == again.opened


def test_only_the_end_is_told_when_the_beginning_could_not_be() -> None:
    """The end says since when, so that nothing is lost."""
    claimed, message = advance(SETTLED, at(1000, CUT))
    assert message is not None

    _, end = advance(released(claimed, message), at(1060, OK))

    assert Message(over=((Incident.NO_EGRESS, 1000),), claimed=1060) == end


def test_redundancy_metric_follows_the_grace() -> None:
    """The alarm rings when people are told."""
    state, _ = advance(SETTLED, at(0, LOST))

    assert not has_lost_redundancy(state, REDUNDANCY_GRACE_S - 1)
    assert has_lost_redundancy(state, REDUNDANCY_GRACE_S)
    assert not has_lost_redundancy(SETTLED, REDUNDANCY_GRACE_S)


holds = st.frozensets(st.sampled_from(Incident))
steps = st.lists(st.tuples(st.floats(1, 700), holds, st.sampled_from(["sent", "failed", "died"])))


@given(steps)
def test_last_word_on_every_incident_is_its_end_whatever_fails(
    steps: list[tuple[float, frozenset[Incident], str]],
) -> None:
    """No message comes without a change, and while no run dies openings and ends alternate."""
    state, now = SETTLED, 0.0
    believed: set[Incident] = set()
    quiet = [(CLAIM_S + 1, OK, "sent")] * 3
    died = any(fate == "died" for _, _, fate in steps)
    for pause, what, fate in [*steps, *quiet]:
        now += pause
        before = state
        state, message = advance(state, at(now, what))
        assert State.from_json(json.loads(json.dumps(state.to_json()))) == state
        if message is None:
            continue
        assert state.told != before.told or before.messages
        if fate == "sent":
            believed -= {incident for incident, _ in message.over}
            opened = {incident for incident, _ in message.opened}
            assert died or not opened & believed
            believed |= opened
            state = without(state, message)
        elif fate == "failed":
            state = released(state, message)
    assert (set(), (), frozenset()) == (believed, state.messages, state.told)
