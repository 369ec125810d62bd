"""The options of what the function does."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, PlainValidator

from cdk_nat_failover.options.section import Section, setting
from cdk_nat_failover.options.validators import each_once, id_of
from nat_failover.contract import Failback, Strategy

_UNRESOLVED = r"\$\{Token\[[^\]]+\]\}"
"""What the CDK has for an id until the deployment."""

_TABLE = re.compile(rf"{id_of('rtb')}|{_UNRESOLVED}")


def _adopted(value: object) -> bool | tuple[str, ...]:
    """Return true, false or ids of tables; raise for anything else."""
    if isinstance(value, bool):
        return value
    if not isinstance(value, (list, tuple)):
        message = "it is neither"
        raise ValueError(message)  # noqa: TRY004 - what pydantic takes for a mistake
    for each in value:
        if not isinstance(each, str) or not _TABLE.fullmatch(each):
            message = f"{each!r} is not the id of a route table"
            raise ValueError(message)
    return each_once(tuple(value))


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
    adopt: Annotated[bool | tuple[str, ...], PlainValidator(_adopted)] = setting(
        default=False,
        decides="whether tables and subnets that somebody else pointed elsewhere are taken over;"
        " what a table led to is remembered, and given back when it is not to be taken over",
        allowed="true, false, or a list of ids of the private route tables",
    )
    standby_gateway: (
        Annotated[str, Field(pattern=rf"^(?:{id_of('nat')}|{_UNRESOLVED})$")] | None
    ) = setting(
        default=None,
        decides="the NAT gateway that serves while no NAT is usable",
        allowed="null, or the id of a public NAT gateway of the VPC, such as"
        " 'nat-0123456789abcdef0'",
    )
