"""One invocation: parse → observe → plan → apply → report.

The three in the middle are the loop in `reconcile`. The memory is read beside the observations, and
what NATs claim is stored beside the first; the rest is written after the last write. Notifications
and CloudFormation's answer come after the report.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.config import Config

from nat_failover.answer import UndeliveredError, answer, is_cloudformations
from nat_failover.clients import Clients, Memory
from nat_failover.contract import Resource, Settings, s3_endpoint
from nat_failover.deadline import Deadline
from nat_failover.deployment import serve
from nat_failover.events import parse
from nat_failover.incidents import IncidentState
from nat_failover.notifications import Notifications
from nat_failover.recall import Recall
from nat_failover.reconcile import Run, reconcile
from nat_failover.report import report
from nat_failover.triggers import Trigger, TriggerKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nat_failover.model import Observation
    from nat_failover.triggers import Deployment

RUN_LIMIT_S = 25.0
"""How long a run goes on trying: well below a minute, so that sweeps rarely overlap."""

REPORT_RESERVE_S = 30.0
"""What a run keeps of the function's time limit for calls under way, its report and its answer."""

CONFIRM_LIMIT_S = 4.0
"""How long a run waits until the group shows what its hook's message says of an instance."""

_THREADS_FOR_INSTANCES = 16
_THREADS_FOR_MEMORY = 4
_THREADS_FOR_SLOW_READS = 50
"""Reads that nothing waits for pile up when they are slow: two in each second of a run at most."""

_log = logging.getLogger("nat_failover")


def _threads(settings: Settings) -> int:
    """Return how many calls may be under way at once: one for each table, subnet and instance."""
    subnets = sum(len(table.subnets) for table in settings.tables)
    others = _THREADS_FOR_INSTANCES + _THREADS_FOR_MEMORY + _THREADS_FOR_SLOW_READS
    return len(settings.tables) + subnets + others


def _calls(settings: Settings) -> Config:
    """Bound the calls; the standard mode retries throttling and faults (botocore guide)."""
    return Config(
        connect_timeout=2,
        read_timeout=5,
        max_pool_connections=_threads(settings),
        retries={"mode": "standard", "total_max_attempts": 4},
    )


_MEMORY_CALLS = Config(
    connect_timeout=1,
    read_timeout=1,
    retries={"mode": "standard", "total_max_attempts": 2},
)
"""Bounds for what nothing that matters to routing waits for."""


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
    notifications: Notifications
    s3_endpoint: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Handler:
        """Read the settings and make the clients, in the Region that the environment names.

        Raises:
            SettingsError: when a variable is missing or wrong.

        """
        settings = Settings.from_env(environment)
        session, calls = boto3.Session(), _calls(settings)
        memory = Memory(
            client=session.client("dynamodb", config=_MEMORY_CALLS), table=settings.memory
        )
        clients = Clients(
            ec2=session.client("ec2", config=calls),
            autoscaling=session.client("autoscaling", config=calls),
            memory=memory,
            threads=ThreadPoolExecutor(_threads(settings)),
        )
        notifications = Notifications(
            settings=settings,
            memory=memory,
            sns=session.client("sns", config=calls),
        )
        return cls(
            settings=settings,
            clients=clients,
            notifications=notifications,
            s3_endpoint=s3_endpoint(environment),
        )

    def __call__(self, event: object, context: Context) -> dict[str, Any]:
        """Handle one event of any shape; return what was seen, decided and done, as plain JSON.

        Raises:
            UndeliveredError: when CloudFormation could not be answered and another try may help.

        """
        trigger = self._believed(parse(event, self.settings))
        seconds = context.get_remaining_time_in_millis() / 1000 - REPORT_RESERVE_S
        recall = self._recall(trigger)
        run = self._run(trigger, seconds, recall)
        try:
            return self._report(run, recall)
        finally:
            if trigger.deployment:  # whatever became of the report, CloudFormation waits
                _answer(trigger.deployment, run)

    def _recall(self, trigger: Trigger) -> Recall | None:
        """Begin to read the memory, if the trigger is one of those that need it."""
        asked = trigger.deployment
        if asked and asked.resource is not Resource.DEFAULT_ROUTES:
            return None
        return Recall(
            self.clients,
            watch=self.settings.watch,
            claims=trigger.claims,
            takeovers=self._reads_takeovers or asked is not None,
        )

    @property
    def _reads_takeovers(self) -> bool:
        return self.settings.gives_back or self.settings.minds_gateways

    def _believed(self, trigger: Trigger) -> Trigger:
        """Believe no request whose answer would go elsewhere than to CloudFormation."""
        asked = trigger.deployment
        if not asked or is_cloudformations(asked.response_url, self.settings, self.s3_endpoint):
            return trigger
        problem = "not understood: a request whose answer CloudFormation does not wait for"
        return Trigger(
            kinds=frozenset({TriggerKind.UNKNOWN}), problems=(*trigger.problems, problem)
        )

    def _run(self, trigger: Trigger, seconds: float, recall: Recall | None) -> Run:
        if trigger.deployment:
            asked, clients = trigger.deployment, self.clients
            return serve(asked, clients, self.settings, trigger, seconds=seconds, recall=recall)
        deadline = Deadline(min(RUN_LIMIT_S, seconds))
        confirm = Deadline(CONFIRM_LIMIT_S)
        run = self._reconcile(trigger, deadline, recall)
        while not run.failure and _unconfirmed(run) and confirm.pause():
            again = self._reconcile(trigger, deadline, recall)
            run = again.after(run)
        return run

    def _reconcile(self, trigger: Trigger, deadline: Deadline, recall: Recall | None) -> Run:
        return reconcile(
            self.clients, self.settings, trigger, seconds=deadline.seconds_left, recall=recall
        )

    def _report(self, run: Run, recall: Recall | None) -> dict[str, Any]:
        """Log, measure, and publish a notification where one is due."""
        asked, found = run.trigger.deployment, recall.incidents() if recall else None
        if asked and (asked.request == "Delete" or not run.plan):
            if asked.resource is Resource.DEFAULT_ROUTES and not run.failure:
                self.notifications.forget(found)
            return report(run, self.settings, IncidentState())
        state, notification = self.notifications.consider(run, found)
        summary = report(run, self.settings, state)
        if notification:
            self.notifications.publish(notification, state, run)
        if recall and run.observation and not run.blind:
            _tidy(recall, run.observation)
        return summary


def _tidy(recall: Recall, seen: Observation) -> None:
    """Leave the claims of members alone in the memory, and log what could not be written."""
    members = frozenset(nat.instance for nat in seen.nats if nat.lifecycle)
    for problem in recall.tidy(members):
        _log.error("message", extra={"problem": problem})


def _unconfirmed(run: Run) -> frozenset[str]:
    """Return the instances that a message says wait, and that the group does not show so yet."""
    nats = run.observation.nats if run.observation else frozenset()
    early = {nat.instance for nat in nats if nat.lifecycle in {"InService", "Terminating"}}
    return run.trigger.waiting & early


def _answer(deployment: Deployment, run: Run) -> None:
    """Answer CloudFormation; let Lambda invoke the function again where that may help."""
    delivery = answer(deployment, run.failure)
    if delivery.error:
        problem = f"CloudFormation was not answered: {delivery.error}"
        _log.error("message", extra={"problem": problem})
        if delivery.repeat:
            raise UndeliveredError(problem)
