"""From a run to what it means: which conditions hold at its end. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nat_failover.claims import without_watch
from nat_failover.incidents import Incident, Situation
from nat_failover.model import Health, Verdict

if TYPE_CHECKING:
    from nat_failover.contract import Settings
    from nat_failover.model import Nat, Observation, Plan
    from nat_failover.reconcile import Run

ELSEWHERE = frozenset({Verdict.NOT_OURS, Verdict.CONFLICT, Verdict.MISSING})
"""What the function leaves alone although it is not as it should be."""

QUIET_S = 150.0
"""How old a NAT's newest claim may be: a watch publishes each minute, and AWS delivers late."""

FIRST_MINUTES_S = 600.0
"""How old a NAT is before it is missed: what boots has its time."""

_DISPLACED = frozenset(
    {Verdict.EVACUATE, Verdict.FAIL_BACK, Verdict.REPAIR_ELSEWHERE, Verdict.AWAY}
)
_SERVED = frozenset({Verdict.KEEP, Verdict.WAIT})
ON_STANDBY = frozenset({Verdict.STANDBY, Verdict.TO_STANDBY})
"""What the standby gateway serves, or is about to."""


def situation(run: Run, settings: Settings) -> Situation | None:
    """Return what a run leaves behind, or None where its last observation failed."""
    if run.plan is None or run.observation is None or run.blind:
        return None
    plan, missing = run.plan, unwatched(run, settings)
    known = run.observation.standbys is not None
    conditions = {
        Incident.NO_EGRESS: bool(plan.without_egress),
        Incident.STANDBY: known and _is_on_standby(plan),
        Incident.NOT_OURS: not_ours(plan) > 0,
        Incident.REDUNDANCY_LOST: _lacks_redundancy(plan, run.observation, settings),
        Incident.FAILOVER: _is_failed_over(plan, run.observation, settings),
        Incident.UNWATCHED: bool(missing.quiet or missing.links),
    }
    unseen = settings.watch and not run.observation.memory_readable
    whose = () if known else (Incident.STANDBY, Incident.NOT_OURS)
    return Situation(
        now=run.observation.now,
        holds=frozenset(incident for incident, holds in conditions.items() if holds),
        served=not plan.without_egress,
        unknown=frozenset({*whose, *((Incident.UNWATCHED,) if unseen else ())}),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwatched:
    """What is missing of the watch: NATs that say nothing, and pairs that do not hear each other.

    `alone` says that no usable NAT at all says anything.
    """

    quiet: tuple[Nat, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    alone: bool = False


def unwatched(run: Run, settings: Settings) -> Unwatched:
    """Return what is missing of the watch; nothing where nobody watches or claims are not known.

    A NAT in its first minutes is not missed, nor one that has no watch.
    """
    plan, seen = run.plan, run.observation
    if not (plan and seen and settings.watch and seen.memory_readable):
        return Unwatched()
    heard = {c.instance for c in seen.claims if seen.now - c.received <= QUIET_S}
    usable = [
        judged.nat
        for judged in plan.health
        if judged.health is Health.USABLE and judged.nat.instance not in without_watch(seen)
    ]
    silent = [nat for nat in usable if nat.instance not in heard]
    quiet = tuple(nat for nat in silent if seen.now - nat.launched > FIRST_MINUTES_S)
    return Unwatched(quiet=quiet, links=plan.broken_links, alone=bool(quiet) and silent == usable)


def not_ours(plan: Plan) -> int:
    """Return how many tables and subnets lead elsewhere, or are missing."""
    tables = sum(decision.verdict in ELSEWHERE for decision in plan.decisions)
    return tables + sum(decision.verdict in ELSEWHERE for decision in plan.subnets)


def _lacks_redundancy(plan: Plan, seen: Observation, settings: Settings) -> bool:
    """Say whether the loss of one NAT, or of one zone, would be the last.

    Or whether the standby gateway could not serve then, or does already. A NAT without its Elastic
    IP is none for whoever knows the set.
    """
    unstable = dict(plan.unstable)
    zones = [
        judged.nat.zone
        for judged in plan.health
        if judged.health is Health.USABLE and judged.nat.instance not in unstable
    ]
    one_zone = settings.wanted > 1 and len(seen.zones) > 1 and len(set(zones)) == 1
    no_standby = plan.standby_lost is not None or _is_on_standby(plan)
    return len(zones) < settings.wanted or one_zone or no_standby


def _is_on_standby(plan: Plan) -> bool:
    return any(each.verdict in ON_STANDBY for each in plan.decisions)


def _is_failed_over(plan: Plan, seen: Observation, settings: Settings) -> bool:
    """Say whether more zones use another zone's NAT than have to for want of NATs."""
    homes = seen.zones & {decision.zone for decision in plan.decisions}
    return len(displaced_zones(plan, seen)) > max(0, len(homes) - settings.wanted)


def displaced_zones(plan: Plan, seen: Observation) -> list[str]:
    """Return the zones whose subnets get out through another zone than their home, sorted."""
    zones = {judged.nat.instance: judged.nat.zone for judged in plan.health}
    away = {
        decision.zone
        for decision in plan.decisions
        if decision.verdict in _DISPLACED
        or (decision.verdict in _SERVED and zones.get(decision.nat or "") != decision.zone)
    }
    moved = {decision.zone for decision in plan.subnets if decision.verdict in _DISPLACED}
    return sorted((away | moved) & seen.zones)
