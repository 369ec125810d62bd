"""The text of a notification: whether users have internet, where, and what to do. Pure."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nat_failover.actions import MarkUnhealthy
from nat_failover.contract import Failback
from nat_failover.incidents import Incident
from nat_failover.model import Health, Verdict
from nat_failover.situation import ELSEWHERE, ON_STANDBY, displaced_zones, unwatched

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sized

    from nat_failover.contract import Settings
    from nat_failover.incidents import IncidentState, Notification
    from nat_failover.model import Observation, Plan
    from nat_failover.reconcile import Run
    from nat_failover.situation import Unwatched

_SUBJECT_LIMIT = 99
"""Characters; SNS takes fewer than 100 (SNS API reference, Publish), and mail programs ASCII."""

_TEXT_LIMIT = 8000
"""Characters; SNS takes 256 KiB, readers take less."""

_MOST_LINES = 20

_ADVICE: Mapping[Incident, str] = {
    Incident.NO_EGRESS: (
        "find out why no NAT above is usable, or what a table above leads to; for NATs that are"
        " missing, look at the group's activity history. The function repairs the routes by itself"
        " as soon as a NAT is usable."
    ),
    Incident.STANDBY: (
        "find out why no NAT above is usable, or says anything of itself; for NATs that are"
        " missing, look at the group's activity history. The gateway has its own price, and its own"
        " address. With automatic failback the tables leave it when a NAT has been well for a"
        " minute; with manual failback point them to a NAT yourself then."
    ),
    Incident.NOT_OURS: (
        "find out who changed it, and change it back, or set failover.adopt to let the function"
        " take it back. No deployment brings a missing table back by itself."
    ),
    Incident.REDUNDANCY_LOST: (
        "look at the group's activity history: why is there no replacement, or none in another"
        " zone? The next failure would cut users off."
    ),
    Incident.FAILOVER: (
        "nothing, if a replacement comes within ten minutes: another message says when it is over."
    ),
    Incident.UNWATCHED: (
        "nothing at once: its tables stay, and everything but the watch looks after it. If one NAT"
        " says nothing, read its console output, or terminate it. If none does, see whether hosts"
        " have internet, then the instance role, the policy of the topic and its key. If two do not"
        " hear each other, a security group or a network ACL keeps UDP 4788 from one to the other."
    ),
}
_MEND = (
    "look at what is called sick above and is healthy for its group, which does not replace it:"
    " mend what its reason names, or terminate it."
)
_CONFLICT = (
    "find out who writes the route back (Terraform, CloudFormation, a person), and have them let go"
    " of the route without deleting it. Then deploy with failover.adopt without the table, and with"
    " it again."
)
_MANUAL_FAILBACK = (
    "when the replacement is usable, fail the tables back when it suits (failback is manual):"
    " another message says when it is over."
)


def compose(
    notification: Notification, state: IncidentState, run: Run, settings: Settings
) -> tuple[str, str]:
    """Return the subject and the text of a notification."""
    plan, seen = run.plan, run.observation
    _, _, _, region, account, *_ = settings.stack_id.split(":")
    missing = unwatched(run, settings)
    zones = _zones(plan, seen, missing) if plan and seen else []
    where = f" ({', '.join(zones)})" if zones else ""
    subject = f"{_word(notification, state)}: {settings.stack} in {region}{where}"
    lines = [
        _internet_now(run, state, missing),
        "",
        *_changes(notification, settings, seen.now if seen else 0.0),
        *(_found(plan, seen, settings, missing) if plan and seen else ()),
        *_done(run),
        *_told(run),
        *_advice(state, settings, plan),
        "",
        f"Stack {settings.stack_id.split('/')[1]}, account {account}, Region {region}.",
        f"VPC {settings.vpc}, group {settings.group}.",
    ]
    return _ascii(subject)[:_SUBJECT_LIMIT], _ascii("\n".join(lines))[:_TEXT_LIMIT]


def _word(notification: Notification, state: IncidentState) -> str:
    """Say in the subject's first word how bad it is, or that it is over."""
    if Incident.NO_EGRESS in state.notified:
        return "NO INTERNET"
    if notification.opened and Incident.STANDBY in state.notified:
        return "STANDBY GATEWAY"
    if notification.opened and Incident.REDUNDANCY_LOST in state.notified:
        return "NOT REDUNDANT"
    if notification.opened and state.notified == {Incident.UNWATCHED}:
        return "NOT WATCHED"
    if notification.opened:
        return "DEGRADED"
    return "IMPROVED" if state.notified else "HEALED"


def _zones(plan: Plan, seen: Observation, missing: Unwatched) -> list[str]:
    """Return the zones that are not as they should be, the cut ones if there are any."""
    cut = sorted({subnet.zone for subnet in seen.subnets if subnet.id in plan.without_egress})
    elsewhere = {d.zone for d in plan.decisions if d.verdict in ELSEWHERE}
    elsewhere |= {d.zone for d in plan.subnets if d.verdict in ELSEWHERE}
    elsewhere |= {d.zone for d in plan.decisions if d.verdict in ON_STANDBY}
    wrong = cut or sorted({*displaced_zones(plan, seen), *elsewhere})
    return wrong or sorted({nat.zone for nat in missing.quiet})


def _internet_now(run: Run, state: IncidentState, missing: Unwatched) -> str:
    """Say whether users have internet; EC2 describes a lost NAT as running for some seconds."""
    if run.plan is None:
        return "Whether users have internet access now is unknown."
    cut = run.plan.without_egress
    if cut:
        return f"NO internet access now: {_count(cut, 'private subnet')}, {_list(cut)}."
    if _is_in_doubt(run.plan, missing):
        return (
            "Private subnets use the standby gateway. NATs run and have lost the internet, as far"
            " as they say anything: the gateway may have, too."
        )
    if run.trigger.leaving:
        return (
            "All private subnets have internet access now, unless another NAT was lost in these"
            " seconds: a message within a minute would say so."
        )
    if missing.alone and Incident.UNWATCHED in state.notified:
        return (
            "All private subnets are routed to NATs, but no NAT says anything of itself: they may"
            " be without internet access."
        )
    return "All private subnets have internet access now."


def _is_in_doubt(plan: Plan, missing: Unwatched) -> bool:
    """Say whether NATs that run lost the internet, which the gateway may have lost, too."""
    on_standby = any(each.verdict in ON_STANDBY for each in plan.decisions)
    return on_standby and (missing.alone or any(judged.by_claims for judged in plan.health))


def _changes(notification: Notification, settings: Settings, now: float) -> Iterator[str]:
    words = {**_WORDS, **(_WORDS_WITH_A_GATEWAY if settings.standby_gateway else {})}
    for incident, since in notification.opened:
        yield f"Since {_clock(since)}: {words[incident]}."
    worse = {Incident.NO_EGRESS, Incident.STANDBY}
    cut = any(incident in worse for incident, _ in notification.opened)
    for incident, since in notification.over:
        if incident is Incident.FAILOVER and cut:
            continue  # it ended because the NATs that stood in were lost, too
        minutes = max(0.0, now - since) / 60
        yield f"Over after {minutes:.0f} min, from {_clock(since)}: {words[incident]}."


_WORDS: Mapping[Incident, str] = {
    Incident.NO_EGRESS: "private subnets without a way to the internet",
    Incident.STANDBY: "no NAT serves private subnets, and the standby gateway does",
    Incident.NOT_OURS: "tables or subnets that lead elsewhere or are missing",
    Incident.REDUNDANCY_LOST: "fewer NATs than wanted, or all in one zone",
    Incident.FAILOVER: "subnets use the NAT of another zone",
    Incident.UNWATCHED: "a NAT that is not watched",
}


_WORDS_WITH_A_GATEWAY: Mapping[Incident, str] = {
    Incident.REDUNDANCY_LOST: (
        "fewer NATs than wanted, all in one zone, or a standby gateway that could not serve"
    ),
}


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def _found(plan: Plan, seen: Observation, settings: Settings, missing: Unwatched) -> Iterator[str]:
    """Yield what was found: the NATs, then what is not as it should be."""
    usable = [judged.nat.zone for judged in plan.health if judged.health is Health.USABLE]
    together = f", all in {usable[0]}" if usable[1:] and len(set(usable)) == 1 else ""
    yield f"NATs: {len(usable)} of {settings.wanted} usable{together}."
    lacking = dict(plan.unstable)
    if plan.standby_lost:
        yield f"The standby gateway could not serve: {plan.standby_lost}."
    found = [
        f"{j.nat.instance} in {j.nat.zone}: {j.health}, {lacking.get(j.nat.instance, j.reason)}"
        for j in plan.health
    ]
    found += [f"{nat.instance} in {nat.zone}: nothing was heard of it" for nat in missing.quiet]
    found += [f"{one} and {other} do not hear each other" for one, other in missing.links]
    homes = _home_subnets(seen)
    found += [
        f"{d.table} in {d.zone} ({_list(homes.get(d.table, ()))}): {d.verdict}, {d.reason}"
        for d in plan.decisions
        if d.verdict is not Verdict.KEEP or d.zone in displaced_zones(plan, seen)
    ]
    found += [f"{d.subnet} in {d.zone}: {d.verdict}, {d.reason}" for d in plan.subnets]
    yield from (f"- {line}" for line in found[:_MOST_LINES])
    if len(found) > _MOST_LINES:
        yield f"- and {len(found) - _MOST_LINES} more; the function's log has all"


def _home_subnets(seen: Observation) -> dict[str, tuple[str, ...]]:
    """Return by table the subnets whose home it is, sorted."""
    return {table.id: tuple(sorted(table.home_subnets)) for table in seen.tables}


def _done(run: Run) -> Iterator[str]:
    """Yield what this run did, counted in tables."""
    seen, moved = run.observation, moves(run)
    zones = {table.id: table.zone for table in seen.tables} if seen else {}
    homes = _home_subnets(seen) if seen else {}
    if not moved and run.failure:
        yield f"Done: nothing. {run.failure[:500]}"
    elif moved:
        yield f"Done: {_count(moved, 'route table')} moved."
    for table, where in list(moved.items())[:_MOST_LINES]:
        about = f" of {zones[table]} ({_list(homes[table])})" if table in zones else ""
        yield f"- {table}{about} to {where}"


def _told(run: Run) -> Iterator[str]:
    """Yield which NATs the group was told to replace, and why."""
    for result in run.results:
        if result.done and isinstance(result.write, MarkUnhealthy):
            yield f"The group was told to replace {result.write.instance}: {result.write.reason}."


def moves(run: Run) -> dict[str, str]:
    """Return which tables came to use something else, and what, however many writes it took."""
    done = (result.write.moved for result in run.results if result.done)
    return dict(each for each in done if each)


def _advice(state: IncidentState, settings: Settings, plan: Plan | None) -> Iterator[str]:
    if not state.notified:
        yield "To do: nothing."
    for incident in Incident:
        waits = incident is Incident.FAILOVER and Incident.REDUNDANCY_LOST in state.notified
        waits = waits or (
            incident is Incident.REDUNDANCY_LOST and _lacks_a_gateway_alone(plan, settings)
        )
        manual = incident is Incident.FAILOVER and settings.failback is Failback.MANUAL
        if incident in state.notified and not waits:
            yield f"To do: {_MANUAL_FAILBACK if manual else _ADVICE[incident]}"
    conflict = plan and any(d.verdict is Verdict.CONFLICT for d in plan.decisions)
    if Incident.NOT_OURS in state.notified and conflict:
        yield f"To do: {_CONFLICT}"
    if Incident.REDUNDANCY_LOST in state.notified and plan and plan.standby_lost:
        yield "To do: make another NAT gateway, and name it in failover.standby_gateway."
    if Incident.REDUNDANCY_LOST in state.notified and plan and _is_left_sick(plan):
        yield f"To do: {_MEND}"


def _lacks_a_gateway_alone(plan: Plan | None, settings: Settings) -> bool:
    """Say whether all that is lost is the standby gateway, which no activity history explains."""
    if plan is None or plan.standby_lost is None:
        return False
    zones = [judged.nat.zone for judged in plan.health if judged.health is Health.USABLE]
    return len(zones) >= settings.wanted and (len(set(zones)) > 1 or settings.wanted == 1)


def _is_left_sick(plan: Plan) -> bool:
    """Say whether a NAT is sick and its group, which takes it for healthy, lets it be."""
    return any(judged.health is Health.SICK and judged.nat.healthy for judged in plan.health)


def _count(things: Sized, what: str) -> str:
    return f"{len(things)} {what}" if len(things) == 1 else f"{len(things)} {what}s"


def _list(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _MOST_LINES} more" if len(names) > _MOST_LINES else ""
    return ", ".join(names[:_MOST_LINES]) + more


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()
