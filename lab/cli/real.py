"""`drill --real`: a stack in the account of the person's own credentials."""

from __future__ import annotations

import os
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
        session=session(options.region),
        ask=account.person(yes=options.yes),
        tell=screen.moment if screen else lambda _: None,
    )


def session(region: str | None) -> boto3.Session:
    """Return a session of the person's, in a Region or in that which the environment names.

    The CDK takes AWS_REGION for it; boto3 takes AWS_DEFAULT_REGION and the profile's alone.
    """
    return boto3.Session(region_name=region or os.environ.get("AWS_REGION"))
