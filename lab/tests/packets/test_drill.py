"""Drills with packets, from the deployment with the CDK CLI to what private hosts saw.

The control plane goes faster here than on the wall, so that the tests end; packets, the watches of
NATs and the seconds that the function waits for do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.cli.packets import BEHAVIOURS, DEPLOYMENT_PACE, drill_with_packets
from lab.drills.scenario import read_faults
from lab.emulator.region import Region
from lab.emulator.time.clock import RealClock

if TYPE_CHECKING:
    from pathlib import Path

    from lab.drills.host_packets import HostPackets, Probes, Stretch
    from lab.drills.outcome import Outcome

PACE = 10.0

NOTICED = 4.0
MOVED = 8.0
"""Seconds on the wall for a hang: 2.5 until its peers say so, and a second in which it could
contradict; the rest is for a busy machine."""

HANGS = "test_watch.py shows with packets how soon peers notice it, drills how soon routes move"

KINDS = {"chatty", "idle", "download", "upload", "keep-alive"}


def drill(directory: Path, *faults: str) -> Outcome:
    """Deploy the app, inject faults, and return what came of it."""
    with Region(BEHAVIOURS, clock=RealClock(DEPLOYMENT_PACE)) as region:
        return drill_with_packets(
            region,
            directory,
            None,
            faults=read_faults(faults),
            seed=0,
            strategy=None,
            handler=None,
            pace=PACE,
        )


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Return what came of a terminated NAT, and then of the other with its check turned on."""
    return drill(tmp_path_factory.mktemp("ended"), "terminate:a", "check-reset:b@20")


@pytest.fixture(scope="module")
def hung(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Return what came of a NAT that hung, which its status checks say too: so it is replaced."""
    return drill(tmp_path_factory.mktemp("hung"), "hang:a", "impair:a")


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Return what came of replacing all NATs."""
    return drill(tmp_path_factory.mktemp("planned"), "planned")


def test_hosts_of_a_terminated_nat_are_reset_and_connect_again(ended: Outcome) -> None:
    """The next packet takes the other NAT, which does not know it; a download may send none."""
    assert (ended.clock, ended.recovered, ended.home) == ("real", True, True)
    flows = {flow.name: flow for flow in host_in(ended, "a").flows}
    for name in KINDS - {"download"}:
        flow = flows[name]
        first = flow.breaks[0]
        assert first.error == "Connection reset by peer"
        assert first.learned > 0
        assert first.reconnected is not None
        assert flow.waits_since is None


def test_failback_breaks_no_flow(ended: Outcome) -> None:
    """The NAT at home hands over what began meanwhile, to the other one that knows it."""
    back = ended.time_to_come_home
    assert back is not None
    flows = host_in(ended, "a").flows
    assert {flow.name for flow in flows if not flow.waits_since} >= KINDS - {"download"}
    for flow in flows:
        assert len(flow.breaks) <= 1, flow
        assert all(each.learned < back / PACE for each in flow.breaks), flow


def test_hosts_lose_probes_while_the_check_of_their_nat_is_on(ended: Outcome) -> None:
    """It lets nothing through; what the function repairs, they get through again."""
    for probes in host_in(ended, "b").probes:
        assert probes.losses
        assert probes.losses[0].start > 0
        assert probes.lost < probes.sent / 2


def test_flows_outlive_an_outage_of_a_nat_that_lives(ended: Outcome) -> None:
    """It knows them still when it forwards again: nothing is reset."""
    flows = {flow.name: flow for flow in host_in(ended, "b").flows}
    for name in KINDS - {"keep-alive"}:
        assert flows[name].breaks == ()
        assert flows[name].waits_since is None


@pytest.mark.exhaustive(HANGS)
def test_hosts_of_a_nat_that_hangs_lose_seconds(hung: Outcome) -> None:
    """Its peer hears it no more, the function believes that, and hosts feel what both say."""
    assert hung.time_to_notice is not None
    assert hung.time_to_notice / PACE < NOTICED
    host = host_in(hung, "a")
    for probes in host.probes:
        (outage,) = long(probes)
        assert outage.end - outage.start < MOVED
        assert outage.end - outage.start == pytest.approx(hung.outage[host.zone] / PACE, abs=1.0)


@pytest.mark.exhaustive(HANGS)
def test_hosts_of_a_nat_that_hears_another_one_hang_lose_nothing(hung: Outcome) -> None:
    """Nothing of it moves."""
    host = host_in(hung, "b")
    assert [row for probes in host.probes for row in long(probes)] == []
    assert [row for flow in host.flows for row in flow.breaks] == []


@pytest.mark.exhaustive("hand_over/ shows with packets what flows feel, drills what is lost")
def test_planned_replacement_loses_no_probe_and_breaks_no_flow_of_a_nat_that_lives(
    planned: Outcome,
) -> None:
    """Each flow goes on through the NAT that it began at, until the drain of that one is over."""
    assert (planned.recovered, planned.home) == (True, True)
    for host in planned.packets:
        assert [row for probes in host.probes for row in long(probes)] == []
        drained = end_of_first_nat(planned, host.zone)
        for flow in host.flows:
            assert len(flow.breaks) <= 1, flow
            assert all(each.learned > drained for each in flow.breaks), (flow, drained)


def host_in(outcome: Outcome, zone: str) -> HostPackets:
    """Return the private host in a zone."""
    (host,) = (host for host in outcome.packets if host.zone.endswith(zone))
    return host


def long(probes: Probes) -> list[Stretch]:
    """Return the stretches of lost probes that are no single one, which a busy machine may lose."""
    return [row for row in probes.losses if row.count > 1]


def end_of_first_nat(outcome: Outcome, zone: str) -> float:
    """Return when the NAT ended that served a zone at first, in seconds on the wall."""
    first = outcome.egress[zone][0].through
    ends = (row.time for row in outcome.timeline if row.what == f"{first} is shutting-down")
    return next(ends) / PACE
