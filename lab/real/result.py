"""From looks and log lines to the outcome of the drill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.drills.outcome import Moment, NatSeen, Outcome, TableSeen, Topology, Write
from lab.real.egress import along, forwards
from lab.real.spans import at_home, came_home, outage, spans

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.real.deployed import Deployed
    from lab.real.log import Run
    from lab.real.spans import Look
    from lab.real.watch import Watch

CLOCK = "account"


def outcome(
    fault: str, deployed: Deployed, watch: Watch, runs: Sequence[Run], moments: Sequence[Moment]
) -> Outcome:
    """Return what came of the drill.

    What cannot be known from outside is empty: the function's calls and their depth, and the time
    to write, because the function logs its writes all at once.
    """
    looks, last = watch.looks, watch.looks[-1]
    egress = {zone: spans(zone, looks, watch.faults) for zone in deployed.zones}
    detected = _detected(runs)
    return Outcome(
        fault=fault,
        strategy=str(deployed.settings.strategy),
        handler=deployed.handler,
        seed=0,
        clock=CLOCK,
        timeline=tuple(sorted((*moments, *_ran(runs)), key=lambda moment: moment.time)),
        egress=egress,
        outage={zone: outage(story) for zone, story in egress.items()},
        time_to_detect=detected,
        time_to_decide=_decided(runs, detected),
        time_to_write=None,
        time_to_come_home=came_home(looks),
        calls=(),
        depth=0,
        writes=tuple(_writes(runs)),
        topology=tuple(_topologies(looks, deployed)),
        recovered=all(way.works for way in last.ways.values()),
        home=at_home(last),
    )


def _detected(runs: Sequence[Run]) -> float | None:
    return next((run.started for run in runs if run.started is not None), None)


def _decided(runs: Sequence[Run], detected: float | None) -> float | None:
    """Return how long it took from the first message to the log line of the first write."""
    written = [write.time for run in runs for write in run.writes]
    return None if detected is None or not written else min(written) - detected


def _writes(runs: Sequence[Run]) -> Iterator[Write]:
    for number, run in enumerate(runs, start=1):
        for write in run.writes:
            yield Write(
                time=write.time,
                name=write.call,
                target=write.target,
                error=write.error,
                invocation=number,
            )


def _ran(runs: Sequence[Run]) -> Iterator[Moment]:
    for number, run in enumerate(runs, start=1):
        trigger = ", ".join(run.trigger) or "unknown"
        if run.started is not None:
            what = f"run {number} begins (trigger: {trigger})"
            yield Moment(time=run.started, source="Lambda", kind="invoked", what=what)
        for write in run.writes:
            what = f"run {number} wrote: {write.words}" + f" - {write.error}" * bool(write.error)
            yield Moment(time=write.time, source="Lambda", kind="write", what=what)
        if run.ended is not None:
            what = f"run {number} ended (trigger: {trigger})"
            yield Moment(time=run.ended, source="Lambda", kind="function answered", what=what)


def _topologies(looks: Sequence[Look], deployed: Deployed) -> Iterator[Topology]:
    """Yield how it was before the fault, at its worst or while served from elsewhere, and after."""
    yield _topology("before", looks[0], deployed)
    yield _topology("during", _middle(looks), deployed)
    yield _topology("after", looks[-1], deployed)


def _middle(looks: Sequence[Look]) -> Look:
    """Return the first look that sees a zone served from elsewhere, else one without egress."""
    after = looks[1:] or looks
    away = [look for look in after if not at_home(look)]
    served = [look for look in away if all(way.works for way in look.ways.values())]
    return (served or away or after)[0]


def _topology(name: str, look: Look, deployed: Deployed) -> Topology:
    network, zone_of = look.network, {home.id: home.zone for home in deployed.settings.tables}
    ways = {table.id: along(table, network) for table in network.tables}
    return Topology(
        name=name,
        time=look.end,
        nats=tuple(
            NatSeen(
                instance=nat.instance, zone=nat.zone, state=str(nat.state), forwards=forwards(nat)
            )
            for nat in sorted(network.nats, key=lambda nat: (nat.zone, nat.instance))
        ),
        tables=tuple(
            TableSeen(
                table=table.id,
                zone=zone_of[table.id],
                subnets=tuple(sorted(row.subnet for row in table.associations)),
                through=ways[table.id].through,
                works=ways[table.id].works,
                words=ways[table.id].words,
            )
            for table in sorted(network.tables, key=lambda table: zone_of[table.id])
        ),
    )
