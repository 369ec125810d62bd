"""NAT instances that fail over, as constructs for anybody's CDK app.

The names are imported when they are used: the options and the boot files are of use without the
CDK, whose import starts Node.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cdk_nat_failover.nat_failover import NatFailover as NatFailover
    from cdk_nat_failover.network.nat_network import Home as Home
    from cdk_nat_failover.network.nat_network import NatNetwork as NatNetwork
    from cdk_nat_failover.network.new_network import NewNetwork as NewNetwork
    from cdk_nat_failover.options.alerts import AlertOptions as AlertOptions
    from cdk_nat_failover.options.failover import FailoverOptions as FailoverOptions
    from cdk_nat_failover.options.instances import AmiOptions as AmiOptions
    from cdk_nat_failover.options.instances import InstanceOptions as InstanceOptions
    from cdk_nat_failover.options.logs import LogOptions as LogOptions
    from cdk_nat_failover.options.network import NetworkOptions as NetworkOptions
    from cdk_nat_failover.options.section import OptionsError as OptionsError
    from cdk_nat_failover.options.topic import TopicOptions as TopicOptions
    from cdk_nat_failover.provider import NatFailoverProvider as NatFailoverProvider

_WHERE = {
    "AlertOptions": "options.alerts",
    "AmiOptions": "options.instances",
    "FailoverOptions": "options.failover",
    "Home": "network.nat_network",
    "InstanceOptions": "options.instances",
    "LogOptions": "options.logs",
    "NatFailover": "nat_failover",
    "NatFailoverProvider": "provider",
    "NatNetwork": "network.nat_network",
    "NetworkOptions": "options.network",
    "NewNetwork": "network.new_network",
    "OptionsError": "options.section",
    "TopicOptions": "options.topic",
}
"""The module of each public name."""


def __getattr__(name: str) -> object:
    """Import a public name from its module."""
    if name not in _WHERE:
        message = f"module {__name__!r} has no attribute {name!r}; allowed: {', '.join(_WHERE)}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    """List the public names, for whoever explores the package."""
    return sorted(_WHERE)
