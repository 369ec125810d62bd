"""Who tells people: claims a message in the memory, publishes it, and ticks it off.

Where the memory cannot be read or written, this environment's own memory stands in: people may then
hear the same from each environment once, and never nothing.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from nat_failover.incidents import Message, State, advance, released, without
from nat_failover.memory import Remembered, Written, read, write
from nat_failover.notices import compose
from nat_failover.situation import situation

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_sns import SNSClient

    from nat_failover.contract import Settings
    from nat_failover.reconcile import Run

_ATTEMPTS = 3
"""How often a message is ticked off anew when other runs write in between."""

_log = logging.getLogger("nat_failover")


@dataclass(slots=True, kw_only=True)
class Notifications:
    """People, the memory of what they were told, and what stands in for it.

    `own` is what this environment remembers while the table does not, None while it does.
    """

    settings: Settings
    memory: DynamoDBClient
    people: SNSClient
    own: State | None = field(default=None)

    def read(self) -> Remembered | None:
        """Return what the table remembers, or None when it cannot be read."""
        return read(self.memory, self.settings.memory)

    def consider(self, run: Run, found: Remembered | None) -> tuple[State, Message | None]:
        """Return what is known after a run, and the message that is this run's to publish."""
        before = self.own or (found.state if found else State(settled=True))
        seen = situation(run, self.settings)
        after, message = advance(before, seen) if seen else (before, None)
        written = self._keep(after, found)
        if written is Written.OVERTAKEN:
            return before, None
        return after, message

    def forget(self, found: Remembered | None) -> None:
        """Forget a stack that is being deleted: that it loses its NATs is no incident."""
        self._keep(State(), found)

    def publish(self, message: Message, state: State, run: Run) -> None:
        """Publish to people; routing does not depend on it, so a refusal is logged."""
        subject, text = compose(message, state, run, self.settings)
        try:
            self.people.publish(TopicArn=self.settings.outcome_topic, Subject=subject, Message=text)
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            _log.error("message", extra={"problem": f"people were not told: {error}"})
            self._settle(message, told=False)
        else:
            _log.info("message", extra={"told": subject})
            self._settle(message, told=True)

    def _settle(self, message: Message, *, told: bool) -> None:
        """Tick a message off, or leave it to the next run, whoever has written meanwhile."""
        change = without if told else released
        if self.own:
            self.own = change(self.own, message)
        for _ in range(_ATTEMPTS):
            found = self.read()
            if found is None:
                return
            if self._keep(change(self.own or found.state, message), found) is not Written.OVERTAKEN:
                return

    def _keep(self, state: State, found: Remembered | None) -> Written:
        """Write a state where it is news; when that fails, this environment keeps it."""
        now = time.time()
        if found is None:
            self.own = state
            return Written.FAILED
        if state == found.state and not found.ages(now):
            self.own = None
            return Written.DONE
        written, _ = write(self.memory, self.settings.memory, state, found, now)
        self.own = state if written is Written.FAILED else None
        return written
