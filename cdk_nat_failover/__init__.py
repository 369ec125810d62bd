"""NAT instances that fail over, as constructs for anybody's CDK app."""

from cdk_nat_failover.nat_failover import NatFailover
from cdk_nat_failover.network.nat_network import Home, NatNetwork
from cdk_nat_failover.network.new_network import NewNetwork
from cdk_nat_failover.options.alerts import AlertOptions
from cdk_nat_failover.options.failover import FailoverOptions
from cdk_nat_failover.options.instances import AmiOptions, InstanceOptions
from cdk_nat_failover.options.logs import LogOptions
from cdk_nat_failover.options.network import NetworkOptions
from cdk_nat_failover.options.section import OptionsError
from cdk_nat_failover.options.topic import TopicOptions
from cdk_nat_failover.provider import NatFailoverProvider
from nat_failover.contract import Failback, Strategy

__all__ = [
    "AlertOptions",
    "AmiOptions",
    "Failback",
    "FailoverOptions",
    "Home",
    "InstanceOptions",
    "LogOptions",
    "NatFailover",
    "NatFailoverProvider",
    "NatNetwork",
    "NetworkOptions",
    "NewNetwork",
    "OptionsError",
    "Strategy",
    "TopicOptions",
]
