"""The metrics that the function reports, as CloudWatch knows them."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from nat_failover.contract import METRIC_NAMESPACE, Metric

MINUTE = cdk.Duration.minutes(1)
"""How often the function reports at least: with each sweep."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """The metrics of one construct, by the name that its function was given."""

    name: str

    def metric(self, metric: Metric, statistic: str) -> cloudwatch.Metric:
        """Return a metric with a statistic, minute by minute."""
        return cloudwatch.Metric(
            namespace=METRIC_NAMESPACE,
            metric_name=metric,
            dimensions_map={"Stack": self.name},
            period=MINUTE,
            statistic=statistic,
        )
