"""When to notify of what: of each incident once when it opens and once when it is over."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from nat_failover.incidents import (
    CLAIM_S,
    REDUNDANCY_GRACE_S,
    UNWATCHED_GRACE_S,
    Incident,
    IncidentState,
    Notification,
    Situation,
    advance,
    has_lost_redundancy,
    released,
    without,
)

SETTLED = IncidentState(settled=True)
OK: frozenset[Incident] = frozenset()
CUT = frozenset({Incident.NO_EGRESS})
AWAY = frozenset({Incident.FAILOVER})
LOST = frozenset({Incident.REDUNDANCY_LOST})
QUIET = frozenset({Incident.UNWATCHED})


def at(now: float, holds: frozenset[Incident]) -> Situation:
    """Return a situation at a time."""
    return Situation(now=now, holds=holds, served=Incident.NO_EGRESS not in holds)


def published(
    state: IncidentState, *situations: Situation
) -> list[tuple[list[Incident], list[Incident]]]:
    """Return what is published of situations, one after the other."""
    said = []
    for situation in situations:
        state, notification = advance(state, situation)
        if notification:
            said.append(([i for i, _ in notification.opened], [i for i, _ in notification.over]))
            state = without(state, notification)
    return said


def test_incident_is_notified_once_and_its_end_once() -> None:
    """Sweeps that find the same again say nothing."""
    said = published(SETTLED, at(0, CUT), at(60, CUT), at(120, CUT), at(180, OK), at(240, OK))

    assert [([Incident.NO_EGRESS], []), ([], [Incident.NO_EGRESS])] == said


def test_outage_that_becomes_a_failover_makes_one_notification_for_the_change() -> None:
    """Internet access that came back through another zone is one thing to say."""
    said = published(SETTLED, at(0, CUT), at(60, AWAY), at(120, AWAY), at(180, OK))

    assert [
        ([Incident.NO_EGRESS], []),
        ([Incident.FAILOVER], [Incident.NO_EGRESS]),
        ([], [Incident.FAILOVER]),
    ] == said


def test_lost_redundancy_is_notified_when_a_replacement_would_have_come() -> None:
    """A replacement that comes in its time is no incident."""
    grace = REDUNDANCY_GRACE_S
    assert published(SETTLED, at(0, LOST), at(grace - 1, LOST), at(grace, OK)) == []
    assert published(SETTLED, at(0, LOST), at(grace, LOST), at(grace + 60, OK)) == [
        ([Incident.REDUNDANCY_LOST], []),
        ([], [Incident.REDUNDANCY_LOST]),
    ]


def test_nat_that_is_not_watched_is_notified_after_its_grace() -> None:
    """All but the watch works meanwhile, and a watch that starts anew is no incident."""
    grace = UNWATCHED_GRACE_S
    assert published(SETTLED, at(0, QUIET), at(grace - 1, QUIET), at(grace, OK)) == []
    assert published(SETTLED, at(0, QUIET), at(grace, QUIET), at(grace + 60, OK)) == [
        ([Incident.UNWATCHED], []),
        ([], [Incident.UNWATCHED]),
    ]


def test_what_a_run_could_not_see_lasts_and_does_not_begin() -> None:
    """A memory that cannot be read for a moment is neither an end nor a beginning."""
    blind = replace(at(60, OK), unknown=QUIET)
    late = replace(at(UNWATCHED_GRACE_S, OK), unknown=QUIET)

    assert published(SETTLED, at(0, QUIET), blind, late) == [([Incident.UNWATCHED], [])]
    assert published(SETTLED, at(0, OK), blind, late) == []


def test_nothing_is_notified_while_a_stack_is_being_made() -> None:
    """Its first NATs come one after the other."""
    assert published(IncidentState(), at(0, CUT), at(30, CUT), at(60, AWAY), at(120, OK)) == []


def test_stack_that_never_becomes_whole_is_notified() -> None:
    """Both NATs in one zone since the first deployment is no passing state."""
    holds = LOST | AWAY
    said = published(IncidentState(), at(0, CUT), at(60, holds), at(60 + REDUNDANCY_GRACE_S, holds))

    assert [([Incident.REDUNDANCY_LOST, Incident.FAILOVER], [])] == said


def test_claim_is_taken_over_when_its_run_died() -> None:
    """Between the claim and the publication a run can end; a later one publishes."""
    claimed, notification = advance(SETTLED, at(0, CUT))
    assert notification is not None

    early, nothing = advance(claimed, at(CLAIM_S - 1, CUT))
    late, again = advance(early, at(CLAIM_S, CUT))

    assert nothing is None
    assert Notification(opened=((Incident.NO_EGRESS, 0),), claimed=CLAIM_S) == again
    assert (again,) == late.notifications


def test_notification_is_published_by_the_next_run_when_publishing_failed() -> None:
    """It need not wait for the claim to expire."""
    claimed, notification = advance(SETTLED, at(1000, CUT))
    assert notification is not None

    _, again = advance(released(claimed, notification), at(1060, CUT))

    assert again is not None
    assert notification.opened == again.opened


def test_only_the_end_is_notified_when_the_beginning_could_not_be() -> None:
    """The end says since when, so that nothing is lost."""
    claimed, notification = advance(SETTLED, at(1000, CUT))
    assert notification is not None

    _, end = advance(released(claimed, notification), at(1060, OK))

    assert Notification(over=((Incident.NO_EGRESS, 1000),), claimed=1060) == end


def test_redundancy_metric_follows_the_grace() -> None:
    """The alarm rings when its notification is published."""
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
    """No notification comes without a change, and while no run dies openings and ends alternate."""
    state, now = SETTLED, 0.0
    believed: set[Incident] = set()
    quiet = [(CLAIM_S + 1, OK, "sent")] * 3
    died = any(fate == "died" for _, _, fate in steps)
    for pause, what, fate in [*steps, *quiet]:
        now += pause
        before = state
        state, notification = advance(state, at(now, what))
        assert IncidentState.from_json(json.loads(json.dumps(state.to_json()))) == state
        if notification is None:
            continue
        assert state.notified != before.notified or before.notifications
        if fate == "sent":
            believed -= {incident for incident, _ in notification.over}
            opened = {incident for incident, _ in notification.opened}
            assert died or not opened & believed
            believed |= opened
            state = without(state, notification)
        elif fate == "failed":
            state = released(state, notification)
    assert (set(), (), frozenset()) == (believed, state.notifications, state.notified)
