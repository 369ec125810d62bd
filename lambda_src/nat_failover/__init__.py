"""The failover function: `nat_failover.do` is the handler that Lambda calls.

The reading order is the order of work: `events` → `observe` → `model` and `planner` → `apply` →
`report`; `handler` strings them together.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nat_failover.handler import Handler


def __getattr__(name: str) -> Handler:
    """Build the handler when Lambda asks for `do`: once, in the init phase, clients included.

    The CDK app imports `nat_failover.contract` from this package, and must neither load boto3 nor
    need the function's environment for it; so nothing is built before it is asked for.
    """
    if name != "do":
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from nat_failover.handler import Handler  # noqa: PLC0415 - see the docstring

    return Handler.from_environment(os.environ)
