"""EventBridge: rules that run on a schedule."""
# ruff: noqa: ANN401 - moto types little of its state

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from moto.core.utils import iso_8601_datetime_without_milliseconds, utcnow
from moto.events.models import Rule, events_backends

from lab import delays
from lab.aws.behaviour import Behaviour, Patches
from lab.aws.functions import invoke_later, may_invoke
from lab.journal import Who

_MINUTES = {"minute": 1, "hour": 60, "day": 1440}
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")


class RunsSchedules(Behaviour):
    """A rule with a rate invokes its target functions at that rate, with each target's input.

    Only if the function's policy lets the rule. moto stores schedules and never runs them. Cron
    expressions are not played.
    """

    source = "EventBridge user guide, 'Creating a rule that runs on a schedule'"

    def install(self, patches: Patches) -> None:
        """Put each new rule with a rate on the timeline."""
        self._init = Rule.__init__
        patches.method(Rule, "__init__", self._begin)

    def _begin(self, rule: Rule, *args: Any, **kwargs: Any) -> None:
        self._init(rule, *args, **kwargs)
        if match := _RATE.fullmatch(rule.scheduled_expression or ""):
            self._wait(rule, int(match[1]) * _MINUTES[match[2]])

    def _wait(self, rule: Rule, minutes: int) -> None:
        self._aws.clock.after(
            delays.SCHEDULED_MINUTE, lambda: self._run(rule, minutes), times=minutes
        )

    def _run(self, rule: Rule, minutes: int) -> None:
        buses = events_backends[self._aws.account][self._aws.region].event_buses
        if buses["default"].rules.get(rule.name) is not rule:
            return  # deleted: the schedule ends here
        self._wait(rule, minutes)
        if rule.state == "ENABLED":
            for target in rule.targets:
                self._deliver(rule, target)

    def _deliver(self, rule: Rule, target: dict[str, Any]) -> None:
        arn = target["Arn"]
        if not may_invoke(self._aws, arn, "events.amazonaws.com", rule.arn):
            return
        self._aws.journal.note(Who.EVENT_BRIDGE, "scheduled", "runs the schedule")
        constant = target.get("Input")
        event = json.loads(constant) if constant else self._scheduled_event(rule)
        invoke_later(self._aws, arn, event)

    def _scheduled_event(self, rule: Rule) -> dict[str, Any]:
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": self._aws.account,
            "time": iso_8601_datetime_without_milliseconds(utcnow()),
            "region": self._aws.region,
            "resources": [rule.arn],
            "detail": {},
        }
