"""The loop: observe, plan, apply, and observe again until nothing is left to do or time is up.

Two runs may overlap, and an observation may lag behind a write. So a run ends when an observation,
with what AWS answered to the run's own writes (`effects`), finds nothing to do, and the next sweep
goes on where the time of a run was not enough. What AWS refuses is not asked again before
everything else that would serve was tried.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from nat_failover import ring
from nat_failover.actions import (
    AssociateAddress,
    AssociateSubnet,
    CompleteLifecycleAction,
    DeleteDefaultRoute,
    ForgetStandby,
    ForgetTakeover,
    MarkUnhealthy,
    MoveSubnet,
    PublishRing,
    RecordLifecycleActionHeartbeat,
    RememberStandby,
    RememberTakeover,
    RestoreRoute,
    SetDefaultRoute,
)
from nat_failover.apply import Result, apply
from nat_failover.contract import Failback, Strategy
from nat_failover.deadline import Deadline
from nat_failover.effects import Effect, effect, overlay, pending
from nat_failover.model import (
    ROUTE_VERDICTS,
    Decision,
    Plan,
    Policy,
    SubnetDecision,
    Verdict,
)
from nat_failover.observe import observe
from nat_failover.planner import plan
from nat_failover.route_tables import IncompleteError
from nat_failover.triggers import TriggerKind
from nat_failover.unserved import in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nat_failover.actions import Planned
    from nat_failover.clients import Clients
    from nat_failover.contract import Settings
    from nat_failover.model import NatHistory, Observation
    from nat_failover.recall import Recall
    from nat_failover.triggers import Trigger

_CARRIED_OUT = ROUTE_VERDICTS | {
    Verdict.EVACUATE,
    Verdict.TO_STANDBY,
    Verdict.GIVE_BACK,
    Verdict.RELEASE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run saw, decided and did.

    `observation` and `plan` are the last complete ones, `decided` are the decisions that led to
    writes, `effects`, `refused` and `gone` are what AWS answered to these, `observations` counts
    them, `failure` says why the run ended although something was left to do, `blind` that its last
    observation failed.
    """

    trigger: Trigger
    observation: Observation | None = None
    plan: Plan | None = None
    decided: tuple[Decision | SubnetDecision, ...] = ()
    results: tuple[Result, ...] = ()
    effects: tuple[Effect, ...] = ()
    refused: frozenset[tuple[str, str]] = frozenset()
    gone: frozenset[str] = frozenset()
    observations: int = 0
    failure: str | None = None
    blind: bool = False

    def after(self, before: Run) -> Run:
        """Return both runs as one: this one went on where the other had ended."""
        decided = tuple(d for d in self.decided if d not in before.decided)
        return replace(
            self,
            decided=before.decided + decided,
            results=before.results + self.results,
            observations=before.observations + self.observations,
        )

    @property
    def decisions(self) -> tuple[Decision | SubnetDecision, ...]:
        """What the last plan decided: of each table, then of subnets."""
        return (*self.plan.decisions, *self.plan.subnets) if self.plan else ()

    @property
    def todo(self) -> tuple[Planned, ...]:
        """The writes that the last plan asks for; none if its observation failed."""
        return self.plan.actions if self.plan and not self.failure else ()

    @property
    def held(self) -> frozenset[str]:
        """The instances whose termination the run has prolonged."""
        beats = (r.write for r in self.results if r.done)
        return frozenset(
            beat.instance for beat in beats if isinstance(beat, RecordLifecycleActionHeartbeat)
        )

    @property
    def led(self) -> frozenset[tuple[str, str]]:
        """The tables that the run has led to the standby gateway, with that."""
        meant = (r.write for r in self.results if isinstance(r.write, RememberStandby))
        routes = (r.write for r in self.results if r.done and isinstance(r.write, RestoreRoute))
        led = {(write.table, write.to) for write in routes}
        return frozenset((w.table, w.standby.gateway) for w in meant) & led

    @property
    def due_in(self) -> float | None:
        """In how many seconds time alone changes the last plan; None if it does not soon.

        Moves that wait for the NATs to know the ring are left to the run that wrote it, and to
        those that bring the NATs' claims to know it: each run that waited would move once more.
        """
        if not self.plan or not self.observation:
            return None
        wrote_ring = any(isinstance(result.write, PublishRing) for result in self.results)
        moments = (self.plan.due, self.plan.waits_until if wrote_ring else None)
        soonest = min((moment for moment in moments if moment is not None), default=None)
        return None if soonest is None else max(soonest - self.observation.now, 0.05)

    @property
    def served(self) -> bool:
        """Whether every private subnet had egress at the last complete observation.

        And whether the NATs had the Elastic IPs that are free, for long enough.
        """
        return bool(self.plan and not self.plan.without_egress and not self.plan.settles)


def reconcile(  # noqa: PLR0913 - what a run is made of, each thing by name
    clients: Clients,
    settings: Settings,
    trigger: Trigger,
    *,
    seconds: float,
    until_served: bool = False,
    first: bool = False,
    ending: bool = False,
    recall: Recall | None = None,
) -> Run:
    """Repair what is broken and return what happened; never raise for what AWS answers.

    `until_served`, for a deployment, also waits for NATs that are not there yet. `first` says
    that nothing uses the NATs yet, so that each table gets its own zone's at once; `ending` that
    the stack is being deleted, so that its group may be gone. `recall` is what the memory knows.
    """
    policy = Policy(
        swap=settings.strategy is Strategy.SWAP_ROUTE_TABLE,
        failback=first or settings.failback is Failback.AUTOMATIC,
        settle=not first,
        adopt=settings.adopt if isinstance(settings.adopt, bool) else frozenset(settings.adopt),
        deployed=until_served,
        watch=settings.watch,
        group=settings.group,
        releases=settings.observes_subnets,
        standby=settings.standby_gateway,
        prolongs=TriggerKind.SWEEP in trigger.kinds,
    )
    run, deadline = Run(trigger=trigger), Deadline(seconds)
    tried: frozenset[Planned] = frozenset()
    while True:
        look = partial(
            observe, clients, settings, trigger.leaving, recall, group_may_be_gone=ending
        )
        run = _observe_and_plan(look, policy, run)
        settled = not run.failure and not run.todo
        if settled and run.due_in is not None and deadline.wait(run.due_in):
            continue
        if settled and (run.served or not until_served):
            return replace(run, failure=_what_was_refused(run, policy))
        is_new = not tried.issuperset(run.todo)
        if is_new and not (deadline.passed and run.results):
            run, tried = _write(clients, run), tried.union(run.todo)
        elif deadline.pause():
            tried = frozenset()
        else:
            return replace(run, failure=run.failure or _what_is_left(run))


def _observe_and_plan(look: Callable[[], Observation], policy: Policy, run: Run) -> Run:
    """Observe once and plan; an observation that fails leaves what the one before it found."""
    try:
        seen = look()
    except (ClientError, BotoCoreError, IncompleteError) as error:
        failure = f"{type(error).__name__}: {error}"
        return replace(run, observations=run.observations + 1, failure=failure, blind=True)
    effects = pending(seen, run.effects)
    known = replace(
        overlay(seen, effects),
        refused=run.refused,
        gone=run.gone,
        held=run.held,
        led=run.led,
        history=_history(run, seen),
    )
    return replace(
        run,
        observation=known,
        plan=plan(known, policy),
        effects=effects,
        observations=run.observations + 1,
        failure=None,
        blind=False,
    )


def _history(run: Run, seen: Observation) -> frozenset[NatHistory]:
    """Return what is known of how NATs fared: what the run itself found is not remembered yet."""
    read = run.observation is not None and run.observation.memory_readable
    return run.plan.history if run.plan and read else seen.history


def _write(clients: Clients, run: Run) -> Run:
    """Make the writes that the last plan asks for, and keep what AWS answered."""
    decided = tuple(
        decision
        for decision in run.decisions
        if decision.verdict in _CARRIED_OUT and decision not in run.decided
    )
    results = apply(clients, run.todo)
    return replace(
        run,
        decided=run.decided + decided,
        results=run.results + results,
        effects=run.effects + tuple(_effects(run, results)),
        refused=run.refused.union(*map(_refusal, results)),
        gone=run.gone.union(*map(_gone, results)),
    )


def _effects(run: Run, results: tuple[Result, ...]) -> Iterator[Effect]:
    """Yield what is known of the things that were written."""
    for result, action in zip(results, run.todo, strict=True):
        if result.done and run.observation:
            yield effect(action, run.observation, result.association)


def _refusal(result: Result) -> frozenset[tuple[str, str]]:
    """Return which target was refused to what, if one was."""
    match result.write:
        case SetDefaultRoute(table=table, instance=to) | RestoreRoute(table=table, to=to):
            refusal = (table, to)
        case AssociateAddress(allocation=allocation, instance=to):
            refusal = (allocation, to)
        case MoveSubnet(subnet=subnet, table=to) | AssociateSubnet(subnet=subnet, table=to):
            refusal = (subnet, to)
        case RememberTakeover() | ForgetTakeover() | DeleteDefaultRoute() as write:
            refusal = (write.table, write.call)
        case RememberStandby() | ForgetStandby() as write:
            refusal = (write.target, write.call)
        case (
            MarkUnhealthy() | CompleteLifecycleAction() | RecordLifecycleActionHeartbeat() as write
        ):
            refusal = (write.instance, write.call)
        case PublishRing() if result.error:
            return frozenset({ring.REFUSED})
        case _:
            return frozenset()
    return frozenset({refusal} if result.refused else ())


def _gone(result: Result) -> frozenset[str]:
    """Return what a table cannot be given back to, because AWS says that it does not exist.

    Such codes end in NotFound, with a dot before it or, of NAT gateways, without one too ("Error
    codes", EC2 API developer guide), as those of tables and routes do.
    """
    code = (result.error or "").partition(":")[0]
    other = code.startswith(("InvalidRouteTableID.", "InvalidRoute."))
    if isinstance(result.write, RestoreRoute) and code.endswith("NotFound") and not other:
        return frozenset({result.write.to})
    return frozenset()


def _what_was_refused(run: Run, policy: Policy) -> str | None:
    """Say what AWS refused, if it is the only reason for which nothing more was written."""
    if not run.refused or not run.observation:
        return None
    # An action that is refused has ended meanwhile: its hook does not hold for ever.
    ended = {refusal for refusal in run.refused if refusal[1] == CompleteLifecycleAction.calls[0]}
    at_once = replace(policy, settle=False)
    hindered = plan(run.observation, at_once).actions
    unhindered = plan(replace(run.observation, refused=frozenset(ended)), at_once).actions
    refusals = sorted({result.error for result in run.results if result.refused and result.error})
    return "; ".join(("AWS refused a write", *refusals)) if unhindered != hindered else None


def _what_is_left(run: Run) -> str:
    """Say why the run ends although something is left to do; with AWS's words, if it refused."""
    unserved = tuple(in_words(run.observation, run.plan)) if run.observation and run.plan else ()
    if run.todo:
        left = f"time was up with {len(run.todo)} writes left to do"
        refused = {result.error for result in run.results if result.write in run.todo}
        return "; ".join((left, *sorted(error for error in refused if error), *unserved))
    if run.plan and not run.plan.without_egress:
        left = "time was up before every NAT had its Elastic IP for long enough"
        said = {result.error for result in run.results if result.error}
        return "; ".join((left, *sorted(said)))
    left = "time was up before every private subnet had a working default route"
    return "; ".join((left, *unserved))
