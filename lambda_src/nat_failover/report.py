"""What a run tells the world: log lines, metrics, a message to people, and its return value.

One JSON line per decision and per write through Lambda's own JSON logging, one line of CloudWatch
metrics in the embedded metric format, and a message on the outcome topic when routing changed or a
loss leaves somebody without egress. A loss that stands is the alarm's to tell, not the sweep's.
"""

from __future__ import annotations

import logging
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from nat_failover.apply import Result, describe
from nat_failover.model import Health, MoveSubnet, SetDefaultRoute, Verdict
from nat_failover.settings import METRIC_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_sns import SNSClient

    from nat_failover.model import Decision, SubnetDecision
    from nat_failover.reconcile import Run
    from nat_failover.settings import Settings

METRICS = ("UsableNats", "NoEgress", "Moves", "Failures")
"""How many NATs are usable and tables without egress, routes and subnets moved, runs unfinished."""

_LOUD = frozenset({Verdict.NO_EGRESS, Verdict.NOT_OURS})
"""What a plan leaves alone although it is not as it should be."""

_SUBJECT_LIMIT = 100
"""The longest subject that SNS takes (SNS API reference, Publish)."""

_log = logging.getLogger("nat_failover")
_log.setLevel(logging.INFO)


def report(run: Run, settings: Settings, people: SNSClient) -> dict[str, Any]:
    """Log, measure and tell a run; return it as plain JSON values."""
    summary = _summary(run)
    for level, message, details in _lines(run):
        _log.log(level, message, extra=details)
    if news := _news(run, settings):
        _tell(people, settings.outcome_topic, *news)
    healths = [nat["health"] for nat in summary["saw"]]
    _log.info("run", extra={**summary, **_metrics(run, settings, healths)})
    return summary


def _summary(run: Run) -> dict[str, Any]:
    health = run.plan.health if run.plan else ()
    return {
        "trigger": sorted(run.trigger.kinds),
        "looks": run.looks,
        "saw": [
            {"nat": j.nat.instance, "zone": j.nat.zone, "health": j.health, "reason": j.reason}
            for j in health
        ],
        "decided": [asdict(decision) for decision in run.decided],
        "did": [_done(result) for result in run.results],
        "now": [asdict(decision) for decision in run.decisions],
        "failure": run.failure,
    }


def _done(result: Result) -> dict[str, Any]:
    return {"write": describe(result.write), "done": result.done, "error": result.error}


def _lines(run: Run) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield the lines to log: what was not understood, decided and done, and why it ended."""
    for problem in run.trigger.problems:
        yield logging.WARNING, "message", {"problem": problem}
    for decision in (*run.decided, *_alarming(run)):
        level = logging.ERROR if decision.verdict in _LOUD else logging.INFO
        yield level, "decision", asdict(decision)
    for result in run.results:
        yield logging.INFO if result.done else logging.ERROR, "write", _done(result)
    if run.failure:
        yield logging.ERROR, "failure", {"failure": run.failure}


def _alarming(run: Run) -> tuple[Decision | SubnetDecision, ...]:
    """Return what the last look left alone although it is not as it should be."""
    return tuple(d for d in run.decisions if d.verdict in _LOUD and d not in run.decided)


def _moves(run: Run) -> list[SetDefaultRoute | MoveSubnet]:
    """Return the writes that changed routing."""
    done = [result.write for result in run.results if result.done]
    return [write for write in done if isinstance(write, SetDefaultRoute | MoveSubnet)]


def _without_egress(run: Run) -> tuple[Decision | SubnetDecision, ...]:
    return tuple(d for d in run.decisions if d.verdict is Verdict.NO_EGRESS)


def _metrics(run: Run, settings: Settings, healths: list[Health]) -> dict[str, Any]:
    """Return the metrics of a run; a run without a complete look says nothing of NATs and tables.

    The format is the CloudWatch embedded metric format (CloudWatch user guide).
    """
    values: dict[str, float] = {
        "Moves": len(_moves(run)),
        "Failures": int(run.failure is not None),
    }
    if run.plan and not run.failure:
        values["UsableNats"] = healths.count(Health.USABLE)
        values["NoEgress"] = len(run.plan.without_egress)
    directive = {
        "Namespace": METRIC_NAMESPACE,
        "Dimensions": [["Stack"]],
        "Metrics": [{"Name": name, "Unit": "Count"} for name in METRICS if name in values],
    }
    return {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
        "Stack": settings.stack,
        **values,
    }


def _news(run: Run, settings: Settings) -> tuple[str, str] | None:
    """Return subject and text for people, or None where there is nothing new to tell."""
    moved = _moves(run)
    nats = {nat.instance for nat in run.observation.nats} if run.observation else set()
    lost = _without_egress(run) if run.trigger.tells_of_a_loss(nats) else ()
    if not moved and not lost:
        return None
    subject = f"{settings.stack}: {len(moved)} moved, {len(lost)} without egress"
    lines = [
        *(f"NO EGRESS: {d.table} in {d.zone}: {d.reason}" for d in lost),
        *(f"{describe(write)}. Why: {write.reason}" for write in moved),
    ]
    return subject[:_SUBJECT_LIMIT], "\n".join(lines)


def _tell(people: SNSClient, topic: str, subject: str, text: str) -> None:
    """Publish to people; routing does not depend on it, so a refusal is logged."""
    try:
        people.publish(TopicArn=topic, Subject=subject, Message=text)
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        _log.error("message", extra={"problem": f"people were not told: {error}"})
