"""From snapshots and log lines to the outcome of the drill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.account.egress import forwards
from lab.account.spans import at_home, came_home, outage, spans
from lab.drills.outcome import Moment, NatSeen, Outcome, TableSeen, Topology, Write
from lab.emulator.journal import Who
from nat_failover.model import InstanceState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.account.deployed import Deployed
    from lab.account.egress import Way
    from lab.account.log import FunctionRun
    from lab.account.observer import StackObserver
    from lab.account.spans import Snapshot
    from nat_failover.contract import HomeTable
    from nat_failover.model import Nat

CLOCK = "account"


def outcome(
    fault: str,
    deployed: Deployed,
    observer: StackObserver,
    runs: Sequence[FunctionRun],
    moments: Sequence[Moment],
) -> Outcome:
    """Return what came of the drill.

    What cannot be known from outside is empty: the function's calls and their depth, and the time
    to write, because the function logs its writes all at once. So the time to decide goes to the
    log line of the first write, after its effect.
    """
    snapshots, last = observer.snapshots, observer.snapshots[-1]
    egress = {zone: spans(zone, snapshots, observer.faults) for zone in deployed.zones}
    first = next((run for run in runs if run.writes), None)
    detected = first.started if first else None
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
        time_to_decide=first.writes[0].time - detected if first and detected is not None else None,
        time_to_write=None,
        time_to_come_home=came_home(snapshots),
        calls=(),
        depth=0,
        writes=tuple(_writes(runs)),
        topology=tuple(_topologies(snapshots, deployed)),
        recovered=_all_work(last),
        home=at_home(last),
    )


def _writes(runs: Sequence[FunctionRun]) -> Iterator[Write]:
    for number, run in enumerate(runs, start=1):
        for write in run.writes:
            yield Write(
                time=write.time,
                name=write.call,
                target=write.target,
                error=write.error,
                invocation=number,
            )


def _ran(runs: Sequence[FunctionRun]) -> Iterator[Moment]:
    for number, run in enumerate(runs, start=1):
        trigger = ", ".join(run.trigger) or "unknown"
        if run.started is not None:
            what = f"run {number} begins (trigger: {trigger})"
            yield Moment(
                time=run.started, source=Who.LAMBDA.value, kind="function began", what=what
            )
        for write in run.writes:
            what = f"run {number} wrote: {write.call} {write.target}" + f": {write.error}" * bool(
                write.error
            )
            yield Moment(time=write.time, source=Who.LAMBDA.value, kind="write", what=what)
        if run.ended is not None:
            what = f"run {number} ended (trigger: {trigger})"
            yield Moment(
                time=run.ended, source=Who.LAMBDA.value, kind="function answered", what=what
            )


def _topologies(snapshots: Sequence[Snapshot], deployed: Deployed) -> Iterator[Topology]:
    """Yield how it was before the fault, at the worst moment, and after."""
    gone = {
        nat.instance for nat in snapshots[0].network.nats if nat.state is InstanceState.TERMINATED
    }
    for name, snapshot in (
        ("before", snapshots[0]),
        ("during", _during(snapshots)),
        ("after", snapshots[-1]),
    ):
        nats = [nat for nat in snapshot.network.nats if nat.instance not in gone]
        yield Topology(
            name=name,
            time=snapshot.begin,
            nats=tuple(_nat(nat) for nat in sorted(nats, key=lambda nat: (nat.zone, nat.instance))),
            tables=tuple(
                _table(home, snapshot.ways[home.zone])
                for home in sorted(deployed.settings.tables, key=lambda home: home.zone)
            ),
        )


def _during(snapshots: Sequence[Snapshot]) -> Snapshot:
    """Return the worst snapshot: the first of those that saw the most zones without internet.

    Where none was, it is the first that saw a change.
    """
    before, *after = snapshots
    worst = max(snapshots, key=_lost)
    changed = [snapshot for snapshot in after if snapshot.ways != before.ways] or after or [before]
    return worst if _lost(worst) else changed[0]


def _lost(snapshot: Snapshot) -> int:
    return sum(not way.works for way in snapshot.ways.values())


def _all_work(snapshot: Snapshot) -> bool:
    return all(way.works for way in snapshot.ways.values())


def _nat(nat: Nat) -> NatSeen:
    return NatSeen(
        instance=nat.instance, zone=nat.zone, state=str(nat.state), forwards=forwards(nat)
    )


def _table(home: HomeTable, way: Way) -> TableSeen:
    return TableSeen(
        table=home.id,
        zone=home.zone,
        subnets=home.subnets,
        through=way.through,
        works=way.works,
        words=way.words,
    )
