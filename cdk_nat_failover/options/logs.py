"""The options of the logs."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator

from cdk_nat_failover.options.section import Section, setting

# RetentionInDays of PutRetentionPolicy, CloudWatch Logs API reference.
RetentionDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365,
    400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
]  # fmt: skip


def _whole(value: object) -> object:
    """Return the value; raise where a number is written as another kind, which a choice takes."""
    if not isinstance(value, int) or isinstance(value, bool):
        message = "it is not a whole number"
        raise ValueError(message)  # noqa: TRY004 - pydantic takes no TypeError
    return value


class LogOptions(Section):
    """How long logs are kept."""

    retention_days: Annotated[RetentionDays, BeforeValidator(_whole)] = setting(
        default=30,
        decides="how long the function's log is kept",
        allowed="a number of days that CloudWatch Logs knows: "
        + ", ".join(map(str, get_args(RetentionDays))),
    )
