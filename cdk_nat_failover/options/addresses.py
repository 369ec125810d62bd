"""What may be said of the NATs' public addresses."""

from __future__ import annotations

import re

from aws_constraints.ec2 import ALLOCATION
from cdk_nat_failover.options.validators import each_once

MADE = ("created", "retained")
"""Elastic IPs of the stack: that go with it, or that stay."""


def as_elastic_ips(given: object) -> str | tuple[str, ...] | None:
    """Return whose Elastic IPs there are: the stack's, those of allocations, or none.

    Raises:
        ValueError: when it is something else.

    """
    if given is None or given in MADE:
        return given
    if not isinstance(given, list | tuple):
        message = "it is neither a word that is allowed nor a list"
        raise ValueError(message)  # noqa: TRY004 - pydantic's reason for a mistake
    for each in given:
        if not isinstance(each, str) or not re.fullmatch(ALLOCATION.pattern, each):
            message = f"{each!r} is not the id of an allocation, {ALLOCATION.allowed}"
            raise ValueError(message)
    return each_once(tuple(given))
