"""Which private subnets have no way out, and why, for readers of CloudFormation's events. Pure."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nat_failover.model import Observation, Plan, Subnet


def in_words(observation: Observation, plan: Plan) -> Iterator[str]:
    """Yield a text for each zone and table whose subnets have no way out, then one for each NAT.

    Nothing where all are served.
    """
    lost = [each for each in observation.subnets if each.id in plan.without_egress]
    reasons = {decision.table: decision.reason for decision in plan.decisions}
    for (zone, table), subnets in groupby(sorted(lost, key=_place), key=_place):
        names = ", ".join(sorted(each.id for each in subnets))
        yield f"{zone} has no internet ({names} with {table}: {reasons.get(table, _FOREIGN)})"
    if lost and not plan.health:
        yield "the group has no instances"
    for judged in plan.health if lost else ():
        nat = judged.nat
        yield f"{nat.instance} in {nat.zone} is {judged.health}: {judged.reason}"


_FOREIGN = "no table of the stack"


def _place(subnet: Subnet) -> tuple[str, str]:
    return subnet.zone, subnet.table
