"""What is examined: an account and a Region, with the settings that are to be deployed there.

The clients are made once, in one thread: boto3 makes them in one, and lets many use them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from lab.account.connections import TIMEOUTS, must_have_a_region
from lab.account.refusals import in_a_sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    import boto3

    from stacks.settings.app import AppSettings

_SERVICES = ("autoscaling", "ec2", "kms", "service-quotas", "ssm")
_TRIES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """An account and a Region as their credentials show them, and the settings to be deployed."""

    account: str
    caller: str
    region: str
    settings: AppSettings
    qualifier: str
    clients: Mapping[str, Any]

    @property
    def group(self) -> str:
        """Return what the group of NATs is or will be called."""
        return f"{self.settings.name}-nat"


def look_at(
    session: boto3.Session, settings: AppSettings, qualifier: str, endpoint: str | None
) -> Examined:
    """Return whose credentials these are, and what reads with them.

    Raises:
        RealDrillError: when they cannot be used.

    """
    must_have_a_region(session)
    config = Config(retries={"mode": "standard", "total_max_attempts": _TRIES}, **TIMEOUTS)
    with in_a_sentence():
        caller = session.client("sts", endpoint_url=endpoint, config=config).get_caller_identity()
        clients = {
            name: session.client(name, endpoint_url=endpoint, config=config)  # type: ignore[call-overload]  # one of many
            for name in _SERVICES
        }
    return Examined(
        account=caller["Account"],
        caller=caller["Arn"],
        region=str(session.region_name),
        settings=settings,
        qualifier=qualifier,
        clients=clients,
    )
