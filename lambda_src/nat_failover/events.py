"""From what Lambda hands over to what it means, all its records together.

What single messages mean, and what of them is believed, is in `messages`. A message that cannot be
understood is reported and still leads to an observation. Nothing here raises, whatever arrives, and
what one invocation costs in time and log is bounded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING

from nat_failover.messages import DIRECT, THROUGH_THE_TOPIC, NotUnderstoodError, shown
from nat_failover.triggers import Trigger, TriggerKind

if TYPE_CHECKING:
    from nat_failover.contract import Settings
    from nat_failover.messages import Reader

_MOST_RECORDS = 100
"""Records of one event that are read; SNS hands one over at a time (Lambda guide, "SNS")."""

_MOST_CLAIMS = 20
"""Claims of one event that are believed, each of which costs a call."""

_MOST_PROBLEMS = 10
"""Lines that one event can leave in the log."""

_LONGEST_MESSAGE = 262_144
"""Characters; SNS takes messages of 256 KiB (SNS API reference, Publish)."""

_LONGEST_PROBLEM = 300


def parse(event: object, settings: Settings) -> Trigger:
    """Say what an event means; an event of SNS may carry several records."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list) or not records:
        return _bounded(_read(event, settings, DIRECT))
    read = (_record(record, settings) for record in records[:_MOST_RECORDS])
    return _bounded(reduce(Trigger.__or__, read), len(records) - _MOST_RECORDS)


def _bounded(trigger: Trigger, records_left: int = 0) -> Trigger:
    """Leave aside what would cost too much, and say so once."""
    claims, problems = sorted(trigger.claims, key=lambda c: -c.sequence), trigger.problems
    left = {
        "records": records_left,
        "claims": len(claims) - _MOST_CLAIMS,
        "problems": len(problems) - _MOST_PROBLEMS,
    }
    said = ", ".join(f"{count} {what}" for what, count in left.items() if count > 0)
    return replace(
        trigger,
        claims=frozenset(claims[:_MOST_CLAIMS]),
        problems=problems[:_MOST_PROBLEMS] + ((f"left aside: {said}",) if said else ()),
    )


def _record(record: object, settings: Settings) -> Trigger:
    """Read one SNS record; its `Message` is JSON in a string."""
    try:
        text = record["Sns"]["Message"]  # type: ignore[index]  # anything else is garbage
        if len(text) > _LONGEST_MESSAGE:
            return _not_understood(text, "it is too long")
        message = json.loads(text)
    except (TypeError, KeyError, ValueError, RecursionError):
        return _not_understood(record)
    return _read(message, settings, THROUGH_THE_TOPIC)


def _read(message: object, settings: Settings, readers: Mapping[str, Reader]) -> Trigger:
    """Read one message with the first reader whose field it has."""
    if not isinstance(message, Mapping):
        return _not_understood(message)
    try:
        for field, read in readers.items():
            if field in message:
                return read(message, settings)
    except NotUnderstoodError as error:
        return _not_understood(message, str(error))
    except (TypeError, KeyError, AttributeError, ValueError):
        pass
    return _not_understood(message)


def _not_understood(message: object, why: str = "") -> Trigger:
    """Report a message, in ASCII: not everything that JSON can carry can be printed."""
    problem = ": ".join(filter(None, ("not understood", why, shown(message))))
    problem = problem.encode("ascii", "backslashreplace").decode()[:_LONGEST_PROBLEM]
    return Trigger(kinds=frozenset({TriggerKind.UNKNOWN}), problems=(problem,))
