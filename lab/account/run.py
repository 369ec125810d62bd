"""A drill from the question to the outcome."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from lab.account.account_writer import AccountWriter
from lab.account.clock import AccountClock
from lab.account.confirmation import question
from lab.account.connections import connect
from lab.account.deployed import find, must_replace
from lab.account.egress import ways
from lab.account.errors import RealDrillError
from lab.account.faults import account_faults
from lab.account.preflight import choose, must_be_well
from lab.account.refusals import in_a_sentence
from lab.account.session import DrillSession
from nat_failover.observe import observe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import boto3

    from lab.drills.outcome import Moment, Outcome
    from lab.drills.scenario import ScheduledFault

_READS = 3
"""Calls that an observation makes at the same time."""


def drill(  # noqa: PLR0913 - what a drill needs, each thing by name
    faults: Sequence[ScheduledFault],
    stack: str,
    *,
    session: boto3.Session,
    ask: Callable[[str], bool],
    tell: Callable[[Moment], None],
    endpoint: str | None = None,
    speed: float = 1.0,
) -> Outcome:
    """Inject faults into a deployed stack, one after the other, and return what came of them.

    `ask` gets what will be done to what, in words, and returns whether to go on; `tell` gets each
    moment as it is seen. `endpoint` and `speed` are for the emulated region: another address than
    AWS's, and how much shorter the drill's own waits are there.

    Raises:
        RealDrillError: when the drill cannot begin or go on, or when the person said no.

    """
    wanted = account_faults(faults)
    clock = AccountClock(speed=speed)
    with ThreadPoolExecutor(_READS) as threads, in_a_sentence():
        connections = connect(session, endpoint, threads, clock)
        deployed = find(connections, stack)
        writer = AccountWriter(
            stack=deployed.name, once=connections.once, patient=connections.patient
        )
        network = observe(connections.patient, deployed.settings)
        must_be_well(network, deployed)
        must_replace(connections, deployed)
        actions = tuple(choose(fault, deployed, network) for fault in wanted)
        for action in actions:
            writer.dry_run(action)
        if not ask(question(deployed, ways(network, deployed.settings.tables), wanted, actions)):
            message = "the answer was not yes, so nothing was changed: answer yes to go on"
            raise RealDrillError(message)
        return DrillSession(connections, deployed, writer, clock, tell).run(wanted, actions[0])
