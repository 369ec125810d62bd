"""Contracts of CloudWatch: where metrics come from, and what alarms do."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from moto.awslambda.utils import get_backend
from moto.ec2.models import ec2_backends

from lab.emulator.isolation import ACCOUNT, REGION
from lab.emulator.services.cloudwatch.alarms import AlarmsAreEvaluated
from lab.emulator.services.cloudwatch.metrics import (
    LogsCarryMetrics,
    MetricsHaveTheirTime,
    ServicesMeasure,
)
from lab.emulator.services.ec2.health import impair
from lab.emulator.services.lambda_.functions import deployed
from lab.emulator.time import delays
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import (
    any_function,
    any_instance,
    any_topic,
    deploy,
    eventually,
    inbox,
    reasons,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.emulator.region import Region

EMBEDDED = """
import json, time
def do(event, context):
    metrics = [{'Name': 'any', 'Unit': 'Count'}]
    directive = {'Namespace': 'any', 'Dimensions': [['Stack']], 'Metrics': metrics}
    aws = {'Timestamp': round(time.time() * 1000), 'CloudWatchMetrics': [directive]}
    print(json.dumps({'_aws': aws, 'Stack': 'any', 'any': 7}))
"""
CHATTY = "def do(event, context):\n    for number in range(50):\n        print(f'line {number}')\n"
MINUTE = delays.METRIC_MINUTE.high + delays.ALARM_LAG.high


@contract_of(LogsCarryMetrics)
def test_logged_line_becomes_a_datum_when_it_is_in_the_embedded_format(region: Region) -> None:
    """With the dimensions and the time that the line says."""
    any_function(region, EMBEDDED)
    region.client("lambda").invoke(FunctionName="any")
    assert values(region, "any", "any", Stack="any") == [7.0]


def test_all_lines_of_a_run_are_logged_when_it_answers(region: Region) -> None:
    """No time passes between the end of a run and its last line, however slowly it is read."""
    any_function(region, CHATTY)
    lines: list[str] = []

    def read_slowly(line: str) -> None:
        time.sleep(0.002)
        lines.append(line)

    function = get_backend(ACCOUNT, REGION).get_function("any")
    region.functions.invoke(deployed(function), b"{}", read_slowly)
    assert [line for line in lines if line.startswith("line")] == [f"line {n}" for n in range(50)]


@contract_of(MetricsHaveTheirTime)
def test_datum_is_of_the_labs_present_when_it_is_put_without_a_time(region: Region) -> None:
    """The lab's calendar is not that of the wall."""
    put(region, 7.0)
    assert values(region, "any", "any") == [7.0]


@contract_of(ServicesMeasure)
def test_ec2_measures_failed_status_checks_each_minute(region: Region) -> None:
    """An impaired instance measures 1, from the minute of its first failed check on."""
    instance = any_instance(region)
    region.clock.pass_time(delays.METRIC_MINUTE.high)
    minutes = int(region.clock.now() // delays.METRIC_MINUTE.high)
    assert values(region, "AWS/EC2", "StatusCheckFailed", InstanceId=instance) == [0.0] * minutes
    impair(region.aws, ec2_backends[ACCOUNT][REGION].get_instance(instance))
    region.clock.pass_time(delays.STATUS_CHECK.high + delays.METRIC_MINUTE.high)
    for name in ("StatusCheckFailed", "StatusCheckFailed_Instance", "StatusCheckFailed_System"):
        assert values(region, "AWS/EC2", name, InstanceId=instance)[-1] == 1.0


@contract_of(ServicesMeasure)
def test_sqs_measures_the_messages_of_a_queue_each_minute(region: Region) -> None:
    """A letter that nobody takes is visible."""
    sqs = region.client("sqs")
    url = sqs.create_queue(QueueName="any")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="any")
    region.clock.pass_time(delays.METRIC_MINUTE.high)
    name = "ApproximateNumberOfMessagesVisible"
    assert values(region, "AWS/SQS", name, QueueName="any") == [1.0]


@contract_of(AlarmsAreEvaluated)
def test_alarm_tells_its_topic_when_its_metric_is_beyond_the_threshold_and_again_when_not(
    region: Region,
) -> None:
    """It begins without data; each change of state is one message."""
    read = alarm_to_inbox(region)
    assert state(region) == "INSUFFICIENT_DATA"
    put(region, 1.0)
    region.clock.pass_time(MINUTE)
    assert state(region) == "ALARM"
    put(region, 0.0)
    region.clock.pass_time(MINUTE)
    assert state(region) == "OK"
    alarm, ok = read()
    assert (alarm["OldStateValue"], alarm["NewStateValue"]) == ("INSUFFICIENT_DATA", "ALARM")
    assert (ok["OldStateValue"], ok["NewStateValue"]) == ("ALARM", "OK")
    assert alarm["AlarmName"] == "any"
    assert alarm["Trigger"]["MetricName"] == "any"
    assert alarm["Trigger"]["Threshold"] == 1.0
    assert "[missing, missing, 1]" in alarm["NewStateReason"]


@contract_of(AlarmsAreEvaluated)
def test_alarm_stands_in_the_journal_when_it_rings(region: Region) -> None:
    """A drill's timeline shows it."""
    alarm_to_inbox(region)
    put(region, 1.0)
    assert eventually(region, lambda: bool(region.journal.entries("alarm")))
    (entry,) = region.journal.entries("alarm")
    assert (entry.who.value, entry.what) == ("CloudWatch", "the alarm on any is ALARM")
    assert entry.detail["alarm"] == "any"


@contract_of(AlarmsAreEvaluated)
def test_alarm_takes_the_most_of_several_data_in_a_minute_when_it_is_on_the_maximum(
    region: Region,
) -> None:
    """A minute's data are one datapoint."""
    alarm_to_inbox(region)
    for value in (0.0, 1.0, 0.0):
        put(region, value)
    region.clock.pass_time(MINUTE)
    assert state(region) == "ALARM"


@contract_of(AlarmsAreEvaluated)
def test_alarm_tells_its_topic_when_somebody_sets_its_state(region: Region) -> None:
    """To another one; and it goes back by itself at its next look, if its metric says so."""
    read = alarm_to_inbox(region)
    for _ in range(2):
        region.client("cloudwatch").set_alarm_state(
            AlarmName="any", StateValue="ALARM", StateReason="any"
        )
    assert [row["NewStateValue"] for row in read()] == ["ALARM"]
    region.clock.pass_time(MINUTE)
    assert state(region) == "INSUFFICIENT_DATA"


def test_alarm_ignores_data_with_other_dimensions(region: Region) -> None:
    """A metric is its name, its namespace and all of its dimensions."""
    alarm_to_inbox(region)
    put(region, 1.0, Dimensions=[{"Name": "any", "Value": "any"}])
    region.clock.pass_time(MINUTE)
    assert state(region) == "INSUFFICIENT_DATA"


@contract_of(AlarmsAreEvaluated)
def test_alarm_of_a_stack_counts_datapoints_as_its_template_says(region: Region) -> None:
    """One of two is enough."""
    assert deploy(region, {"Alarm": alarm_of(EvaluationPeriods=2, DatapointsToAlarm=1)}) == (
        "CREATE_COMPLETE"
    )
    for value in (1.0, 0.0):
        put(region, value)
        region.clock.pass_time(delays.METRIC_MINUTE.high)
    region.clock.pass_time(delays.ALARM_LAG.high)
    assert [entry.detail["state"] for entry in region.journal.entries("alarm")] == ["ALARM"]


@pytest.mark.parametrize("given", [{"Metrics": []}, {"ExtendedStatistic": "p90"}])
def test_alarm_of_a_stack_fails_when_the_lab_cannot_evaluate_it(
    region: Region, given: dict[str, Any]
) -> None:
    """Nothing is passed over in silence."""
    assert deploy(region, {"Alarm": alarm_of(**given)}) == "ROLLBACK_COMPLETE"
    assert "metric math and percentiles" in reasons(region)


def alarm_of(**given: object) -> dict[str, Any]:
    """Return an alarm on the metric `any` as a template has it."""
    properties = {
        "AlarmName": "any",
        "Namespace": "any",
        "MetricName": "any",
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {**properties, **given}}


def alarm_to_inbox(region: Region) -> Callable[[], list[dict[str, Any]]]:
    """Put an alarm on the metric `any`; the result returns what its topic was told."""
    topic = any_topic(region)
    region.client("cloudwatch").put_metric_alarm(
        **{**alarm_of()["Properties"], "AlarmActions": [topic], "OKActions": [topic]}
    )
    return inbox(region, topic)


def state(region: Region) -> str:
    """Return the state of the alarm `any`."""
    (alarm,) = region.client("cloudwatch").describe_alarms(AlarmNames=["any"])["MetricAlarms"]
    return str(alarm["StateValue"])


def put(region: Region, value: float, **more: object) -> None:
    """Put a datum of the metric `any`."""
    row = {"MetricName": "any", "Value": value, **more}
    region.client("cloudwatch").put_metric_data(Namespace="any", MetricData=[row])


def values(region: Region, namespace: str, name: str, **dimensions: str) -> list[float]:
    """Return the highest value of a metric in each minute until now."""
    now = datetime.fromtimestamp(region.clock.calendar(), UTC)
    reply = region.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(minutes=30),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum"],
    )
    rows = sorted(reply["Datapoints"], key=lambda row: json.dumps(row["Timestamp"], default=str))
    return [row["Maximum"] for row in rows]
