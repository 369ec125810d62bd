"""From what is wanted to what was done: writes at the same time, each with a result of its own.

Throttling is retried by botocore (`handler` sets how often). What AWS refuses is a result and not
an exception: the observation that follows decides what is left to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nat_failover.actions import Action
    from nat_failover.clients import Clients

_BUSY = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "Unavailable",
    }
)
"""Codes that say something of AWS and nothing of what was asked ("Error codes", EC2 API developer
guide; "Common errors", EC2 Auto Scaling API reference)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one write: `error` is AWS's code and words, or None where it was done.

    `association` is the id that AWS gave to a subnet's new association. `refused` says that AWS did
    not want what was asked, other than when it was only busy.
    """

    write: Action
    error: str | None = None
    association: str | None = None
    refused: bool = False

    @property
    def done(self) -> bool:
        """Whether AWS did what was asked."""
        return self.error is None


def apply(clients: Clients, writes: Iterable[Action]) -> tuple[Result, ...]:
    """Make the writes in parallel and return their results in the order of the writes."""
    return tuple(clients.threads.map(partial(_attempt, clients), writes))


def _attempt(clients: Clients, write: Action) -> Result:
    try:
        association = write.carry_out(clients)
    except ClientError as error:
        said = error.response["Error"]
        refused = said["Code"] not in _BUSY
        return Result(write=write, error=f"{said['Code']}: {said['Message']}", refused=refused)
    except (BotoCoreError, ResponseParserError) as error:
        return Result(write=write, error=f"{type(error).__name__}: {error}")
    return Result(write=write, association=association)
