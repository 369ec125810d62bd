"""What the function's log says of its runs, in the log's own times.

The function logs what it did when a run ends, one line for each write, so a write took effect
before its line. When a run began is Lambda's own line `platform.start`, which a function with JSON
logs writes unless its system log level was raised ("Log-level filtering", Lambda developer guide).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

LATE_S = 10.0
"""How long a drill waits for the last lines: CloudWatch Logs shows a line after some seconds, no
figure published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedWrite:
    """A write that a run logged: when, the API call, what it changed, and AWS's error, if any."""

    time: float
    call: str
    target: str
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRun:
    """A run of the function: when it began, if that is known, and what it logged until its end."""

    started: float | None = None
    ended: float | None = None
    trigger: tuple[str, ...] = ()
    writes: tuple[LoggedWrite, ...] = ()

    @property
    def time(self) -> float:
        """Return the earliest time that is known of it."""
        known = [self.started, self.ended, *(write.time for write in self.writes)]
        return min((time for time in known if time is not None), default=0.0)


def read(logs: Any, group: str, since_1970: float) -> list[tuple[float, str]]:  # noqa: ANN401 - boto3
    """Return the lines of a log group from a moment on, with the times that it gives them."""
    pages = logs.get_paginator("filter_log_events")
    return [
        (event["timestamp"] / 1000, event["message"])
        for page in pages.paginate(logGroupName=group, startTime=int(since_1970 * 1000))
        for event in page["events"]
    ]


def runs(lines: Iterable[tuple[float, str]], *, since: float = 0.0) -> tuple[FunctionRun, ...]:
    """Return the runs that began, as far as is known, at a moment or later, in their order."""
    found: dict[str, FunctionRun] = {}
    for time, text in sorted(lines):
        row = _object(text)
        request = row.get("requestId") or _record(row).get("requestId")
        take = _READERS.get(row.get("message") or row.get("type") or "")
        if request and take:
            found[request] = take(found.get(request, FunctionRun()), time, row)
    late = [run for run in found.values() if run.time >= since]
    return tuple(sorted(late, key=lambda run: run.time))


def _object(text: str) -> Mapping[str, Any]:
    try:
        row = json.loads(text)
    except ValueError:
        return {}
    return row if isinstance(row, dict) else {}


def _record(row: Mapping[str, Any]) -> Mapping[str, Any]:
    record = row.get("record")
    return record if isinstance(record, dict) else {}


def _start(run: FunctionRun, time: float, row: Mapping[str, Any]) -> FunctionRun:
    del row
    return replace(run, started=time)


def _write(run: FunctionRun, time: float, row: Mapping[str, Any]) -> FunctionRun:
    write = LoggedWrite(
        time=time,
        call=str(row.get("call", "unknown")),
        target=str(row.get("target", "")),
        error=row.get("error"),
    )
    return replace(run, writes=(*run.writes, write))


def _end(run: FunctionRun, time: float, row: Mapping[str, Any]) -> FunctionRun:
    return replace(run, ended=time, trigger=tuple(map(str, row.get("trigger", ()))))


_READERS: Mapping[str, Callable[[FunctionRun, float, Mapping[str, Any]], FunctionRun]] = {
    "platform.start": _start,
    "write": _write,
    "run": _end,
}
"""The lines that tell something of a run, by their `message`, or by Lambda's own `type`."""
