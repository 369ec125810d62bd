"""Contracts of what the watch of a NAT sees and says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_nat_failover.instances.watch import judgement
from lab.drills.boots import delays, peers
from lab.drills.boots.forwarding import darken, hang, lose_egress
from lab.drills.boots.watch import REFUSED, InstancesWatchEachOther
from lab.emulator.isolation import REGION
from lab.tests.drills.boots.watched import watched_nats
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import emulated, eventually

if TYPE_CHECKING:
    from lab.emulator.region import Region

NOTICED_S = judgement.SILENT_S + judgement.HEARTBEAT_S + delays.WATCH_CALL.high
"""Seconds after which a silence is claimed at the latest."""

LOST_S = (
    judgement.PROBE_S
    + judgement.FAILURES * judgement.PROBE_TIMEOUT_S
    + (judgement.FAILURES - 1) * judgement.PROBE_AGAIN_S
    + delays.WATCH_CALL.high
)
"""Seconds after which a lost egress is."""


@contract_of(InstancesWatchEachOther)
def test_nats_that_are_well_say_so_each_minute(region: Region) -> None:
    """And that they know the ring."""
    nats = watched_nats(region)
    for zone in "ab":
        before = len(nats.claims(zone))
        nats.pass_time(180)
        new = nats.claims(zone)[before:]
        assert len(new) == 3
        assert {(row["ailment"], row["ring"], *row["silent"]) for row in new} == {(None, 1)}


def test_hour_in_which_all_is_well_costs_few_steps(region: Region) -> None:
    """Heartbeats and probes that say nothing new are not played."""
    nats, steps = watched_nats(region), list[float]()
    region.clock.each_step(lambda: steps.append(region.clock.now()))
    nats.pass_time(3600)
    assert len(steps) < 1500


@contract_of(InstancesWatchEachOther)
def test_nat_that_hangs_is_accused_seconds_later(region: Region) -> None:
    """By each peer that hears it no more, and it says nothing itself."""
    nats = watched_nats(region, "abc")
    hang(region.aws, emulated(nats.nats["b"]))
    began, before = region.clock.now(), len(nats.claims("b"))
    for zone in "ac":
        assert eventually(region, lambda zone=zone: bool(nats.claims(zone)[-1]["silent"]))  # type: ignore[misc]
        assert nats.claims(zone)[-1]["silent"].keys() == {nats.nats["b"]}
    assert judgement.SILENT_S - judgement.HEARTBEAT_S <= region.clock.now() - began <= NOTICED_S
    assert len(nats.claims("b")) == before


@contract_of(InstancesWatchEachOther)
def test_nat_without_egress_tells_its_peer_which_claims_it(region: Region) -> None:
    """It cannot publish itself until the internet is back."""
    nats = watched_nats(region)
    before = len(nats.claims("b"))
    darken(region.aws, [f"{REGION}b"])
    began = region.clock.now()
    assert eventually(region, lambda: bool(nats.claims("a")[-1]["ill"]))
    assert region.clock.now() - began <= LOST_S
    assert nats.claims("a")[-1]["ill"] == {nats.nats["b"]: "egress"}
    assert len(nats.claims("b")) == before
    darken(region.aws, [])
    assert eventually(region, lambda: len(nats.claims("b")) > before)
    assert eventually(region, lambda: not nats.claims("a")[-1]["ill"])
    assert eventually(region, lambda: nats.claims("b")[-1]["ailment"] is None)


@contract_of(InstancesWatchEachOther)
def test_nats_whose_link_is_cut_accuse_each_other(region: Region) -> None:
    """Both reach the internet, and neither says that anything is wrong with itself."""
    nats = watched_nats(region)
    peers.cut_links(region.aws, f"{REGION}b")
    nats.pass_time(NOTICED_S)
    for zone, other in (("a", "b"), ("b", "a")):
        last = nats.claims(zone)[-1]
        assert (last["ailment"], [*last["silent"]]) == (None, [nats.nats[other]])
    peers.cut_links(region.aws, None)
    nats.pass_time(NOTICED_S)
    assert [nats.claims(zone)[-1]["silent"] for zone in "ab"] == [{}, {}]


@contract_of(InstancesWatchEachOther)
def test_nat_is_accused_when_its_watch_hangs_and_not_when_it_is_stopped(region: Region) -> None:
    """A watch that is stopped says farewell first."""
    nats = watched_nats(region)
    peers.stop(region.aws, emulated(nats.nats["b"]), frozen=False)
    nats.pass_time(60)
    assert nats.claims("a")[-1]["silent"] == {}
    peers.start_all(region.aws)
    nats.pass_time(60)
    peers.stop(region.aws, emulated(nats.nats["b"]), frozen=True)
    nats.pass_time(60)
    assert nats.claims("a")[-1]["silent"].keys() == {nats.nats["b"]}


@contract_of(InstancesWatchEachOther)
def test_nat_that_ends_is_not_accused(region: Region) -> None:
    """It says farewell as it shuts down, unless it hangs."""
    nats = watched_nats(region)
    region.client("ec2").terminate_instances(InstanceIds=[nats.nats["b"]])
    nats.pass_time(60)
    assert {tuple(row["silent"]) for row in nats.claims("a")} == {()}


@contract_of(InstancesWatchEachOther)
def test_nat_learns_a_new_ring_and_says_when_its_last_flow_has_ended(region: Region) -> None:
    """Those that leave count their flows."""
    nats = watched_nats(region)
    nats.publish_ring(2, b="leaving")
    nats.pass_time(5)
    assert [nats.claims(zone)[-1]["ring"] for zone in "ab"] == [2, 2]
    assert nats.claims("b")[-1]["flows"]
    assert nats.claims("a")[-1]["flows"] is None
    nats.pass_time(delays.FLOWS_END.high + judgement.EMPTY_S + 1)
    assert nats.claims("b")[-1]["flows"] == 0


@contract_of(InstancesWatchEachOther)
def test_nat_whose_role_may_not_publish_says_so_once(region: Region) -> None:
    """Its calls are judged by the policies of its role."""
    nats = watched_nats(region, without="sns:Publish")
    nats.pass_time(120)
    refused = [row.detail["error"] for row in region.journal.entries(REFUSED)]
    assert refused == ["AccessDenied"] * 2
    assert nats.claims("a") == []


@contract_of(InstancesWatchEachOther)
def test_nat_knows_no_ring_when_its_role_may_not_read_it(region: Region) -> None:
    """It goes on saying how it is itself."""
    nats = watched_nats(region, without="dynamodb:GetItem")
    lose_egress(region.aws, emulated(nats.nats["b"]))
    nats.pass_time(60)
    assert nats.claims("a")[-1]["ring"] is None
    assert nats.claims("a")[-1]["ill"] == {}


def test_nats_publish_nothing_for_a_function_that_knows_no_claims(region: Region) -> None:
    """They go on watching each other."""
    nats = watched_nats(region)
    peers.silence(region.aws)
    before = len(nats.claims("a"))
    nats.pass_time(120)
    assert len(nats.claims("a")) == before
