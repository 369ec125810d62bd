"""The NAT gateways of the VPC, read where tables may come from them, or go to one.

They are read beside an observation, and no part of it: a read that fails, or takes longer than the
others, stops no repair. Then it is not known what a table could be given back to, so that nothing
is, and whether the standby gateway could serve.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nat_failover.memory import FAULTS
from nat_failover.model import Gateway

if TYPE_CHECKING:
    from concurrent.futures import Future

    from nat_failover.clients import Clients
    from nat_failover.contract import Settings
    from nat_failover.route_tables import RouteTables

WAIT_S = 0.25
"""How much longer than for its other reads an observation waits for what no repair needs."""


def begin_gateways(clients: Clients, settings: Settings) -> Future[list[Any]] | None:
    """Begin to read the gateways of the VPC, if the settings ask for them."""
    return (
        clients.threads.submit(read_gateways, clients, settings)
        if settings.minds_gateways
        else None
    )


def gateways_in_time(asked: Future[list[Any]], tables: RouteTables) -> frozenset[Gateway] | None:
    """Return the gateways, None if they could not be read in time."""
    try:
        return frozenset(
            Gateway(
                id=row["NatGatewayId"],
                state=row["State"],
                routed=not row.get("SubnetId") or tables.may_lead_out(row["SubnetId"]),
            )
            for row in asked.result(WAIT_S)
        )
    except (*FAULTS, TimeoutError):
        return None


def read_gateways(clients: Clients, settings: Settings) -> list[Any]:
    """Return the NAT gateways of the VPC, as EC2 describes them."""
    pages = clients.ec2.get_paginator("describe_nat_gateways").paginate(
        Filters=[{"Name": "vpc-id", "Values": [settings.vpc]}]
    )
    return [gateway for page in pages for gateway in page["NatGateways"]]
