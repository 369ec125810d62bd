"""Values that tests need and do not care about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nat_failover.contract import HomeTable, Settings

ANY_STACK_ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/any-stack/any-id"

_ANY_SETTINGS = Settings(
    stack="any-stack",
    stack_id=ANY_STACK_ID,
    vpc="vpc-any",
    group="any-stack-nat",
    wanted=2,
    memory="any-memory",
    tables=(HomeTable(id="rtb-any", zone="eu-west-1a", subnets=("subnet-any",)),),
    outcome_topic="arn:aws:sns:eu-west-1:123456789012:any-topic",
)


def any_function_settings(**that_matter: Any) -> Settings:  # noqa: ANN401 - each of its own type
    """Return what a function is told, of which the test names what matters to it."""
    return replace(_ANY_SETTINGS, **that_matter)
