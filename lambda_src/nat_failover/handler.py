"""One invocation: parse → observe → plan → apply → report.

The three in the middle are the loop in `reconcile`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.config import Config

from nat_failover.apply import apply
from nat_failover.deployment import answer, serve
from nat_failover.events import parse
from nat_failover.observe import Clients
from nat_failover.reconcile import Run, reconcile
from nat_failover.report import report
from nat_failover.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_boto3_sns import SNSClient

    from nat_failover.events import Trigger

RUN_LIMIT_S = 25.0
"""How long a run goes on trying: well below a minute, so that sweeps rarely overlap."""

REPORT_RESERVE_S = 30.0
"""What a run keeps of the function's time limit for calls under way, its report and its answer."""

_THREADS_FOR_INSTANCES = 16


def _threads(settings: Settings) -> int:
    """Return how many calls may be under way at once: one for each table, subnet and instance."""
    subnets = sum(len(table.subnets) for table in settings.tables)
    return len(settings.tables) + subnets + _THREADS_FOR_INSTANCES


def _calls(settings: Settings) -> Config:
    """Bound the calls; the standard mode retries throttling and faults (botocore guide)."""
    return Config(
        connect_timeout=2,
        read_timeout=5,
        max_pool_connections=_threads(settings),
        retries={"mode": "standard", "total_max_attempts": 4},
    )


class Context(Protocol):
    """What the function uses of Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int:
        """Return what is left of the function's time limit, in milliseconds."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """The function, with everything that is made once for all invocations."""

    settings: Settings
    clients: Clients
    people: SNSClient

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Handler:
        """Read the settings and make the clients, in the Region that the environment names.

        Raises:
            SettingsError: when a variable is missing or wrong.

        """
        settings = Settings.from_env(environment)
        session, calls = boto3.Session(), _calls(settings)
        clients = Clients(
            ec2=session.client("ec2", config=calls),
            autoscaling=session.client("autoscaling", config=calls),
            threads=ThreadPoolExecutor(_threads(settings)),
        )
        return cls(settings=settings, clients=clients, people=session.client("sns", config=calls))

    def __call__(self, event: object, context: Context) -> dict[str, Any]:
        """Handle one event of any shape; return what was seen, decided and done, as plain JSON."""
        trigger = parse(event)
        run = self._run(trigger, context.get_remaining_time_in_millis() / 1000 - REPORT_RESERVE_S)
        if trigger.deployment:
            answer(trigger.deployment, run)
        return report(run, self.settings, self.people)

    def _run(self, trigger: Trigger, seconds: float) -> Run:
        if trigger.deployment:
            return serve(trigger.deployment, self.clients, self.settings, trigger, seconds)
        run = reconcile(self.clients, self.settings, trigger, seconds=min(RUN_LIMIT_S, seconds))
        return run if run.failure else self._let_go(run)

    def _let_go(self, run: Run) -> Run:
        """Complete the lifecycle actions of instances that nothing uses any more.

        After a failed run they stay open: the heartbeat gives the sweeps time to move the tables.
        """
        completed = apply(self.clients, sorted(run.trigger.actions))
        return replace(run, results=run.results + completed)
