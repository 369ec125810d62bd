"""`drill --real`: a stack in the account of the person's own credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3

from lab import account

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from lab.cli.screen import Screen
    from lab.drills.outcome import Outcome
    from lab.drills.scenario import ScheduledFault


def drill_real(
    options: Namespace, faults: Sequence[ScheduledFault], screen: Screen | None
) -> Outcome:
    """Ask, inject the faults in the account, and return what came of them."""
    return account.drill(
        faults,
        options.stack,
        session=boto3.Session(region_name=options.region),
        ask=account.person(yes=options.yes),
        tell=screen.moment if screen else lambda _: None,
    )
