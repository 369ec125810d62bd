"""Where metrics come from: what functions log and put, and what services measure each minute.

They are kept by moto, at the time of the lab's calendar.
"""
# ruff: noqa: ANN401 - moto types little of its state

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.models import CloudWatchBackend, cloudwatch_backends
from moto.ec2.models import ec2_backends
from moto.logs.models import LogsBackend
from moto.sqs.models import sqs_backends

from lab.emulator.behaviour import Behaviour, Emulation, Patches
from lab.emulator.services.ec2.health import status_check_failed
from lab.emulator.time import delays

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Datum = dict[str, Any]

_CHECKS = ("StatusCheckFailed", "StatusCheckFailed_Instance", "StatusCheckFailed_System")


def moment(calendar: float) -> datetime:
    """Return a time of the lab's calendar as moto keeps times: UTC, without saying so."""
    return datetime.fromtimestamp(calendar, UTC).replace(tzinfo=None)


def datum(name: str, value: object, dimensions: Mapping[str, str], at: float) -> Datum:
    """Return a value, or a list of values, of a metric, as PutMetricData takes it."""
    return {
        "MetricName": name,
        "Values" if isinstance(value, list) else "Value": value,
        "Dimensions": [{"Name": key, "Value": given} for key, given in dimensions.items()],
        "Timestamp": moment(at),
    }


def put(aws: Emulation, namespace: str, data: list[Datum]) -> None:
    """Keep data of metrics."""
    cloudwatch_backends[aws.account][aws.region].put_metric_data(namespace, data)


class MetricsHaveTheirTime(Behaviour):
    """A datum that is put without a timestamp is of the moment at which it is put.

    By the lab's calendar. moto takes the clock on the wall.
    """

    source = "CloudWatch API reference, MetricDatum"

    def install(self, patches: Patches) -> None:
        """Stamp what comes without a time."""
        self._put = CloudWatchBackend.put_metric_data
        patches.method(CloudWatchBackend, "put_metric_data", self._put_stamped)

    def _put_stamped(self, backend: CloudWatchBackend, namespace: str, data: list[Datum]) -> None:
        now = moment(self._aws.clock.calendar())
        self._put(backend, namespace, [{"Timestamp": now, **row} for row in data])


class LogsCarryMetrics(Behaviour):
    """A log line in the embedded metric format becomes data of the metrics that it names.

    moto keeps the line.
    """

    source = "CloudWatch user guide, 'Specification: Embedded metric format'"

    def install(self, patches: Patches) -> None:
        """Look at each line that is logged."""
        self._log = LogsBackend.put_log_events
        patches.method(LogsBackend, "put_log_events", self._put_log_events)

    def _put_log_events(
        self, logs: LogsBackend, group: str, stream: str, events: list[dict[str, Any]]
    ) -> Any:
        result = self._log(logs, group, stream, events)
        for event in events:
            if '"_aws"' in event["message"]:
                for namespace, data in embedded(event["message"]):
                    put(self._aws, namespace, data)
        return result


def embedded(line: str) -> Iterator[tuple[str, list[Datum]]]:
    """Yield namespaces and data of a line in the embedded metric format."""
    try:
        root = json.loads(line)
    except ValueError:
        return
    at = root["_aws"]["Timestamp"] / 1000
    for directive in root["_aws"].get("CloudWatchMetrics", []):
        yield (
            directive["Namespace"],
            [
                datum(metric["Name"], root[metric["Name"]], {key: root[key] for key in keys}, at)
                for keys in directive["Dimensions"]
                for metric in directive["Metrics"]
            ],
        )


class ServicesMeasure(Behaviour):
    """EC2 measures each minute whether a running instance's status checks fail.

    SQS how many messages are visible in a queue. moto measures neither. Other metrics of services
    are not played.
    """

    source = (
        "EC2 user guide, 'CloudWatch metrics that are available for your instances'; SQS"
        " developer guide, 'Available CloudWatch metrics for Amazon SQS'"
    )

    def install(self, patches: Patches) -> None:
        """Measure at the end of each minute."""
        del patches  # moto itself stays as it is
        self._wait()

    def _wait(self) -> None:
        self._aws.clock.after(delays.METRIC_MINUTE, self._measure)

    def _measure(self) -> None:
        self._wait()
        minute = self._aws.clock.calendar() - delays.METRIC_MINUTE.high  # named by its beginning
        if instances := list(self._instances(minute)):
            put(self._aws, "AWS/EC2", instances)
        if queues := list(self._queues(minute)):
            put(self._aws, "AWS/SQS", queues)

    def _instances(self, minute: float) -> Iterator[Datum]:
        for reservation in ec2_backends[self._aws.account][self._aws.region].reservations.values():
            for instance in reservation.instances:
                if instance.state == "running":
                    failed, which = status_check_failed(instance), {"InstanceId": instance.id}
                    yield from (datum(name, int(failed), which, minute) for name in _CHECKS)

    def _queues(self, minute: float) -> Iterator[Datum]:
        for name, queue in sqs_backends[self._aws.account][self._aws.region].queues.items():
            visible = queue.approximate_number_of_messages
            where = {"QueueName": name}
            yield datum("ApproximateNumberOfMessagesVisible", visible, where, minute)
