"""What people get while a drill goes on: the function's notifications, and the alarms' own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.drills.outcome import Notification

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lab.emulator.journal import Entry
    from lab.emulator.region import Region

PUBLISH = "sns:Publish"
"""The call with which the function notifies people."""

_ACTIONS = {
    "ALARM": "AlarmActions",
    "OK": "OKActions",
    "INSUFFICIENT_DATA": "InsufficientDataActions",
}


def notifications(
    entries: Iterable[Entry], *, began: float, ringing: frozenset[tuple[str, str]]
) -> tuple[Notification, ...]:
    """Return what people got since the first fault, in order; `ringing` says of which alarms."""
    return tuple(_notifications(entries, began, ringing))


def ringing(region: Region) -> frozenset[tuple[str, str]]:
    """Return the alarms and their states of which a topic is told."""
    alarms = region.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return frozenset(
        (row["AlarmName"], state) for row in alarms for state, key in _ACTIONS.items() if row[key]
    )


def subject(parameters: Mapping[str, Any]) -> str:
    """Return the subject of a publication."""
    return str(parameters.get("Subject", "(no subject)"))


def _notifications(
    entries: Iterable[Entry], began: float, ringing: frozenset[tuple[str, str]]
) -> Iterator[Notification]:
    for entry in entries:
        if entry.at < began:
            continue
        if entry.kind == "call" and entry.detail["name"] == PUBLISH and not entry.detail["error"]:
            given = json.loads(entry.detail["parameters"])
            said, text = subject(given), str(given.get("Message", ""))
        elif entry.kind == "alarm" and (entry.detail["alarm"], entry.detail["state"]) in ringing:
            said = f"{entry.detail['state']}: {entry.detail['alarm']}"
            text = entry.detail["reason"]
        else:
            continue
        yield Notification(
            time=entry.at - began, source=entry.who.value, subject=said, text=text.strip()
        )
