"""When to notify of what: a pure function of what is and what was notified before.

An incident is one condition that should not hold, from the run that first finds it to the run that
finds it gone, whatever changes in between. There is one notification when it opens and one when it
is over; what a run opens and closes together makes one. Nothing here knows AWS or a clock.

A notification is claimed in the memory before it is published and ticked off after that. Only the
run that wins the claim publishes; a claim whose run died is taken over when it is older than any
run, and a notification that could not be published by the run that comes next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

REDUNDANCY_GRACE_S = 600
"""How long redundancy may be missing before a notification: a replacement takes less."""

UNWATCHED_GRACE_S = 600
"""How long NATs may be unwatched before a notification: all but the watch works meanwhile."""

CLAIM_S = 90.0
"""After this a claimed notification is another run's to publish: a run and its report take less."""


class Incident(StrEnum):
    """What can be wrong, the worst first."""

    NO_EGRESS = "no egress"
    """Private subnets have no way to the internet."""
    STANDBY = "standby gateway"
    """No NAT serves private subnets, and the standby gateway does."""
    NOT_OURS = "not ours"
    """Tables or subnets lead elsewhere, or a table is missing: the function leaves that alone."""
    REDUNDANCY_LOST = "redundancy lost"
    """Fewer NATs than wanted, all in one zone, or a standby gateway that could not serve, for
    longer than a replacement takes."""
    FAILOVER = "failover"
    """Subnets use a NAT of another zone."""
    UNWATCHED = "not watched"
    """A NAT says nothing of itself, or two do not hear each other, for longer than they may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What one run leaves behind, as far as incidents go.

    `holds` are the conditions that hold now; redundancy is lost from the first moment, and its
    grace is given here. `served` says whether every private subnet has a way out. `unknown` are
    conditions that the run could not see: they last if they held before.
    """

    now: float
    holds: frozenset[Incident]
    served: bool
    unknown: frozenset[Incident] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What to publish: which incidents opened and which are over, with when they began."""

    opened: tuple[tuple[Incident, float], ...] = ()
    over: tuple[tuple[Incident, float], ...] = ()
    claimed: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {"opened": dict(self.opened), "over": dict(self.over), "claimed": self.claimed}


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentState:
    """What is remembered.

    `settled` is set when the stack first was as it should be, or had its time for it: before that
    it is being made. `since` says from when each condition holds, `notified` which of them were
    notified of (or are about to be), `notifications` what is claimed and not yet ticked off.
    """

    settled: bool = False
    since: tuple[tuple[Incident, float], ...] = ()
    notified: frozenset[Incident] = frozenset()
    notifications: tuple[Notification, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON, from which `from_json` makes an equal value."""
        return {
            "settled": self.settled,
            "since": dict(self.since),
            "notified": sorted(self.notified),
            "notifications": [each.to_json() for each in self.notifications],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> IncidentState:
        """Read what `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: when it is something else.

        """
        return cls(
            settled=bool(value["settled"]),
            since=_times(value["since"]),
            notified=frozenset(Incident(name) for name in value["notified"]),
            notifications=tuple(
                Notification(
                    opened=_times(each["opened"]),
                    over=_times(each["over"]),
                    claimed=moment(each["claimed"]),
                )
                for each in value["notifications"]
            ),
        )


def _times(value: Mapping[str, Any]) -> tuple[tuple[Incident, float], ...]:
    return _sorted({Incident(name): moment(time) for name, time in value.items()})


def moment(value: Any) -> float:  # noqa: ANN401 - of JSON
    """Return a time of this era; whatever else stands there was not written by the function."""
    time = float(value)
    if not 0 <= time < _END_OF_TIME:
        message = f"{value!r} is no time"
        raise ValueError(message)
    return time


_END_OF_TIME = 2.0**33
"""Unix time in the year 2242."""


def _sorted(times: Mapping[Incident, float]) -> tuple[tuple[Incident, float], ...]:
    return tuple((incident, times[incident]) for incident in Incident if incident in times)


def advance(
    state: IncidentState, situation: Situation
) -> tuple[IncidentState, Notification | None]:
    """Return what to remember after a run, and the notification that it claims, if any."""
    if not state.settled and not state.since and not situation.served:
        return state, None
    now = situation.now
    began = {incident: min(start, now) for incident, start in state.since}
    holds = situation.holds | (situation.unknown & began.keys())
    since = {incident: began.get(incident, now) for incident in holds}
    if not state.settled and since and now - min(since.values()) < REDUNDANCY_GRACE_S:
        return replace(state, since=_sorted(since)), None
    due = frozenset(i for i, start in since.items() if now - start >= _GRACE_S.get(i, 0.0))
    notified = frozenset((state.notified | due) & since.keys())
    notification = _notification(
        opened={incident: since[incident] for incident in due - state.notified},
        over={incident: began.get(incident, now) for incident in state.notified - since.keys()},
        unpublished=tuple(n for n in state.notifications if abs(now - n.claimed) >= CLAIM_S),
        since=since,
        notified=notified,
        now=now,
    )
    under_way = tuple(n for n in state.notifications if abs(now - n.claimed) < CLAIM_S)
    after = IncidentState(
        settled=True,
        since=_sorted(since),
        notified=notified,
        notifications=under_way + ((notification,) if notification else ()),
    )
    return after, notification


_GRACE_S = {
    Incident.REDUNDANCY_LOST: float(REDUNDANCY_GRACE_S),
    Incident.UNWATCHED: float(UNWATCHED_GRACE_S),
}


def _notification(  # noqa: PLR0913 - what changed, and what was not published, each by name
    *,
    opened: Mapping[Incident, float],
    over: Mapping[Incident, float],
    unpublished: tuple[Notification, ...],
    since: Mapping[Incident, float],
    notified: frozenset[Incident],
    now: float,
) -> Notification | None:
    """Join what changed with what was not published yet.

    Of what opened and is over the end alone is notified; of what is over and opened again both.
    """
    opens, ends = dict(opened), dict(over)
    for each in unpublished:
        opens |= {i: start for i, start in each.opened if since.get(i) == start}
        ends = dict(each.over) | ends
    ends = {i: start for i, start in ends.items() if i not in notified or i in opens}
    if not opens and not ends:
        return None
    return Notification(opened=_sorted(opens), over=_sorted(ends), claimed=now)


def without(state: IncidentState, published: Notification) -> IncidentState:
    """Return a state in which a notification is ticked off."""
    left = tuple(each for each in state.notifications if each != published)
    return replace(state, notifications=left)


def released(state: IncidentState, unpublished: Notification) -> IncidentState:
    """Return a state in which the next run may publish a notification that this one could not."""
    free = replace(unpublished, claimed=unpublished.claimed - CLAIM_S)
    left = tuple(free if each == unpublished else each for each in state.notifications)
    return replace(state, notifications=left)


def has_lost_redundancy(state: IncidentState, now: float) -> bool:
    """Say whether redundancy is missing for longer than a replacement takes."""
    since = dict(state.since).get(Incident.REDUNDANCY_LOST)
    return since is not None and now - since >= REDUNDANCY_GRACE_S
