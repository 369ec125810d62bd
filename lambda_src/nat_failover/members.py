"""What the group is told of its members: which one to replace, and which one may end. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nat_failover.actions import (
    CompleteLifecycleAction,
    MarkUnhealthy,
    RecordLifecycleActionHeartbeat,
)
from nat_failover.contract import DRAIN_HOOK
from nat_failover.model import Health, InstanceState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nat_failover.fleet import Fleet
    from nat_failover.model import Nat, Observation, Policy

REPLACE_EVERY_S = 900.0
"""Between two NATs that the group is told to replace: what ails them all no replacement cures."""

REPLACE_AFTER_S = 8.0
"""How long NATs say that one is sick before the group is told: its tables move at once, and what
is told cannot be taken back. They say so every ten seconds (judgement.py of the watch)."""

FIRST_MINUTES_S = 300.0
"""How old a NAT is before the group is told to replace it."""


def replacement(observation: Observation, fleet: Fleet) -> Iterator[MarkUnhealthy]:
    """Yield the telling of the group that a NAT does not forward: of one at a time, seldom.

    Never of the last usable one, and only while it is known when the group was told last.
    """
    last = observation.replaced
    too_soon = last is not None and observation.now - last < REPLACE_EVERY_S
    if too_soon or not observation.memory_readable:
        return
    for nat in fleet.judged:
        reason = _why_replaced(nat, fleet)
        old = observation.now - nat.launched >= FIRST_MINUTES_S
        if (nat.instance, MarkUnhealthy.calls[0]) in observation.refused:
            continue
        if reason and old and any(other != nat for other in fleet.usable):
            yield MarkUnhealthy(
                instance=nat.instance,
                at=observation.now,
                not_since=observation.now - REPLACE_EVERY_S,
                reason=reason,
            )
            return


def _why_replaced(nat: Nat, fleet: Fleet) -> str | None:
    """Say in words why a member that the group takes for healthy should be replaced, or None."""
    listed = nat.lifecycle == "InService" and nat.healthy
    said = fleet.judged[nat]
    if not listed or said.health not in {Health.SICK, Health.USABLE}:
        return None
    lasts = not said.by_claims or fleet.histories.sick_for(nat.instance) >= REPLACE_AFTER_S
    if said.health is Health.SICK and lasts and (why := fleet.claims.sickness(nat.instance)):
        return why
    if fleet.histories.is_unstable(nat.instance):
        return "it turned sick too often in the last hour"
    return None


def drained(
    observation: Observation, policy: Policy, fleet: Fleet
) -> Iterator[CompleteLifecycleAction | RecordLifecycleActionHeartbeat]:
    """Yield the end of each termination that the drain hook holds and nothing needs any more.

    One of a NAT that still serves a table, while no other NAT could, is held on instead.
    """
    for nat in fleet.judged:
        if nat.lifecycle != "Terminating:Wait":
            continue
        named = {"group": policy.group, "hook": DRAIN_HOOK, "instance": nat.instance}
        write: CompleteLifecycleAction | RecordLifecycleActionHeartbeat | None = None
        if why := _why_ended(nat, observation, fleet, policy):
            write = CompleteLifecycleAction(reason=why, **named)
        elif policy.prolongs and _serves_alone(nat, observation, fleet):
            write = RecordLifecycleActionHeartbeat(reason="no other NAT is usable", **named)
        if write and (nat.instance, write.call) not in observation.refused:
            yield write


def _why_ended(nat: Nat, observation: Observation, fleet: Fleet, policy: Policy) -> str | None:
    """Say in words why a termination need not be held any longer, or None."""
    if observation.deleting or observation.desired == 0:
        return "the group ends"
    if not fleet.usable and nat not in fleet.leaving:
        return _ENDED
    if _is_used(nat, observation, fleet):
        return None
    claim = fleet.claims.of(nat.instance)
    rows = (
        (nat.state is not InstanceState.RUNNING, _ENDED),
        (nat not in fleet.leaving, _ENDED),
        (not policy.watch or nat.instance in fleet.unwatched, "nothing uses it any more"),
        (claim is not None and claim.flows == 0, "its last flow has ended"),
        (fleet.addresses.is_needed(nat, fleet.usable), "its Elastic IP is needed"),
    )
    return next((why for holds, why in rows if holds), None)


def _is_used(nat: Nat, observation: Observation, fleet: Fleet) -> bool:
    """Say whether a subnet uses a table that leads to a NAT."""
    used = {subnet.table for subnet in observation.subnets}
    return any(t.id in used and fleet.target(t.route) == nat for t in observation.tables)


def _serves_alone(nat: Nat, observation: Observation, fleet: Fleet) -> bool:
    """Say whether a NAT is to be held on: it serves, no other could, and this run did not yet."""
    held = nat.instance in observation.held
    return not held and not fleet.usable and _is_used(nat, observation, fleet)


_ENDED = "it does not serve any more"
