"""The alarms: each says to people what is wrong and what to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from constructs import Construct

from nat_failover.settings import METRIC_NAMESPACE

if TYPE_CHECKING:
    from stacks.constructs.default_routes import DefaultRoutes
    from stacks.constructs.failover_function import FailoverFunction
    from stacks.constructs.outcome_topic import OutcomeTopic

MINUTE = cdk.Duration.minutes(1)


class Observability(Construct):
    """Alarms on what the function reports, and on what it could not."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function: FailoverFunction,
        routes: DefaultRoutes,
        outcome_topic: OutcomeTopic,
    ) -> None:
        super().__init__(scope, construct_id)
        # Until the first routes are there, the metrics would be right and of no use.
        self.node.add_dependency(routes.served)
        for alarm in (
            self._no_egress(),
            self._failures(),
            self._dead_letters(function),
        ):
            alarm.add_alarm_action(actions.SnsAction(outcome_topic.topic))
            alarm.add_ok_action(actions.SnsAction(outcome_topic.topic))

    def _no_egress(self) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            "NoEgress",
            alarm_description="Private subnets have no NAT instance that could serve them, or the"
            " function has stopped reporting. Look at the Auto Scaling group's activity, then at"
            " the function's log.",
            # A minute counts when no run of it found all tables served: the first NATs of a stack
            # and a failover that takes seconds ring no alarm.
            metric=self._metric("NoEgress", cloudwatch.Stats.MINIMUM),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=2,
            # The sweep reports every minute: silence is a fault.
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )

    def _failures(self) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            "Failures",
            alarm_description="Runs of the failover function fail: a look or a write was refused."
            " The function's log names the call and the error.",
            metric=self._metric("Failures"),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            # One failure is repaired by the next sweep; two in three minutes are not by chance.
            evaluation_periods=3,
            datapoints_to_alarm=2,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _dead_letters(self, function: FailoverFunction) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            "DeadLetters",
            alarm_description="A message was given up after all retries of the failover function."
            " It waits in the dead-letter queue; the function's log says why.",
            metric=function.dead_letters.metric_approximate_number_of_messages_visible(
                period=MINUTE, statistic=cloudwatch.Stats.MAXIMUM
            ),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _metric(self, name: str, statistic: str = cloudwatch.Stats.MAXIMUM) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=METRIC_NAMESPACE,
            metric_name=name,
            dimensions_map={"Stack": cdk.Stack.of(self).stack_name},
            period=MINUTE,
            statistic=statistic,
        )
