"""The alarms: each says what is wrong, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from constructs import Construct

from cdk_nat_failover.observability.metrics import MINUTE
from nat_failover.contract import Metric

if TYPE_CHECKING:
    from cdk_nat_failover.function.default_routes import DefaultRoutes
    from cdk_nat_failover.function.failover_function import FailoverFunction
    from cdk_nat_failover.messaging.notifications_topic import NotificationsTopic


class Observability(Construct):
    """Alarms on what the function reports, and on what it could not."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function: FailoverFunction,
        routes: DefaultRoutes,
        notifications: NotificationsTopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._metrics = function.metrics
        # Until the first routes are there, the metrics would be right and of no use.
        self.node.add_dependency(routes.served)
        for alarm in (
            self._no_egress(),
            self._not_ours(),
            self._redundancy_lost(),
            self._failures(),
            self._dead_letters(function),
        ):
            alarm.add_alarm_action(actions.SnsAction(notifications.topic))
            alarm.add_ok_action(actions.SnsAction(notifications.topic))

    def _no_egress(self) -> cloudwatch.Alarm:
        return self._alarm(
            "NoEgress",
            description="Private subnets have no working route to the internet, or the failover"
            " function has stopped reporting. See why the Auto Scaling group launches no NAT"
            " instance (its activity), then read the log of the function.",
            # A minute counts when no run of it found all subnets served: the first NATs of a stack
            # and a failover that takes seconds ring no alarm.
            metric=self._metrics.metric(Metric.NO_EGRESS, cloudwatch.Stats.MINIMUM),
            evaluation_periods=2,
            # The sweep reports every minute: silence is a fault.
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )

    def _not_ours(self) -> cloudwatch.Alarm:
        return self._alarm(
            "NotOurs",
            description="A private subnet is in no route table of the stack, a private route table"
            " is missing, or its default route leads to something that is not a NAT instance of the"
            " stack; the failover function does not take it back. Read the decision in the log of"
            " the function, then repair the association or the route, or set failover.adopt.",
            metric=self._metrics.metric(Metric.NOT_OURS, cloudwatch.Stats.MINIMUM),
            evaluation_periods=2,
            # A run that failed says nothing of routes, and what it could not see has not changed.
            treat_missing_data=cloudwatch.TreatMissingData.IGNORE,
        )

    def _redundancy_lost(self) -> cloudwatch.Alarm:
        return self._alarm(
            "RedundancyLost",
            description="For longer than a replacement takes there have been fewer usable NAT"
            " instances than wanted, or all of them in one Availability Zone: the next loss leaves"
            " private subnets without internet. See why the Auto Scaling group launches none (its"
            " activity: capacity, quotas, an image that does not boot).",
            # The function waits for as long as a replacement takes before it says so.
            metric=self._metrics.metric(Metric.REDUNDANCY_LOST, cloudwatch.Stats.MINIMUM),
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.IGNORE,
        )

    def _failures(self) -> cloudwatch.Alarm:
        return self._alarm(
            "Failures",
            description="Runs of the failover function fail: AWS refused a read or a write, and"
            " routes may not be repaired. The log of the function names the call and the error.",
            metric=self._metrics.metric(Metric.FAILURES, cloudwatch.Stats.MAXIMUM),
            # One failure is repaired by the next sweep; two in three minutes are not by chance.
            evaluation_periods=3,
            datapoints_to_alarm=2,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _dead_letters(self, function: FailoverFunction) -> cloudwatch.Alarm:
        return self._alarm(
            "DeadLetters",
            description="The failover function crashed on an event twice, or Lambda could not hand"
            " it an event in time. The event is in the dead-letter queue, the error in the log of"
            " the function; the next sweep repairs the routes all the same. Delete the message when"
            " it is understood.",
            metric=function.dead_letters.metric_approximate_number_of_messages_visible(
                period=MINUTE, statistic=cloudwatch.Stats.MAXIMUM
            ),
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _alarm(  # noqa: PLR0913 - what makes an alarm, each thing by name
        self,
        name: str,
        *,
        description: str,
        metric: cloudwatch.IMetric,
        evaluation_periods: int,
        treat_missing_data: cloudwatch.TreatMissingData,
        datapoints_to_alarm: int | None = None,
    ) -> cloudwatch.Alarm:
        """Return an alarm that rings when the metric is 1 or more."""
        return cloudwatch.Alarm(
            self,
            name,
            alarm_description=description,
            metric=metric,
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=evaluation_periods,
            datapoints_to_alarm=datapoints_to_alarm,
            treat_missing_data=treat_missing_data,
        )
