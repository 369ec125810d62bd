"""The loop: look, decide, write, and look again until nothing is left to do or time is up.

Two runs may overlap, and a look may lag behind a write (EC2 API guide, "eventual consistency"). So
no run trusts its own writes: it ends when a look finds nothing to do, and the next sweep goes on
where the time of a run was not enough.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from nat_failover.apply import Result, apply
from nat_failover.model import ROUTE_VERDICTS, Decision, Plan, Policy, Verdict
from nat_failover.observe import IncompleteError, observe
from nat_failover.planner import plan
from nat_failover.settings import Failback, Strategy

if TYPE_CHECKING:
    from nat_failover.events import Trigger
    from nat_failover.model import Action, Observation
    from nat_failover.observe import Clients
    from nat_failover.settings import Settings

_PAUSES_S = (0.25, 0.5, 1.0, 2.0, 5.0)
"""How long to wait after a look that failed, or that found again what was just written; the last
one repeats."""

_SERVED = frozenset({Verdict.KEEP, Verdict.EVACUATE, Verdict.NOT_OURS})
_CARRIED_OUT = ROUTE_VERDICTS | {Verdict.EVACUATE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run saw, decided and did.

    `observation` and `plan` belong to the last complete look, `decided` are the decisions that led
    to writes, `failure` says why the run ended although something was left to do.
    """

    trigger: Trigger
    observation: Observation | None = None
    plan: Plan | None = None
    decided: tuple[Decision, ...] = ()
    results: tuple[Result, ...] = ()
    looks: int = 0
    failure: str | None = None

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What the last complete look led to."""
        return self.plan.decisions if self.plan else ()

    @property
    def todo(self) -> tuple[Action, ...]:
        """The writes that the last look asks for; none if it failed."""
        return self.plan.actions if self.plan and not self.failure else ()

    @property
    def served(self) -> bool:
        """Whether every private subnet had a working default route at the last complete look."""
        return self.plan is not None and all(d.verdict in _SERVED for d in self.decisions)


def reconcile(
    clients: Clients,
    settings: Settings,
    trigger: Trigger,
    *,
    seconds: float,
    until_served: bool = False,
) -> Run:
    """Repair what is broken and return what happened; never raise for what AWS answers.

    `until_served` also waits for NATs that are not there yet, as a deployment does.
    """
    policy = Policy(
        swap=settings.strategy is Strategy.SWAP_ROUTE_TABLE,
        failback=settings.failback is Failback.AUTOMATIC,
        adopt=settings.adopt,
    )
    run, patience = Run(trigger=trigger), Patience(seconds)
    written: tuple[Action, ...] = ()
    while True:
        run = _look(clients, settings, policy, run)
        if not run.failure and not run.todo and (run.served or not until_served):
            return run
        is_new = run.todo and run.todo != written
        if is_new and (patience.lasts or not run.results):
            run, written = _write(clients, run), run.todo
        elif patience.pause():
            written = ()
        else:
            return replace(run, failure=run.failure or _what_is_left(run))


def _look(clients: Clients, settings: Settings, policy: Policy, run: Run) -> Run:
    """Look once and plan; a look that fails leaves what the one before it found."""
    try:
        observation = observe(clients, settings, run.trigger.leaving)
    except (ClientError, BotoCoreError, IncompleteError) as error:
        return replace(run, looks=run.looks + 1, failure=f"{type(error).__name__}: {error}")
    wanted = plan(observation, policy)
    return replace(run, observation=observation, plan=wanted, looks=run.looks + 1, failure=None)


def _write(clients: Clients, run: Run) -> Run:
    decided = tuple(
        decision
        for decision in run.decisions
        if decision.verdict in _CARRIED_OUT and decision not in run.decided
    )
    results = apply(clients, run.todo)
    return replace(run, decided=run.decided + decided, results=run.results + results)


def _what_is_left(run: Run) -> str:
    """Say why the run ends although something is left to do; with AWS's words, if it refused."""
    if run.todo:
        left = f"time was up with {len(run.todo)} writes left to do"
        refused = {result.error for result in run.results if result.write in run.todo}
        return "; ".join((left, *sorted(error for error in refused if error)))
    return "time was up before every private subnet had a working default route"


class Patience:
    """The time of a run, and pauses that grow."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._pauses = list(_PAUSES_S)

    @property
    def lasts(self) -> bool:
        """Whether there is time left."""
        return time.monotonic() < self._end

    def pause(self) -> bool:
        """Wait before the next look, or say that there is no time for it."""
        pause = self._pauses.pop(0) if len(self._pauses) > 1 else self._pauses[0]
        if time.monotonic() + pause > self._end:
            return False
        time.sleep(pause)
        return True
