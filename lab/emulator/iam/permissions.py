"""Whether a role's session may make a call, by the policies that the role has at that moment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from lab.emulator.iam.calls import questions
from lab.emulator.iam.policies import documents_of, without
from lab.emulator.iam.service import Decision, Question, Simulator, Verdict

if TYPE_CHECKING:
    from lab.emulator.iam.callers import Caller
    from lab.emulator.iam.calls import ApiCall

_Key = tuple[tuple[str, ...], tuple[str, ...], "Caller", "Question"]


@dataclass(frozen=True, slots=True)
class Refused:
    """What IAM does not allow: an action on a resource, or None where it takes no resource."""

    action: str
    resource: str | None
    denied: bool
    """Whether a policy denies it; otherwise none allows it."""


class Permissions:
    """Answers from the deployed policies, and remembers its answers.

    Of resource policies but those of keys, permissions boundaries and service control policies it
    knows nothing.
    """

    def __init__(self, simulator: Simulator) -> None:
        self.missing: set[str] = set()
        """Actions whose permission is taken from every role, such as ec2:ReplaceRoute."""

        self.exempt = False
        """Whether every call passes, as for a handler that the roles were not written for."""

        self._simulator = simulator
        self._known: dict[_Key, tuple[Decision, ...]] = {}

    def refused(self, caller: Caller, call: ApiCall) -> Refused | None:
        """Return the first thing that a call needs and the caller may not do, or None.

        Raises:
            ValueError: when it is not known which permission the call needs.

        """
        if self.exempt:
            return None
        for asked in questions(call, caller):
            for row in self._decide(caller, asked):
                if row.verdict is not Verdict.ALLOWED:
                    return Refused(asked.action, row.resource, row.verdict is Verdict.DENIED)
        return None

    def _decide(self, caller: Caller, asked: Question) -> tuple[Decision, ...]:
        documents, missing = documents_of(caller.role), tuple(sorted(self.missing))
        key = (documents, missing, caller, asked)
        if key not in self._known:
            policies = reduce(without, missing, tuple(map(json.loads, documents)))
            self._known[key] = self._simulator.decide(policies, asked, principal=caller.arn)
        return self._known[key]
