"""The AWS clients of a drill: made once, from the person's session, and passed on.

Observations and actions are not retried by botocore: an observation that fails has failed, and an
action must not happen twice. Everything else is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from lab.account.errors import RealDrillError
from nat_failover.clients import Clients, Memory

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import boto3
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_lambda import LambdaClient

    from lab.account.clock import AccountClock

TIMEOUTS: Any = {"connect_timeout": 3, "read_timeout": 8}
"""Seconds; an observation that takes longer is one that failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """What a drill calls: `once` without retries, everything else with them."""

    region: str
    once: Clients
    patient: Clients
    cloudformation: CloudFormationClient
    functions: LambdaClient
    logs: Any
    identity: Any


def must_have_a_region(session: boto3.Session) -> None:
    """Check that the session has a Region.

    Raises:
        RealDrillError: when not.

    """
    if not session.region_name:
        message = "no Region was given: give --region, or set one in the profile or AWS_REGION"
        raise RealDrillError(message)


def connect(
    session: boto3.Session, endpoint: str | None, threads: Executor, clock: AccountClock
) -> Connections:
    """Return the clients; the clock hears the answers to the observations.

    Raises:
        RealDrillError: when the session has no Region.

    """
    must_have_a_region(session)
    retried = Config(retries={"mode": "standard", "total_max_attempts": 4}, **TIMEOUTS)
    single = Config(retries={"mode": "standard", "total_max_attempts": 1}, **TIMEOUTS)
    once = _clients(session, endpoint, threads, single)
    clock.listen(once.ec2)
    clock.listen(once.autoscaling)
    return Connections(
        region=session.region_name,
        once=once,
        patient=_clients(session, endpoint, threads, retried),
        cloudformation=session.client("cloudformation", endpoint_url=endpoint, config=retried),
        functions=session.client("lambda", endpoint_url=endpoint, config=retried),
        logs=session.client("logs", endpoint_url=endpoint, config=retried),
        identity=session.client("sts", endpoint_url=endpoint, config=retried),
    )


def _clients(
    session: boto3.Session, endpoint: str | None, threads: Executor, config: Config
) -> Clients:
    return Clients(
        ec2=session.client("ec2", endpoint_url=endpoint, config=config),
        autoscaling=session.client("autoscaling", endpoint_url=endpoint, config=config),
        # A drill leaves the function's memory alone.
        memory=Memory(client=session.client("dynamodb", endpoint_url=endpoint), table=""),
        threads=threads,
    )
