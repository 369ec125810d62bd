"""EventBridge: rules that run on a schedule."""
# ruff: noqa: ANN401 - moto types little of its state

from __future__ import annotations

import re
from typing import Any

from moto.events.models import Rule, events_backends

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.messaging.delivery import Leg
from lab.emulator.services.messaging.events import deliver, event_of, targets_of
from lab.emulator.time import delays

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
        for target in targets_of(self._aws, rule):
            event = event_of(self._aws, "aws.events", "Scheduled Event", [rule.arn], {})
            deliver(self._aws, Leg.SCHEDULE, target, event, "the schedule")
