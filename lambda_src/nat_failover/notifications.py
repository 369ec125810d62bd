"""Publishes notifications: claims one in the memory, publishes it, and ticks it off.

Where the memory cannot be read or written, this environment's own memory stands in: each
environment may then publish the same once, and none keeps silent.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from nat_failover.incidents import IncidentState, Notification, advance, released, without
from nat_failover.memory import Remembered, Written, read, write
from nat_failover.notices import compose
from nat_failover.situation import situation

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient

    from nat_failover.clients import Memory
    from nat_failover.contract import Settings
    from nat_failover.model import NatHistory
    from nat_failover.reconcile import Run

_ATTEMPTS = 3
"""How often a notification is ticked off anew when other runs write in between."""

_log = logging.getLogger("nat_failover")


@dataclass(slots=True, kw_only=True)
class Notifications:
    """The topic, the memory of what was published to it, and what stands in for that.

    `own` is what this environment remembers while the table does not, None while it does.
    """

    settings: Settings
    memory: Memory
    sns: SNSClient
    own: IncidentState | None = field(default=None)

    def read(self) -> Remembered | None:
        """Return what the table remembers, or None when it cannot be read."""
        return read(self.memory)

    def consider(
        self, run: Run, found: Remembered | None
    ) -> tuple[IncidentState, Notification | None]:
        """Return what is known after a run, and the notification that is this run's to publish."""
        before = self.own or (found.state if found else IncidentState(settled=True))
        seen = situation(run, self.settings)
        after, notification = advance(before, seen) if seen else (before, None)
        written = self._keep(after, found, _fared(run, found))
        if written is Written.OVERTAKEN:
            return before, None
        return after, notification

    def forget(self, found: Remembered | None) -> None:
        """Forget a stack that is being deleted: that it loses its NATs is no incident."""
        self._keep(IncidentState(), found)

    def publish(self, notification: Notification, state: IncidentState, run: Run) -> None:
        """Publish to the topic; routing does not depend on it, so a refusal is logged."""
        subject, text = compose(notification, state, run, self.settings)
        try:
            self.sns.publish(TopicArn=self.settings.outcome_topic, Subject=subject, Message=text)
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            _log.error("message", extra={"problem": f"a notification was not published: {error}"})
            self._settle(notification, published=False)
        else:
            _log.info("message", extra={"published": subject})
            self._settle(notification, published=True)

    def _settle(self, notification: Notification, *, published: bool) -> None:
        """Tick a notification off, or leave it to the next run, whatever was written meanwhile."""
        change = without if published else released
        if self.own:
            self.own = change(self.own, notification)
        for _ in range(_ATTEMPTS):
            found = self.read()
            if found is None:
                return
            changed = change(self.own or found.state, notification)
            if self._keep(changed, found) is not Written.OVERTAKEN:
                return

    def _keep(
        self,
        state: IncidentState,
        found: Remembered | None,
        history: frozenset[NatHistory] | None = None,
    ) -> Written:
        """Write what differs; when that fails, this environment keeps the state."""
        now = time.time()
        if found is None:
            self.own = state
            return Written.FAILED
        fared = found.history if history is None else history
        if (state, fared) == (found.state, found.history) and not found.ages(now):
            self.own = None
            return Written.DONE
        written, _ = write(self.memory, state, fared, found, now)
        self.own = state if written is Written.FAILED else None
        return written


def _fared(run: Run, found: Remembered | None) -> frozenset[NatHistory]:
    """Return how the NATs fared, with what a run saw last, if it knew what they claim."""
    seen = run.observation
    known = seen and seen.memory_readable and run.plan and not run.blind
    if known and run.plan:
        return run.plan.history
    return found.history if found else frozenset()
