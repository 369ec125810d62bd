"""A network of the library, its NATs, a queue that is notified, and an alarm of one's own."""

from ipaddress import IPv4Network

import aws_cdk as cdk
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs

from cdk_nat_failover import InstanceOptions, NatFailover, NetworkOptions, NewNetwork

app = cdk.App()
stack = cdk.Stack(app, "NetworkWithAlerts")
network = NewNetwork(stack, "Network", NetworkOptions(cidr=IPv4Network("10.20.0.0/16"))).network
nats = NatFailover(
    stack, "Nat", network=network, instances=InstanceOptions(instance_type="t3.micro")
)
nats.notifications.add_subscription(subscriptions.SqsSubscription(sqs.Queue(stack, "Inbox")))
nats.metric_usable_nats().create_alarm(
    stack,
    "FewerNats",
    alarm_description="Fewer NATs than zones have been usable for five minutes",
    threshold=len(network.public_subnets),
    comparison_operator=cdk.aws_cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
    evaluation_periods=5,
)
app.synth()
