"""CloudWatch alarms: when they look, what they see, and whom they tell."""
# ruff: noqa: ANN401 - moto types little of its state

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeGuard

from moto.cloudwatch.models import Alarm, MetricDatum, MetricDatumBase, cloudwatch_backends
from moto.sns.models import sns_backends

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.journal import Who
from lab.emulator.services.cloudwatch.evaluation import (
    ALARM,
    COMPARISONS,
    EXTRA,
    INSUFFICIENT,
    OK,
    Rule,
    evaluate,
)
from lab.emulator.services.cloudwatch.metrics import moment
from lab.emulator.time import delays

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {
    "Maximum": max,
    "Minimum": min,
    "Sum": sum,
    "Average": lambda values: sum(values) / len(values),
    "SampleCount": len,
}


class AlarmsAreEvaluated(Behaviour):
    """An alarm evaluates its metric's last periods each minute and tells its topics of a new state.

    It begins with INSUFFICIENT_DATA. moto's alarms are OK until somebody sets them. Percentiles,
    metric math, composite alarms and actions other than topics are not played.
    """

    source = "CloudWatch user guide, 'Alarm evaluation'"

    def install(self, patches: Patches) -> None:
        """Look a while after the end of each minute; act whenever a state changes."""
        self._init, self._update = Alarm.__init__, Alarm.update_state
        patches.method(Alarm, "__init__", self._begin)
        patches.method(Alarm, "update_state", self._enter)
        self._wait()

    def _begin(self, alarm: Alarm, *args: Any, **given: Any) -> None:
        self._init(alarm, *args, **given)
        alarm.state_value = INSUFFICIENT

    def _wait(self) -> None:
        clock = self._aws.clock
        clock.after(delays.METRIC_MINUTE, lambda: self._minute_ends(clock.calendar()))

    def _minute_ends(self, end: float) -> None:
        self._wait()
        self._aws.clock.after(delays.ALARM_LAG, lambda: self._look(end))

    def _look(self, end: float) -> None:
        for alarm in list(cloudwatch_backends[self._aws.account][self._aws.region].alarms.values()):
            if alarm.statistic in STATISTICS and alarm.comparison_operator in COMPARISONS:
                rule = _rule(alarm)
                points = self._points(alarm, rule.periods + EXTRA, end)
                state = evaluate(rule, points, alarm.state_value)
                if state != alarm.state_value:
                    alarm.update_state(_reason(rule, points), "{}", state)

    def _points(self, alarm: Alarm, periods: int, end: float) -> list[float | None]:
        """Return the datapoints of the last periods before a moment, the oldest first."""
        backend = cloudwatch_backends[self._aws.account][self._aws.region]
        period = int(alarm.period)
        values: list[list[float]] = [[] for _ in range(periods)]
        begin, until = moment(end - periods * period), moment(end)
        for row in backend.metric_data:
            if begin <= row.timestamp < until and _belongs(row, alarm):
                values[int((row.timestamp - begin).total_seconds() // period)].append(row.value)
        return [STATISTICS[alarm.statistic](found) if found else None for found in values]

    def _enter(self, alarm: Alarm, reason: str, reason_data: str, state: str) -> None:
        before = alarm.state_value
        self._update(alarm, reason, reason_data, state)
        alarm.state_updated_timestamp = moment(self._aws.clock.calendar())
        if state != before:
            what = f"the alarm on {alarm.metric_name} is {state}"
            detail = {"alarm": alarm.name, "state": state, "reason": reason}
            self._aws.journal.note(Who.CLOUDWATCH, "alarm", what, **detail)
            self._tell(alarm, before)

    def _tell(self, alarm: Alarm, before: str) -> None:
        actions = {
            ALARM: alarm.alarm_actions,
            OK: alarm.ok_actions,
            INSUFFICIENT: alarm.insufficient_data_actions,
        }[alarm.state_value]
        message = json.dumps(
            _message(alarm, before, self._aws.account, self._aws.clock.timestamp())
        )
        subject = f'{alarm.state_value}: "{alarm.name}" in {_REGION_NAME}'
        for topic in actions if alarm.actions_enabled else ():
            if topic.split(":")[2] == "sns":
                sns_backends[self._aws.account][self._aws.region].publish(
                    message, arn=topic, subject=subject[:_SUBJECT_LIMIT]
                )


_REGION_NAME = "US East (N. Virginia)"
"""What CloudWatch calls the lab's Region to people."""

_SUBJECT_LIMIT = 100
"""The longest subject that SNS takes (SNS API reference, Publish)."""


def _rule(alarm: Alarm) -> Rule:
    periods = int(alarm.evaluation_periods)
    return Rule(
        comparison=alarm.comparison_operator,
        threshold=float(alarm.threshold),
        periods=periods,
        needed=int(alarm.datapoints_to_alarm or periods),
        missing=alarm.treat_missing_data or "missing",
    )


def _belongs(row: MetricDatumBase, alarm: Alarm) -> TypeGuard[MetricDatum]:
    def named(dimensions: Sequence[Any]) -> set[tuple[str, str]]:
        return {(dimension.name, dimension.value) for dimension in dimensions}

    return (
        isinstance(row, MetricDatum)
        and row.name == alarm.metric_name
        and row.namespace == alarm.namespace
        and named(row.dimensions) == named(alarm.dimensions)
    )


def _reason(rule: Rule, points: Sequence[float | None]) -> str:
    shown = ", ".join("missing" if value is None else f"{value:g}" for value in points)
    return (
        f"The last {len(points)} datapoints are [{shown}]: {rule.comparison} {rule.threshold:g} for"
        f" {rule.needed} of {rule.periods} is ALARM, and what is missing is {rule.missing}"
    )


def _message(alarm: Alarm, before: str, account: str, now: str) -> dict[str, Any]:
    """Return what a topic is told (sample messages in public repositories)."""
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account,
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": now.replace("Z", "+0000"),
        "Region": _REGION_NAME,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before,
        "OKActions": alarm.ok_actions,
        "AlarmActions": alarm.alarm_actions,
        "InsufficientDataActions": alarm.insufficient_data_actions,
        "Trigger": {
            "MetricName": alarm.metric_name,
            "Namespace": alarm.namespace,
            "StatisticType": "Statistic",
            "Statistic": alarm.statistic.upper(),
            "Unit": alarm.unit,
            "Dimensions": [{"name": row.name, "value": row.value} for row in alarm.dimensions],
            "Period": int(alarm.period),
            "EvaluationPeriods": int(alarm.evaluation_periods),
            "DatapointsToAlarm": alarm.datapoints_to_alarm,
            "ComparisonOperator": alarm.comparison_operator,
            "Threshold": float(alarm.threshold),
            "TreatMissingData": alarm.treat_missing_data or "",
            "EvaluateLowSampleCountPercentile": "",
        },
    }
