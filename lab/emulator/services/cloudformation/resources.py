"""Resource types that moto's CloudFormation lacks although moto emulates their services."""

from __future__ import annotations

import json
from typing import Any, Self

from moto.cloudformation import parsing
from moto.cloudwatch.models import cloudwatch_backends
from moto.ec2.models import ec2_backends
from moto.sns.models import sns_backends

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.cloudformation.address_ranges import VpcCidrBlock
from lab.emulator.services.cloudformation.policies import BucketPolicy, QueuePolicy, TopicPolicy
from lab.emulator.services.lambda_.invocations import EventInvokeConfig
from lab.emulator.services.resource import Place, Properties, Resource


class TopicSubscription(Resource):
    """AWS::SNS::Subscription; its id is the subscription's ARN."""

    type = "AWS::SNS::Subscription"
    updatable = frozenset(
        {"RawMessageDelivery", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy"}
    )

    @classmethod
    def create(cls, name: str, given: Properties, place: Place) -> Self:
        """Subscribe."""
        del name
        sns = sns_backends[place.account][place.region]
        subscription = sns.subscribe(
            given["TopicArn"], given.get("Endpoint", ""), given["Protocol"]
        )
        created = cls(subscription.arn, {"Arn": subscription.arn})
        return created.updated(given, {}, place)

    def updated(self, given: Properties, old: Properties, place: Place) -> Self:
        """Set the attributes."""
        if gone := sorted(self.updatable & (old.keys() - given.keys())):
            message = f"the lab cannot take {', '.join(gone)} away from a subscription"
            raise NotImplementedError(message)
        for name in sorted(self.updatable & given.keys()):
            value = given[name]
            text = value if isinstance(value, str) else json.dumps(value)
            sns_backends[place.account][place.region].set_subscription_attributes(
                self.physical_resource_id, name, text
            )
        return self

    def delete(self, account_id: str, region_name: str) -> None:
        """Unsubscribe."""
        sns_backends[account_id][region_name].unsubscribe(self.physical_resource_id)


class MetricAlarm(Resource):
    """AWS::CloudWatch::Alarm on a statistic of one metric."""

    type = "AWS::CloudWatch::Alarm"
    updatable = frozenset(
        {
            "AlarmActions",
            "AlarmDescription",
            "ComparisonOperator",
            "DatapointsToAlarm",
            "Dimensions",
            "EvaluationPeriods",
            "InsufficientDataActions",
            "MetricName",
            "Namespace",
            "OKActions",
            "Period",
            "Statistic",
            "Threshold",
            "TreatMissingData",
        }
    )

    @classmethod
    def create(cls, name: str, given: Properties, place: Place) -> Self:
        """Create the alarm."""
        if "Metrics" in given or "ExtendedStatistic" in given:
            message = f"the lab does not emulate metric math and percentiles of a {cls.type}"
            raise NotImplementedError(message)
        alarm = cloudwatch_backends[place.account][place.region].put_metric_alarm(
            name=given.get("AlarmName", name),
            namespace=given.get("Namespace", ""),
            metric_name=given.get("MetricName", ""),
            comparison_operator=given["ComparisonOperator"],
            evaluation_periods=int(given["EvaluationPeriods"]),
            period=int(given.get("Period", 60)),
            threshold=float(given.get("Threshold", 0)),
            statistic=given.get("Statistic", ""),
            description=given.get("AlarmDescription", ""),
            dimensions=[
                {"Name": row["Name"], "Value": row["Value"]} for row in given.get("Dimensions", [])
            ],
            alarm_actions=given.get("AlarmActions", []),
            ok_actions=given.get("OKActions", []),
            insufficient_data_actions=given.get("InsufficientDataActions", []),
            datapoints_to_alarm=given.get("DatapointsToAlarm"),
            treat_missing_data=given.get("TreatMissingData"),
        )
        return cls(alarm.name, {"Arn": alarm.alarm_arn})

    def updated(self, given: Properties, old: Properties, place: Place) -> Self:
        """Put the alarm again under its name."""
        del old
        return self.create(self.physical_resource_id, given, place)

    def delete(self, account_id: str, region_name: str) -> None:
        """Delete the alarm."""
        cloudwatch_backends[account_id][region_name].delete_alarms([self.physical_resource_id])


class SecurityGroupEgress(Resource):
    """AWS::EC2::SecurityGroupEgress."""

    type = "AWS::EC2::SecurityGroupEgress"

    def __init__(self, name: str, group: str, rule: dict[str, Any]) -> None:
        super().__init__(name, {"Id": name})
        self._group = group
        self._rule = rule

    @classmethod
    def create(cls, name: str, given: Properties, place: Place) -> Self:
        """Authorize the rule."""
        rule: dict[str, Any] = {
            "ip_protocol": str(given["IpProtocol"]),
            "from_port": given.get("FromPort"),
            "to_port": given.get("ToPort"),
            "ip_ranges": [{"CidrIp": given["CidrIp"]}] if "CidrIp" in given else [],
            "source_groups": [{"GroupId": given["DestinationSecurityGroupId"]}]
            if "DestinationSecurityGroupId" in given
            else [],
        }
        group = given["GroupId"]
        ec2_backends[place.account][place.region].authorize_security_group_egress(group, **rule)
        return cls(name, group, rule)

    def delete(self, account_id: str, region_name: str) -> None:
        """Revoke the rule."""
        ec2_backends[account_id][region_name].revoke_security_group_egress(
            self._group, **self._rule
        )


ADDED: tuple[type[Resource], ...] = (
    TopicSubscription,
    TopicPolicy,
    QueuePolicy,
    BucketPolicy,
    MetricAlarm,
    SecurityGroupEgress,
    EventInvokeConfig,
    VpcCidrBlock,
)


class MissingTypes(Behaviour):
    """CloudFormation creates subscriptions, policies of resources, alarms, egress rules and more.

    moto emulates their services, and skips them in templates.
    """

    source = "CloudFormation template reference"

    def install(self, patches: Patches) -> None:
        """Register the types."""
        for added in ADDED:
            patches.put(parsing.get_model_map(), added.type, added)
