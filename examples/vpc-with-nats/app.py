"""A VPC of the CDK whose NATs fail over: the provider takes the place of NAT gateways."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from cdk_nat_failover import NatFailoverProvider

app = cdk.App()
stack = cdk.Stack(app, "VpcWithNats")
nats = NatFailoverProvider(instance_type=ec2.InstanceType("t4g.nano"))
vpc = ec2.Vpc(stack, "Vpc", max_azs=2, nat_gateway_provider=nats)
cdk.Tags.of(vpc).add("team", "platform")
cdk.CfnOutput(stack, "Notifications", value=nats.nat_failover.notifications.topic_arn)
app.synth()
