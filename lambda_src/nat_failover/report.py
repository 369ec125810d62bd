"""What a run leaves in the log: a line per decision and per write, metrics, the whole of it.

Lines go through Lambda's own JSON logging; the metrics are part of the last one, in the embedded
metric format (CloudWatch user guide). Notifications are the business of `notifications`.
"""

from __future__ import annotations

import logging
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from nat_failover.contract import METRIC_NAMESPACE, METRICS, Metric
from nat_failover.incidents import has_lost_redundancy
from nat_failover.model import Health, Verdict
from nat_failover.notices import moves
from nat_failover.situation import ELSEWHERE, not_ours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nat_failover.apply import Result
    from nat_failover.contract import Settings
    from nat_failover.incidents import IncidentState
    from nat_failover.model import Decision, SubnetDecision
    from nat_failover.reconcile import Run

_ALERTING = ELSEWHERE | {Verdict.NO_EGRESS}
"""The alerting verdicts: on what is left alone although it is not as it should be."""

_MOST_NATS = 100
"""NATs in the log of a run, which is as many as settings allow; a group may have been enlarged."""

_LONGEST_ERROR = 500
"""Characters of AWS's words that are repeated."""

_log = logging.getLogger("nat_failover")
_log.setLevel(logging.INFO)


def report(run: Run, settings: Settings, state: IncidentState) -> dict[str, Any]:
    """Log and measure a run; return it as plain JSON values."""
    summary = _summary(run)
    for level, message, details in _lines(run):
        _log.log(level, message, extra=details)
    _log.info("run", extra={**summary, **_metrics(run, settings, state)})
    return summary


def _summary(run: Run) -> dict[str, Any]:
    health = run.plan.health if run.plan else ()
    lacking = dict(run.plan.unstable) if run.plan else {}
    return {
        "trigger": sorted(run.trigger.kinds),
        "observations": run.observations,
        "saw": [
            {
                "nat": j.nat.instance,
                "zone": j.nat.zone,
                "health": j.health,
                "reason": lacking.get(j.nat.instance, j.reason),
            }
            for j in health[:_MOST_NATS]
        ],
        "decided": [asdict(decision) for decision in run.decided],
        "did": [_done(result) for result in run.results],
        "now": [asdict(decision) for decision in run.decisions],
        "failure": run.failure,
    }


def _done(result: Result) -> dict[str, Any]:
    return {
        "call": result.write.call,
        "target": result.write.target,
        "done": result.done,
        "error": result.error and result.error[:_LONGEST_ERROR],
    }


def _lines(run: Run) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield the lines to log: what was not understood, decided and done, and why it ended."""
    for problem in run.trigger.problems:
        yield logging.WARNING, "message", {"problem": problem}
    for decision in (*run.decided, *_alerting(run)):
        level = logging.ERROR if decision.verdict in _ALERTING else logging.INFO
        yield level, "decision", asdict(decision)
    for result in run.results:
        yield logging.INFO if result.done else logging.ERROR, "write", _done(result)
    if run.failure:
        yield logging.ERROR, "failure", {"failure": run.failure}


def _alerting(run: Run) -> tuple[Decision | SubnetDecision, ...]:
    """Return the decisions of the last plan with an alerting verdict."""
    return tuple(d for d in run.decisions if d.verdict in _ALERTING and d not in run.decided)


def _metrics(run: Run, settings: Settings, state: IncidentState) -> dict[str, Any]:
    """Return the metrics of a run; one whose last observation failed has none of the network."""
    values: dict[str, float] = {
        Metric.MOVES: len(moves(run)),
        Metric.FAILURES: int(run.failure is not None),
    }
    plan = run.plan
    if plan and run.observation and not run.blind:
        lost = has_lost_redundancy(state, run.observation.now)
        values[Metric.USABLE_NATS] = sum(j.health is Health.USABLE for j in plan.health)
        values[Metric.NO_EGRESS] = len(plan.without_egress)
        values[Metric.NOT_OURS] = not_ours(plan)
        values[Metric.REDUNDANCY_LOST] = int(lost)
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
