"""Drills by the account's own clock, of the app deployed in the emulated region.

The region's clock goes 30 times as fast as AWS's, so that its NATs claim nothing: a busy machine
would be late with their heartbeats. The function's own clock goes as the wall's, and it lets a
table fail back after a minute, so that the drill waits three times more briefly alone.
"""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from lab.account import PERMISSIONS, RealDrillError, drill
from lab.drills.boots.peers import between
from lab.drills.catalogue import BEHAVIOURS
from lab.drills.lab_settings import lab_settings
from lab.drills.outcome import Moment
from lab.drills.scenario import read_faults
from lab.emulator.isolation import ACCOUNT, PROJECT
from lab.emulator.region import Region
from lab.emulator.time.clock import RealClock
from lab.tests.account.answers import NOWHERE, answer, any_session, hear, refusal, refuse
from lab.tests.emulator.factories import default_route, describe, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import boto3

    from lab.drills.cdk import Cdk
    from lab.drills.outcome import Outcome

STACK = "NatFailover"
PACE, SPEED = 30.0, 3.0
DEPLOYMENT_PACE = 10.0
"""At the other one the function has 28 s on the wall to answer, and a busy machine takes longer."""

BRIEF = 100.0
"""A speed with which the drill's patience is over before the next sweep could come."""


@pytest.fixture(scope="module")
def account(
    isolated: None, tmp_path_factory: pytest.TempPathFactory, cli: Callable[..., Cdk]
) -> Iterator[Region]:
    """Return a region with the app in it; each test leaves the app as it found it."""
    del isolated  # it has taken the person's AWS settings away
    directory = tmp_path_factory.mktemp("app")
    context, clock = lab_settings(PROJECT, None).context, RealClock(DEPLOYMENT_PACE)
    with (
        Region(BEHAVIOURS, clock=clock) as region,
        closing(cli(region.endpoint, directory, context=context)) as cdk,
    ):
        cdk.bootstrap()
        cdk.synth()
        cdk.deploy()
        clock.set_pace(PACE)
        between(region.aws).silenced = True
        yield region


def play(
    region: Region,
    *faults: str,
    session: boto3.Session | None = None,
    **options: Any,  # noqa: ANN401 - drill's
) -> Outcome:
    """Play faults on the stack of the region."""
    return drill(
        read_faults(faults),
        STACK,
        session=session or any_session(),
        endpoint=region.endpoint,
        **{"ask": lambda _: True, "tell": lambda _: None, "speed": SPEED, **options},
    )


def tables(region: Region) -> list[str]:
    """Return the private tables, by zone."""
    stack = region.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    outputs = {row["OutputKey"]: row["OutputValue"] for row in stack["Outputs"]}
    return str(outputs["PrivateRouteTables"]).split(",")


def target(region: Region, zone: int) -> str:
    """Return the interface that a zone's default route leads to."""
    return str(default_route(region, tables(region)[zone])["NetworkInterfaceId"])


def instance_of(region: Region, zone: int) -> str:
    """Return the instance that a zone's default route leads to."""
    return str(default_route(region, tables(region)[zone])["InstanceId"])


def lead(region: Region, zone: int, interface: str) -> None:
    """Point a zone's default route to an interface."""
    table = tables(region)[zone]
    region.client("ec2").replace_route(
        RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NetworkInterfaceId=interface
    )
    settle(region)


@pytest.fixture
def no_sweep(account: Region) -> Iterator[None]:
    """Take the sweep away, so that nobody repairs what has no event."""
    events = account.client("events")
    names = [rule["Name"] for rule in events.list_rules()["Rules"] if "ScheduleExpression" in rule]
    for name in names:
        events.disable_rule(Name=name)
    yield
    for name in names:
        events.enable_rule(Name=name)


@dataclass(frozen=True, slots=True)
class Stopped:
    """A drill that stops a zone's NAT, with what was told of it."""

    nat: str
    told: tuple[Moment, ...]
    outcome: Outcome


@pytest.fixture(scope="module")
def stopped(account: Region) -> Stopped:
    """Return the drill that stops the NAT of the second zone."""
    nat, told = instance_of(account, 1), list[Moment]()
    outcome = play(account, "stop:b", tell=told.append)
    return Stopped(nat, tuple(told), outcome)


def measured(outcome: Outcome, hit: str, other: str) -> None:
    """See that the zone that was hit lost its egress from the fault on, and the other one never."""
    assert ("account", "replace-route") == (outcome.clock, outcome.strategy)
    assert outcome.recovered
    assert outcome.home
    assert 0 < outcome.outage[hit]
    assert 0 == outcome.outage[other]
    before, lost, *_, last = outcome.egress[hit]
    assert (True, False, True) == (before.works, lost.works, last.works)
    assert outcome.time_to_come_home
    assert outcome.outage[hit] <= outcome.time_to_come_home
    assert "fault" == next(moment.kind for moment in outcome.timeline if moment.time >= 0)
    assert json.loads(json.dumps(outcome.as_json()))["egress"].keys() == {hit, other}


def test_drill_measures_an_outage_and_the_way_home(stopped: Stopped) -> None:
    """What is told meanwhile is on the timeline."""
    measured(stopped.outcome, "us-east-1b", "us-east-1a")
    assert "stop:b" == stopped.outcome.fault
    assert set(stopped.told) <= set(stopped.outcome.timeline)


def test_drill_shows_what_replaced_a_nat_and_what_the_function_wrote(
    account: Region, stopped: Stopped
) -> None:
    """The tables at the worst moment and after it, the log's writes in order, the run of each."""
    lost, table = stopped.nat, tables(account)[1]
    before, during, after = stopped.outcome.topology
    assert [lost] == [nat.instance for nat in before.nats if nat.zone == "us-east-1b"]
    assert {row.through for row in during.tables} == {lost, before.tables[0].through}
    assert after.tables[1].through not in (None, lost)
    writes = stopped.outcome.writes
    repair = next(write for write in writes if write.target.startswith(table))
    assert ("ec2:ReplaceRoute", None) == (repair.name, repair.error)
    assert sorted(write.invocation for write in writes) == [write.invocation for write in writes]


def test_drill_plays_the_next_fault_when_all_is_well_again(account: Region) -> None:
    """Between them each zone is home; both together take no permission but those that are named."""
    session, made = any_session(), set[str]()

    def record(model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's
        made.add(f"{model.service_model.endpoint_prefix}:{model.name}")

    session.events.register("before-call", record)
    outcome = play(account, "terminate", "tamper:b", session=session)
    first, second = [moment for moment in outcome.timeline if moment.kind == "fault"]
    assert "terminate tamper:b" == outcome.fault
    assert first.time < outcome.egress["us-east-1a"][-1].start < second.time
    assert min(outcome.outage.values()) > 0
    needed = ("every drill", "terminate", "tamper")
    assert {action for needs in needed for action in PERMISSIONS[needs]} == made


def test_drill_changes_nothing_when_the_person_says_no(account: Region) -> None:
    """It is asked with the account, the Region, the stack and the instance."""
    asked: list[str] = []
    nat = instance_of(account, 0)

    def no(text: str) -> bool:
        asked.append(text)
        return False

    with pytest.raises(RealDrillError, match="nothing was changed"):
        play(account, "terminate", ask=no)
    for named in (ACCOUNT, "us-east-1", STACK, nat, *tables(account)):
        assert named in asked[0]
    assert "running" == describe(account, nat)["State"]["Name"]


def test_drill_asks_nobody_when_a_needed_call_is_denied(account: Region) -> None:
    """EC2 is asked with a dry run, also for what puts the fault back."""
    session = any_session()
    refuse(session, "ec2.CreateRoute", "UnauthorizedOperation")
    with pytest.raises(RealDrillError, match=r"may not call ec2:CreateRoute .* tamper needs"):
        play(account, "tamper", session=session, ask=lambda _: pytest.fail("it asked"))


@pytest.mark.usefixtures("no_sweep")
def test_drill_does_nothing_when_the_stack_changed_while_the_person_was_asked(
    account: Region,
) -> None:
    """What was named is what is hit, or nothing is."""
    was, other = target(account, 0), target(account, 1)

    def yes(_: str) -> bool:
        lead(account, 0, other)
        return True

    with pytest.raises(RealDrillError, match="changed while you were asked"):
        play(account, "tamper", ask=yes)
    assert other == target(account, 0)
    lead(account, 0, was)


def test_drill_touches_nothing_that_lacks_the_stacks_tag(account: Region) -> None:
    """Whoever took the tag away took the thing out of the stack."""
    table = tables(account)[0]
    tag = {"Key": "nat-failover:stack", "Value": STACK}
    account.client("ec2").delete_tags(Resources=[table], Tags=[tag])
    with pytest.raises(RealDrillError, match=f"{table} has the tag nat-failover:stack=None"):
        play(account, "tamper")
    account.client("ec2").create_tags(Resources=[table], Tags=[tag])


def test_drill_is_refused_when_the_group_would_not_replace_a_nat(account: Region) -> None:
    """Somebody suspended what does it."""
    group = account.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"][0]
    name = {"AutoScalingGroupName": group["AutoScalingGroupName"]}
    account.client("autoscaling").suspend_processes(**name, ScalingProcesses=["Launch"])
    with pytest.raises(RealDrillError, match="Launch are suspended"):
        play(account, "terminate")
    account.client("autoscaling").resume_processes(**name, ScalingProcesses=["Launch"])


@pytest.mark.usefixtures("no_sweep")
def test_drill_puts_the_route_back_when_the_function_does_not(account: Region) -> None:
    """And says that it was the drill that did; the stack recovered not, and is left in peace."""
    was = target(account, 0)
    outcome = play(account, "tamper", "terminate:b", speed=BRIEF)
    assert "tamper" == outcome.fault
    assert not outcome.recovered
    assert None is outcome.time_to_come_home
    settle(account)
    assert was == target(account, 0)
    assert any(moment.kind == "put back" for moment in outcome.timeline)


@pytest.mark.usefixtures("no_sweep")
def test_drill_puts_the_check_back_when_it_is_interrupted(account: Region) -> None:
    """Ctrl-C at any moment after the fault."""
    nat = instance_of(account, 0)

    def interrupt(moment: Moment) -> None:
        if moment.kind == "egress":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play(account, "check-reset", tell=interrupt)
    settle(account)
    assert describe(account, nat)["SourceDestCheck"] is False


@pytest.mark.usefixtures("no_sweep")
def test_drill_puts_the_route_back_when_it_is_interrupted_again(account: Region) -> None:
    """Whoever is in a hurry presses Ctrl-C twice."""
    session, was, told = any_session(), target(account, 0), list[str]()

    def interrupt(moment: Moment) -> None:
        told.append(moment.kind)
        if moment.kind == "egress":
            raise KeyboardInterrupt

    def again() -> None:
        if "egress" in told:
            os.kill(os.getpid(), signal.SIGINT)

    hear(session, "ec2.CreateRoute", again)
    with pytest.raises(KeyboardInterrupt):
        play(account, "tamper", session=session, tell=interrupt)
    assert "put back" == told[-1]
    settle(account)
    assert was == target(account, 0)


def test_drill_says_that_it_does_not_know_when_aws_does_not_answer(account: Region) -> None:
    """An action is not repeated: it may have happened."""
    session, told = any_session(), list[str]()

    def silence() -> None:
        if told:
            told.append("call")
            raise ReadTimeoutError(endpoint_url=NOWHERE)

    hear(session, "ec2.StopInstances", silence)
    with pytest.raises(RealDrillError, match=r"not known whether .* stop the NAT"):
        play(account, "stop", session=session, tell=lambda moment: told.append(moment.kind))
    assert ["fault", "call"] == told


@pytest.mark.usefixtures("no_sweep")
def test_drill_says_how_to_mend_it_when_it_cannot_put_it_back(account: Region) -> None:
    """The sentence holds the command."""
    session, table, was = any_session(), tables(account)[0], target(account, 0)
    gone: list[str] = []

    def lost_permission() -> dict[str, Any] | None:
        return refusal("UnauthorizedOperation") if gone else None

    def told(moment: Moment) -> None:
        gone.extend([moment.kind] * (moment.kind == "fault"))

    hear(session, "ec2.CreateRoute", lost_permission)
    with pytest.raises(RealDrillError, match=f"aws ec2 create-route --route-table-id {table}"):
        play(account, "tamper", session=session, speed=BRIEF, tell=told)
    with suppress(ClientError):  # a run of the function that was late may have been faster
        account.client("ec2").create_route(
            RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NetworkInterfaceId=was
        )
    settle(account)


def test_drill_goes_on_when_observations_are_throttled(account: Region) -> None:
    """A failed observation is no outage, and each one doubles the wait for the next."""
    session, told, asked = any_session(), list[Moment](), list[float]()

    def throttled() -> dict[str, Any] | None:
        if len(asked) == 4 or not any(moment.kind == "fault" for moment in told):
            return None
        asked.append(time.monotonic())
        return refusal("RequestLimitExceeded")

    hear(session, "ec2.DescribeRouteTables", throttled)
    outcome = play(account, "tamper:b", session=session, tell=told.append)
    assert 4 == len([moment for moment in told if moment.kind == "observation failed"])
    # 2, 4 and 8 seconds of the drill's; a busy machine can only make it more.
    assert asked[3] - asked[0] > 0.6 * (2 + 4 + 8) / SPEED
    assert outcome.recovered
    assert 0 == outcome.outage["us-east-1a"]


def test_drill_goes_on_when_the_log_cannot_be_read(account: Region) -> None:
    """The outcome lacks the function's times and writes, and says why."""
    session = any_session()
    refuse(session, "cloudwatch-logs.FilterLogEvents", "AccessDeniedException")
    outcome = play(account, "tamper", session=session)
    measured(outcome, "us-east-1a", "us-east-1b")
    assert () == outcome.writes
    assert any("logs:FilterLogEvents" in moment.what for moment in outcome.timeline)


@pytest.mark.parametrize(("status", "cancelled"), [("InProgress", 1), ("Successful", 0)])
def test_drill_cancels_its_own_instance_refresh_when_it_is_interrupted(
    account: Region, status: str, cancelled: int
) -> None:
    """Unless it is over already; what it replaced stays replaced."""
    session, cancels = any_session(), list[str]()
    answer(session, "auto-scaling.StartInstanceRefresh", {"InstanceRefreshId": "any"})
    rows = [{"InstanceRefreshId": "any", "Status": status}]
    answer(session, "auto-scaling.DescribeInstanceRefreshes", {"InstanceRefreshes": rows})

    def cancel() -> dict[str, Any]:
        cancels.append("any")
        return {"InstanceRefreshId": "any"}

    hear(session, "auto-scaling.CancelInstanceRefresh", cancel)
    interrupted = iter([None, None, None])

    def interrupt() -> None:
        if next(interrupted, "now") == "now" and not cancels:
            raise KeyboardInterrupt

    hear(session, "ec2.DescribeRouteTables", interrupt)
    with pytest.raises(KeyboardInterrupt):
        play(account, "planned", session=session)
    assert cancelled == len(cancels)


@pytest.mark.exhaustive("in the account it differs from other faults by two calls, that are played")
def test_drill_replaces_every_nat_when_the_fault_is_planned(account: Region) -> None:
    """None of those that were there runs at the end, and each zone is home."""
    nats = {instance_of(account, zone) for zone in (0, 1)}
    outcome = play(account, "planned")
    assert outcome.recovered
    assert outcome.home
    assert nats.isdisjoint(table.through for table in outcome.topology[-1].tables)
