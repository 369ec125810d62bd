"""The options of what the function does."""

from __future__ import annotations

from cdk_nat_failover.options.section import Section, setting
from nat_failover.contract import Failback, Strategy


class FailoverOptions(Section):
    """What the function does."""

    strategy: Strategy = setting(
        default=Strategy.REPLACE_ROUTE,
        decides="how a subnet gets another NAT: by its table's route, or by another table",
        allowed="'replace-route' or 'swap-route-table'",
    )
    failback: Failback = setting(
        default=Failback.AUTOMATIC,
        decides="whether subnets fail back by themselves when their zone's NAT forwards again",
        allowed="'automatic' or 'manual'",
    )
    adopt: bool = setting(
        default=False,
        decides="whether routes and subnets that somebody else pointed elsewhere are taken back",
        allowed="true or false",
    )
