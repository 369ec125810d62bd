"""When people hear of what: a pure function of what is and what was told before.

An incident is one condition that should not hold, from the run that first finds it to the run that
finds it gone, whatever changes in between. People hear of it once when it opens and once when it is
over; what a run opens and closes together makes one message. Nothing here knows AWS or a clock.

A message is claimed in the memory before it is published and ticked off after that. Only the run
that wins the claim publishes; a claim whose run died is taken over when it is older than any run,
and a message that could not be published by the run that comes next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

REDUNDANCY_GRACE_S = 600
"""How long redundancy may be missing before people hear of it: a replacement takes less."""

CLAIM_S = 90.0
"""After this a claimed message is another run's to publish: a run and its report take less."""


class Incident(StrEnum):
    """What can be wrong, the worst first."""

    NO_EGRESS = "no egress"
    """Private subnets have no way to the internet."""
    NOT_OURS = "not ours"
    """Tables or subnets lead elsewhere, or a table is missing: the function leaves that alone."""
    REDUNDANCY_LOST = "redundancy lost"
    """Fewer NATs than wanted, or all in one zone, for longer than a replacement takes."""
    FAILOVER = "failover"
    """Subnets use a NAT of another zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What one run leaves behind, as far as incidents go.

    `holds` are the conditions that hold now; redundancy is lost from the first moment, and its
    grace is given here. `served` says whether every private subnet has a way out.
    """

    now: float
    holds: frozenset[Incident]
    served: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message to publish: which incidents opened and which are over, with when they began."""

    opened: tuple[tuple[Incident, float], ...] = ()
    over: tuple[tuple[Incident, float], ...] = ()
    claimed: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {"opened": dict(self.opened), "over": dict(self.over), "claimed": self.claimed}


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is remembered.

    `settled` is set when the stack first was as it should be, or had its time for it: before that
    it is being made. `since` says from when each condition holds, `told` which of them people were
    told of (or are about to be), `messages` what is claimed and not yet ticked off.
    """

    settled: bool = False
    since: tuple[tuple[Incident, float], ...] = ()
    told: frozenset[Incident] = frozenset()
    messages: tuple[Message, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON, from which `from_json` makes an equal value."""
        return {
            "settled": self.settled,
            "since": dict(self.since),
            "told": sorted(self.told),
            "messages": [message.to_json() for message in self.messages],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> State:
        """Read what `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: when it is something else.

        """
        return cls(
            settled=bool(value["settled"]),
            since=_times(value["since"]),
            told=frozenset(Incident(name) for name in value["told"]),
            messages=tuple(
                Message(
                    opened=_times(message["opened"]),
                    over=_times(message["over"]),
                    claimed=_moment(message["claimed"]),
                )
                for message in value["messages"]
            ),
        )


def _times(value: Mapping[str, Any]) -> tuple[tuple[Incident, float], ...]:
    return _sorted({Incident(name): _moment(time) for name, time in value.items()})


def _moment(value: Any) -> float:  # noqa: ANN401 - of JSON
    """Return a time of this era; whatever else stands there was not written by the function."""
    moment = float(value)
    if not 0 <= moment < _END_OF_TIME:
        message = f"{value!r} is no time"
        raise ValueError(message)
    return moment


_END_OF_TIME = 2.0**33
"""Unix time in the year 2242."""


def _sorted(times: Mapping[Incident, float]) -> tuple[tuple[Incident, float], ...]:
    return tuple((incident, times[incident]) for incident in Incident if incident in times)


def advance(state: State, situation: Situation) -> tuple[State, Message | None]:
    """Return what to remember after a run, and the message that the run claims with it, if any."""
    if not state.settled and not state.since and not situation.served:
        return state, None
    now = situation.now
    began = {incident: min(start, now) for incident, start in state.since}
    since = {incident: began.get(incident, now) for incident in situation.holds}
    if not state.settled and since and now - min(since.values()) < REDUNDANCY_GRACE_S:
        return replace(state, since=_sorted(since)), None
    due = frozenset(i for i, start in since.items() if now - start >= _GRACE_S.get(i, 0.0))
    told = frozenset((state.told | due) & since.keys())
    message = _message(
        opened={incident: since[incident] for incident in due - state.told},
        over={incident: began.get(incident, now) for incident in state.told - since.keys()},
        untold=tuple(m for m in state.messages if abs(now - m.claimed) >= CLAIM_S),
        since=since,
        told=told,
        now=now,
    )
    under_way = tuple(m for m in state.messages if abs(now - m.claimed) < CLAIM_S)
    after = State(
        settled=True,
        since=_sorted(since),
        told=told,
        messages=under_way + ((message,) if message else ()),
    )
    return after, message


_GRACE_S = {Incident.REDUNDANCY_LOST: float(REDUNDANCY_GRACE_S)}


def _message(  # noqa: PLR0913 - what is news, and what was not told yet, each thing by name
    *,
    opened: Mapping[Incident, float],
    over: Mapping[Incident, float],
    untold: tuple[Message, ...],
    since: Mapping[Incident, float],
    told: frozenset[Incident],
    now: float,
) -> Message | None:
    """Join what is news with what was not told yet.

    Of what opened and is over the end alone is told; of what is over and opened again both are.
    """
    opens, ends = dict(opened), dict(over)
    for message in untold:
        opens |= {i: start for i, start in message.opened if since.get(i) == start}
        ends = dict(message.over) | ends
    ends = {i: start for i, start in ends.items() if i not in told or i in opens}
    if not opens and not ends:
        return None
    return Message(opened=_sorted(opens), over=_sorted(ends), claimed=now)


def without(state: State, message: Message) -> State:
    """Return a state in which a message is ticked off."""
    return replace(state, messages=tuple(m for m in state.messages if m != message))


def released(state: State, message: Message) -> State:
    """Return a state in which the next run may publish a message that this one could not."""
    free = replace(message, claimed=message.claimed - CLAIM_S)
    return replace(state, messages=tuple(free if m == message else m for m in state.messages))


def has_lost_redundancy(state: State, now: float) -> bool:
    """Say whether redundancy is missing for longer than a replacement takes."""
    since = dict(state.since).get(Incident.REDUNDANCY_LOST)
    return since is not None and now - since >= REDUNDANCY_GRACE_S
