"""A drill with packets, from the deployment with the CDK CLI to what private hosts saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.cli.drill import DEPLOYMENT_PACE
from lab.cli.packets import BEHAVIOURS, drill_with_packets
from lab.drills.scenario import read_faults
from lab.emulator.region import Region
from lab.emulator.time.clock import RealClock

if TYPE_CHECKING:
    from lab.drills.host_packets import HostPackets
    from lab.drills.outcome import Outcome

PACE = 10.0
"""So much faster than on the wall does the control plane go here, so that the test ends."""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Return what came of a terminated NAT, and then of the other with its check turned on."""
    with Region(BEHAVIOURS, clock=RealClock(DEPLOYMENT_PACE)) as region:
        return drill_with_packets(
            region,
            tmp_path_factory.mktemp("drill"),
            None,
            faults=read_faults(["terminate:a", "check-reset:b@20"]),
            seed=0,
            strategy=None,
            handler=None,
            pace=PACE,
        )


def test_hosts_of_a_terminated_nat_are_reset_and_connect_again(outcome: Outcome) -> None:
    """The next packet takes the other NAT, which does not know it; a download may send none."""
    assert (outcome.clock, outcome.recovered, outcome.home) == ("real", True, True)
    flows = {flow.name: flow for flow in host_in(outcome, "a").flows}
    for name in ("chatty", "idle", "upload", "keep-alive"):
        flow = flows[name]
        first = flow.breaks[0]
        assert first.error == "Connection reset by peer"
        assert first.learned > 0
        assert first.reconnected is not None
        assert flow.waits_since is None


def test_hosts_lose_probes_while_the_check_of_their_nat_is_on(outcome: Outcome) -> None:
    """It lets nothing through; what the function repairs, they get through again."""
    for probes in host_in(outcome, "b").probes:
        assert probes.losses
        assert probes.losses[0].start > 0
        assert probes.lost < probes.sent / 2


def test_flows_outlive_an_outage_of_a_nat_that_lives(outcome: Outcome) -> None:
    """It knows them still when it forwards again: nothing is reset."""
    flows = {flow.name: flow for flow in host_in(outcome, "b").flows}
    for name in ("chatty", "idle", "upload", "download"):
        assert flows[name].breaks == ()
        assert flows[name].waits_since is None


def host_in(outcome: Outcome, zone: str) -> HostPackets:
    """Return the private host in a zone."""
    (host,) = (host for host in outcome.packets if host.zone.endswith(zone))
    return host
