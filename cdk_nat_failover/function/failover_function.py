"""The function that repairs the default routes, and what invokes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct, DependencyGroup

from cdk_nat_failover.function.failover_role import FailoverRole
from cdk_nat_failover.function.memory_table import MemoryTable
from cdk_nat_failover.observability.metrics import Metrics
from nat_failover.contract import LAUNCH_VARIABLE, HomeTable, Settings

if TYPE_CHECKING:
    from cdk_nat_failover.instances.elastic_ips import ElasticIps
    from cdk_nat_failover.messaging.encryption_key import EncryptionKey
    from cdk_nat_failover.messaging.failover_topic import FailoverTopic
    from cdk_nat_failover.messaging.notifications_topic import NotificationsTopic
    from cdk_nat_failover.network.nat_network import NatNetwork
    from cdk_nat_failover.options.failover import FailoverOptions

SOURCE = next(
    folder
    for folder in (Path(__file__).with_name("lambda_src"), Path(__file__).parents[2] / "lambda_src")
    if folder.is_dir()
)
"""The function's code: beside this file where the library is installed, else in the checkout."""

NOT_SOURCE = ["**/__pycache__", "**/*.pyc", "**/py.typed", "*.egg-info"]
"""What the function does not need, and what tools leave in the source tree: that would change the
asset's hash from machine to machine."""

TIMEOUT = cdk.Duration.minutes(10)
"""A failover takes seconds, and the function ends its runs itself; only while a deployment waits
for the first default routes does it need minutes."""

RETRIES = 1
"""How often Lambda invokes the function once more after a crash, a minute later.

By default it would do so twice ("Asynchronous invocation", Lambda guide). Every sweep observes what
a lost event would have told, and CloudFormation's request needs the one: a second could not be done
within the time that CloudFormation waits."""

ANSWER_LIMIT = cdk.Duration.seconds(840)
"""How long CloudFormation waits for the function's answer, which should come within its timeout.

Ten minutes of a run that was killed, the minute after which Lambda invokes it once more, and three
minutes for that one to find the work done."""

EVENT_AGE = cdk.Duration.minutes(15)
"""How long Lambda keeps an event that it cannot hand over, as when the account's concurrency is
used up: longer than anybody waits for an answer.

By default it keeps it for six hours, and that an instance is stopping is then no longer true."""

ONE_VCPU_MIB = 1769
"""Memory at which a function has a whole vCPU ("Configure Lambda function memory", Lambda guide).

Most of a cold start is CPU (imports, TLS). At one short run a minute it costs cents.
"""


class FailoverFunction(Construct):
    """The function, its role, its log, its dead-letter queue and its subscription.

    It is outside of the VPC, or it would depend on the NATs that it repairs. It has no reserved
    concurrency: new accounts have none to give, and its runs may overlap.
    """

    def __init__(  # noqa: PLR0913 - what the function knows, each thing by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: NatNetwork,
        topic: FailoverTopic,
        notifications: NotificationsTopic,
        key: EncryptionKey | None,
        name: str,
        group: str,
        wanted: int,
        watch: bool,
        options: FailoverOptions,
        log_retention_days: int,
        elastic_ips: ElasticIps,
    ) -> None:
        super().__init__(scope, construct_id)
        self._elastic_ips = elastic_ips.allocations
        self._name, self._group = name, group
        self.metrics = Metrics(name)
        self._wanted, self._watch = wanted, watch
        self.memory = MemoryTable(self, "Memory").table
        self.strategy = options.strategy
        self.adopt, self.standby_gateway = options.adopt, options.standby_gateway
        self.dead_letters = self._dead_letters(key)
        log_group = self._log_group(log_retention_days)
        role = FailoverRole(
            self,
            "Access",
            network=network,
            group=group,
            memory=self.memory,
            strategy=options.strategy,
            takes_over=options.adopt is not False,
            standby=options.standby_gateway is not None,
            notifications=notifications,
            dead_letters=self.dead_letters,
            log_group=log_group,
            key=key,
            elastic_ips=self._elastic_ips,
        )
        environment = self._environment(network, notifications, options)
        self.function = self._function(role, log_group, environment)
        self.listening = self._subscribe(topic)

    def _dead_letters(self, key: EncryptionKey | None) -> sqs.Queue:
        return sqs.Queue(
            self,
            "DeadLetters",
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=key.key if key else None,
            # The longest that a queue keeps a message ("Amazon SQS message quotas"): a person reads
            # it, and people have weekends.
            retention_period=cdk.Duration.days(14),
        )

    def _log_group(self, retention_days: int) -> logs.CfnLogGroup:
        return logs.CfnLogGroup(self, "Log", retention_in_days=retention_days)

    def _environment(
        self, network: NatNetwork, notifications: NotificationsTopic, options: FailoverOptions
    ) -> dict[str, str]:
        tables = tuple(
            HomeTable(
                id=home.table,
                zone=home.zone,
                subnets=tuple(subnet.subnet_id for subnet in home.subnets),
            )
            for home in network.homes
        )
        return Settings(
            stack=self._name,
            stack_id=cdk.Stack.of(self).stack_id,
            vpc=network.vpc.vpc_id,
            group=self._group,
            wanted=self._wanted,
            memory=self.memory.table_name,
            tables=tables,
            outcome_topic=notifications.topic.topic_arn,
            strategy=options.strategy,
            failback=options.failback,
            adopt=options.adopt,
            standby_gateway=options.standby_gateway,
            watch=self._watch,
            elastic_ips=self._elastic_ips,
        ).to_env()

    def give_elastic_ips_to(self, launch: str) -> None:
        """Tell the function by what the NATs are launched that have Elastic IPs."""
        self.function.add_environment(LAUNCH_VARIABLE, launch)

    def _function(
        self, role: FailoverRole, log_group: logs.CfnLogGroup, environment: dict[str, str]
    ) -> lambda_.Function:
        return lambda_.Function(
            self,
            "Function",
            description="Repairs the default routes of the private subnets when a NAT fails",
            code=lambda_.Code.from_asset(str(SOURCE), exclude=NOT_SOURCE),
            handler="nat_failover.do",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            memory_size=ONE_VCPU_MIB,
            timeout=TIMEOUT,
            retry_attempts=RETRIES,
            max_event_age=EVENT_AGE,
            environment=environment,
            role=role.role.without_policy_updates(),
            dead_letter_queue=self.dead_letters,
            logging_format=lambda_.LoggingFormat.JSON,
            log_group=logs.LogGroup.from_log_group_name(self, "LogGroup", log_group.ref),
        )

    def _subscribe(self, topic: FailoverTopic) -> DependencyGroup:
        """Subscribe; return what must be there before the group launches its first instance."""
        permission = lambda_.CfnPermission(
            self,
            "TopicMayInvoke",
            action="lambda:InvokeFunction",
            function_name=self.function.function_arn,
            principal="sns.amazonaws.com",
            source_arn=topic.topic.topic_arn,
        )
        subscription = sns.Subscription(
            self,
            "Subscription",
            topic=topic.topic,
            protocol=sns.SubscriptionProtocol.LAMBDA,
            endpoint=self.function.function_arn,
        )
        return DependencyGroup(
            self.function, permission, subscription, self._departures(), self._drains()
        )

    def _departures(self) -> events.Rule:
        """Let the function know at once when an instance begins to stop or to be terminated.

        The group's own notification comes when the termination ends, more than a minute later for
        one that it starts itself (sample notifications, EC2 Auto Scaling user guide). The events
        name no tag and no group, so the rule takes those of every instance: a look costs little.
        The function is the rule's own target, one hop less than through the topic.
        """
        return self._rule(
            "InstanceLeaves",
            "Says that an instance is leaving, while it may still forward",
            source="aws.ec2",
            detail_type="EC2 Instance State-change Notification",
            detail={"state": ["stopping", "shutting-down"]},
        )

    def _drains(self) -> events.Rule:
        """Let the function know at once when the group holds an instance that is to leave.

        Its state in EC2 is `running` until the hook is done ("Amazon EC2 Auto Scaling event
        reference", EC2 Auto Scaling user guide).
        """
        return self._rule(
            "InstanceDrains",
            "Says that an instance waits for its drain, before it leaves",
            source="aws.autoscaling",
            detail_type="EC2 Instance-terminate Lifecycle Action",
            detail={"AutoScalingGroupName": [self._group]},
        )

    def _rule(
        self, name: str, says: str, *, source: str, detail_type: str, detail: dict[str, list[str]]
    ) -> events.Rule:
        """Let the function observe at each event of a kind."""
        pattern = events.EventPattern(source=[source], detail_type=[detail_type], detail=detail)
        return events.Rule(
            self, name, description=says, event_pattern=pattern, targets=[self._observe()]
        )

    def _observe(self) -> targets.LambdaFunction:
        """Return the function as a target that gets an event soon, or not at all.

        A minute is the shortest that there is. Lambda takes an event unless it is in trouble, and
        EventBridge would offer it for 24 hours ("Event retry policy", EventBridge user guide);
        after a minute the sweep has seen what it says.
        """
        return targets.LambdaFunction(self.function, max_event_age=cdk.Duration.minutes(1))
