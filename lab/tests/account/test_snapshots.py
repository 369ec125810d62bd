"""From snapshots at a real account and lines of a log to times: what is told, and how exactly."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from lab.account.clock import AccountClock, Heard, bounds
from lab.account.egress import Way, ways
from lab.account.log import FunctionRun, LoggedWrite, runs
from lab.account.observer import differences
from lab.account.spans import Snapshot, came_home, outage, spans
from nat_failover.contract import HomeTable
from nat_failover.model import Association, DefaultRoute, InstanceState, Nat
from tests.unit.worlds import (
    FOREIGN_INTERFACE,
    HERE,
    NAT_GATEWAY,
    THERE,
    any_nat,
    any_table,
    network,
    route_to,
)

NAT = any_nat(source_dest_check=False)
HOME = HomeTable(id="rtb-any", zone=HERE, subnets=("subnet-any",))

WORKS = Way(works=True, through="i-here", zone=HERE, words="i-here")
AWAY = Way(works=True, through="i-there", zone=THERE, words="i-there")
LOST = Way(works=False, words="no default route")


def snapshot(begin: float, way: Way, *nats: Nat) -> Snapshot:
    """Return a snapshot that took a tenth of a second."""
    return Snapshot(begin=begin, end=begin + 0.1, network=network(nats, []), ways={HERE: way})


@pytest.mark.parametrize(
    ("route", "nat", "words"),
    [
        (None, NAT, "no default route"),
        (route_to(NAT, blackhole=True), NAT, "blackhole"),
        (route_to(NAT), any_nat(state=InstanceState.SHUTTING_DOWN), "shutting-down"),
        (route_to(NAT), any_nat(state=InstanceState.STOPPED, interface=None), "stopped"),
        (route_to(NAT), any_nat(state=InstanceState.UNKNOWN), "unknown"),
        (route_to(NAT), any_nat(source_dest_check=True), "source/destination check on"),
        (DefaultRoute(interface="eni-any", blackhole=True), any_nat(interface=None), "blackhole"),
        (FOREIGN_INTERFACE, NAT, "no instance of this stack"),
    ],
)
def test_zone_is_without_egress_when_its_route_does_not_lead_to_a_nat_that_forwards(
    route: DefaultRoute | None, nat: Nat, words: str
) -> None:
    """Missing, blackhole, not running, or with its check on."""
    way = ways(network([nat], [any_table(route)]), (HOME,))[HERE]
    assert not way.works
    assert words in way.words


@pytest.mark.parametrize("route", [route_to(NAT), DefaultRoute(interface="eni-any")])
def test_zone_leaves_when_its_route_leads_to_a_nat_that_forwards(route: DefaultRoute) -> None:
    """By the instance, or by its interface alone."""
    way = ways(network([NAT], [any_table(route)]), (HOME,))[HERE]
    assert (True, "i-any", HERE) == (way.works, way.through, way.zone)


def test_zone_leaves_but_is_not_at_home_when_its_route_leads_to_something_else() -> None:
    """A NAT gateway that somebody put there works, and is no NAT of the stack."""
    way = ways(network([NAT], [any_table(NAT_GATEWAY)]), (HOME,))[HERE]
    assert (True, "nat-gateway", None) == (way.works, way.through, way.zone)


def test_zone_leaves_through_the_table_that_its_subnet_uses_now() -> None:
    """With swap-route-table that is another zone's."""
    there = any_nat("there", zone=THERE)
    own = replace(any_table(None), associations=frozenset())
    other = replace(
        any_table(route_to(there), zone=THERE, name="other"),
        associations=frozenset({Association(id="rtbassoc-any", subnet="subnet-any")}),
    )
    way = ways(network([there], [own, other]), (HOME,))[HERE]
    assert (True, "i-there", THERE) == (way.works, way.through, way.zone)


def test_zone_is_without_egress_when_a_subnet_has_no_private_table() -> None:
    """Then it uses the VPC's main one, which leads nowhere; one subnet is enough."""
    home = HomeTable(id="rtb-any", zone=HERE, subnets=("subnet-any", "subnet-astray"))
    way = ways(network([NAT], [any_table(route_to(NAT))]), (home,))[HERE]
    assert not way.works
    assert "main route table" in way.words


def test_outage_goes_from_the_fault_to_the_first_snapshot_that_sees_it_repaired() -> None:
    """Never told too short: the end of that snapshot counts."""
    snapshots = [
        snapshot(-0.5, WORKS),
        snapshot(0.6, LOST),
        snapshot(1.7, LOST),
        snapshot(2.8, AWAY),
    ]
    story = spans(HERE, snapshots, [0.0])
    assert [-0.5, 0.0, snapshots[-1].end] == [span.start for span in story]
    assert [True, False, True] == [span.works for span in story]
    assert snapshots[-1].end == outage(story)


def test_outage_begins_with_the_last_snapshot_that_saw_it_work_when_no_fault_came_between() -> None:
    """Something else broke it at an unknown moment since."""
    snapshots = [
        snapshot(0.0, WORKS),
        snapshot(5.0, WORKS),
        snapshot(6.0, LOST),
        snapshot(7.0, WORKS),
    ]
    assert [0.0, 5.0, 7.1] == [span.start for span in spans(HERE, snapshots, [0.0])]


def test_outage_is_nothing_when_each_snapshot_sees_the_zone_leave() -> None:
    """Also when it leaves through another NAT."""
    assert 0 == outage(spans(HERE, [snapshot(0, WORKS), snapshot(1, AWAY)], [0.0]))


def test_spans_follow_each_other_when_a_zone_works_in_one_snapshot_only() -> None:
    """None begins before the one before it has ended."""
    snapshots = [snapshot(0, LOST), snapshot(1, WORKS), snapshot(2, LOST), snapshot(3, WORKS)]
    story = spans(HERE, snapshots, [])
    assert all(span.start <= span.end for span in story)
    assert [span.end for span in story[:-1]] == [span.start for span in story[1:]]


def test_zone_comes_home_when_it_leaves_through_its_own_nat_for_good() -> None:
    """The last return counts; while it is away there is none."""
    away_twice = [
        snapshot(0, WORKS),
        snapshot(1, AWAY),
        snapshot(2, WORKS),
        snapshot(3, LOST),
        snapshot(4, WORKS),
    ]
    assert 4.1 == came_home(away_twice)
    assert None is came_home(away_twice[:4])
    assert 0 == came_home([snapshot(0, WORKS), snapshot(1, WORKS)])


def test_news_name_what_became_of_each_instance_and_zone() -> None:
    """State, membership, check and egress; what EC2 does not describe yet is no news."""
    before = snapshot(0, WORKS, NAT)
    after = snapshot(
        1,
        LOST,
        any_nat(state=InstanceState.STOPPING, lifecycle="Terminating", source_dest_check=True),
        any_nat("new", state=InstanceState.UNKNOWN, lifecycle="Pending"),
    )
    assert [
        "i-any is stopping",
        "i-any is Terminating",
        "i-any has its source/destination check on",
        "i-new is Pending",
        "private subnets of zone-a leave through no default route",
    ] == [moment.what for moment in differences(before, after, [0.5])]


def test_aws_clock_is_known_better_than_a_second_when_several_answers_came() -> None:
    """Each `Date` says a whole second; where the seconds change says the rest."""
    truth = 1000.25
    heard = [
        Heard(second=float(int(truth + at)), sent=at - 0.01, received=at + 0.01)
        for at in (0.0, 0.3, 0.7, 0.8, 1.2)
    ]
    low, high = bounds(heard)
    assert low <= truth <= high
    assert high - low < 0.2


def test_aws_clock_is_as_far_off_as_a_request_may_be_when_no_answer_came() -> None:
    """The machine's own time is taken, and the uncertainty says so."""
    clock = AccountClock()
    assert 300 == pytest.approx(clock.uncertainty)
    assert abs(clock.since_1970(clock.now()) - time.time()) < 1


def line(request: str, message: str, **facts: object) -> str:
    """Return a line as Lambda's JSON logging writes it."""
    return json.dumps({"message": message, "requestId": request, **facts})


def start(request: str) -> str:
    """Return Lambda's own line at the beginning of an invocation."""
    return json.dumps({"type": "platform.start", "record": {"requestId": request}})


def test_log_tells_when_each_run_began_what_it_wrote_and_why() -> None:
    """Lines of runs that overlap, and lines that are no JSON, in any order."""
    told = runs(
        [
            (2.0, start("second")),
            (
                1.2,
                line("first", "write", call="ec2:Some", target="rtb-1", error=None),
            ),
            (1.0, start("first")),
            (1.3, line("first", "run", trigger=["state change"])),
            (2.4, line("second", "write", call="ec2:Any", target="subnet-1", error="No: no")),
            (2.5, "REPORT RequestId: second"),
            (2.6, "[1, 2]"),
            (2.7, line("second", "decision")),
        ]
    )
    route = LoggedWrite(time=1.2, call="ec2:Some", target="rtb-1", error=None)
    move = LoggedWrite(time=2.4, call="ec2:Any", target="subnet-1", error="No: no")
    assert (
        FunctionRun(started=1.0, ended=1.3, trigger=("state change",), writes=(route,)),
        FunctionRun(started=2.0, writes=(move,)),
    ) == told


def test_log_leaves_out_runs_that_began_before_the_fault() -> None:
    """A sweep that was under way has seen nothing of it."""
    lines = [(-0.5, start("sweep")), (0.5, line("sweep", "run")), (1.0, start("told"))]
    assert [1.0] == [run.started for run in runs(lines)]
    assert [-0.5, 1.0] == [run.started for run in runs(lines, since=-0.6)]
