"""Resource types that moto's CloudFormation lacks although moto emulates their services."""

from __future__ import annotations

import json
from typing import Any, Self

from moto.cloudformation import parsing
from moto.cloudwatch.models import cloudwatch_backends
from moto.ec2.models import ec2_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.utilities.utils import get_partition

from lab.aws.behaviour import Behaviour, Patches
from lab.aws.cloudformation.types import Place, Resource
from lab.aws.invocations import EventInvokeConfig


class TopicSubscription(Resource):
    """AWS::SNS::Subscription; its id is the subscription's ARN."""

    type = "AWS::SNS::Subscription"
    _attributes = ("RawMessageDelivery", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy")

    @classmethod
    def create(cls, name: str, given: dict[str, Any], place: Place) -> Self:
        """Subscribe."""
        del name
        sns = sns_backends[place.account][place.region]
        subscription = sns.subscribe(
            given["TopicArn"], given.get("Endpoint", ""), given["Protocol"]
        )
        for name in cls._attributes:
            if name in given:
                value = given[name]
                text = value if isinstance(value, str) else json.dumps(value)
                sns.set_subscription_attributes(subscription.arn, name, text)
        return cls(subscription.arn, {"Arn": subscription.arn})

    def delete(self, account_id: str, region_name: str) -> None:
        """Unsubscribe."""
        sns_backends[account_id][region_name].unsubscribe(self.physical_resource_id)


class TopicPolicy(Resource):
    """AWS::SNS::TopicPolicy."""

    type = "AWS::SNS::TopicPolicy"

    @classmethod
    def create(cls, name: str, given: dict[str, Any], place: Place) -> Self:
        """Give each topic the policy."""
        for arn in given["Topics"]:
            topic = sns_backends[place.account][place.region].get_topic(arn)
            topic.policy = json.dumps(given["PolicyDocument"])
        return cls(name, {"Id": name})

    def delete(self, account_id: str, region_name: str) -> None:
        """Leave the policies to their topics, which go with the same stack."""


class QueuePolicy(Resource):
    """AWS::SQS::QueuePolicy."""

    type = "AWS::SQS::QueuePolicy"

    @classmethod
    def create(cls, name: str, given: dict[str, Any], place: Place) -> Self:
        """Give each queue the policy."""
        for url in given["Queues"]:
            sqs_backends[place.account][place.region].set_queue_attributes(
                url.rsplit("/", 1)[-1], {"Policy": json.dumps(given["PolicyDocument"])}
            )
        return cls(name, {"Id": name})

    def delete(self, account_id: str, region_name: str) -> None:
        """Leave the policies to their queues, which go with the same stack."""


class BucketPolicy(Resource):
    """AWS::S3::BucketPolicy, which the bootstrap stack of the CDK has."""

    type = "AWS::S3::BucketPolicy"

    @classmethod
    def create(cls, name: str, given: dict[str, Any], place: Place) -> Self:
        """Give the bucket the policy, which moto does not enforce on the lab's requests."""
        bucket = given["Bucket"]
        s3_backends[place.account][get_partition(place.region)].get_bucket(bucket)
        return cls(f"{bucket}-{name}")

    def delete(self, account_id: str, region_name: str) -> None:
        """Leave the policy to its bucket, which goes with the same stack."""


class MetricAlarm(Resource):
    """AWS::CloudWatch::Alarm on a statistic of one metric."""

    type = "AWS::CloudWatch::Alarm"

    @classmethod
    def create(cls, name: str, given: dict[str, Any], place: Place) -> Self:
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
    def create(cls, name: str, given: dict[str, Any], place: Place) -> Self:
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
