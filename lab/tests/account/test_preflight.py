"""What a drill of a real account would do to a stack, whether it may, and how it asks."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from lab.account import RealDrillError, person
from lab.account.confirmation import AFTERWARDS, question
from lab.account.deployed import Deployed
from lab.account.egress import ways
from lab.account.fault_actions import (
    DeleteDefaultRoute,
    RefreshGroup,
    StopNat,
    SwitchCheckOn,
    TerminateNat,
)
from lab.account.faults import AccountFault, account_faults
from lab.account.limits import LIMITS_S
from lab.account.preflight import choose, must_be_well
from lab.drills.faults import FAULTS, ActionKind
from lab.drills.scenario import read_faults
from nat_failover.contract import HomeTable
from nat_failover.model import DefaultRoute, InstanceState, Nat, Observation
from tests.factories import any_function_settings
from tests.unit.worlds import FOREIGN_INTERFACE, any_nat, any_table, network, route_to

HERE, THERE = "us-east-1a", "us-east-1b"
A, B = any_nat("a", zone=HERE), any_nat("b", zone=THERE)


def any_stack() -> Deployed:
    """Return a stack of two zones."""
    tables = tuple(
        HomeTable(id=f"rtb-{name}", zone=zone, subnets=(f"subnet-{name}",))
        for name, zone in (("a", HERE), ("b", THERE))
    )
    return Deployed(
        name="Any",
        account="123456789012",
        caller="arn:aws:iam::123456789012:user/any",
        region="us-east-1",
        group="any-group",
        log_group="any-log",
        handler="any.handler",
        settings=any_function_settings(stack="Any", tables=tables),
    )


def two_zones(*nats: Nat, a: DefaultRoute | None = None) -> Observation:
    """Return a network in which each table leads to its own NAT, except as given."""
    tables = [
        any_table(a or route_to(A), zone=HERE, name="a"),
        any_table(route_to(B), zone=THERE, name="b"),
    ]
    return network(nats or (A, B), tables)


def faults(*written: str) -> tuple[AccountFault, ...]:
    """Return faults as a real account plays them."""
    return account_faults(read_faults(written))


def one(written: str) -> AccountFault:
    """Return a fault as a real account plays it."""
    (fault,) = faults(written)
    return fault


def test_each_action_is_one_fault_of_the_labs_table() -> None:
    """None is left without a fault, and each has a limit and says what becomes of it."""
    actions = [fault.account.kind for fault in FAULTS if fault.account]
    assert len(set(actions)) == len(actions)
    assert set(ActionKind) == set(actions) == LIMITS_S.keys() == AFTERWARDS.keys()


@pytest.mark.parametrize("written", ["terminate", "terminate:b", "planned", "check-reset:a"])
def test_fault_is_shown_as_it_was_written(written: str) -> None:
    """What the outcome names can be played again."""
    assert [written] == [str(fault) for fault in faults(written)]


@pytest.mark.parametrize(
    ("written", "action"),
    [
        ("terminate", TerminateNat(instance="i-a")),
        ("terminate:b", TerminateNat(instance="i-b")),
        ("stop:b", StopNat(instance="i-b")),
        ("check-reset:a", SwitchCheckOn(instance="i-a")),
        ("tamper:b", DeleteDefaultRoute(table="rtb-b", interface="eni-b")),
        ("planned", RefreshGroup(group="any-group", instances=("i-a", "i-b"))),
    ],
)
def test_fault_hits_the_zone_that_it_names_or_the_first(written: str, action: object) -> None:
    """The NAT of the zone, its table, or the whole group."""
    assert action == choose(one(written), any_stack(), two_zones())


def test_fault_names_the_zones_when_the_stack_has_none_of_the_letter() -> None:
    """The fault as it was written, and the zones there are."""
    with pytest.raises(RealDrillError, match=r"terminate:c.*us-east-1a, us-east-1b"):
        choose(one("terminate:c"), any_stack(), two_zones())


def test_fault_names_the_nats_when_the_zone_has_none_of_its_own() -> None:
    """Both NATs are in the other zone."""
    seen = two_zones(B, any_nat("c", zone=THERE), a=route_to(B))
    with pytest.raises(RealDrillError, match="i-b in us-east-1b, i-c in us-east-1b"):
        choose(one("terminate"), any_stack(), seen)


def test_tamper_leaves_a_route_alone_when_it_could_not_put_it_back() -> None:
    """It leads to something that is no NAT of the stack."""
    with pytest.raises(RealDrillError, match="left alone"):
        choose(one("tamper"), any_stack(), two_zones(a=FOREIGN_INTERFACE))


@pytest.mark.parametrize(
    "lost",
    [
        {"state": InstanceState.PENDING},
        {"lifecycle": "Terminating"},
        {"source_dest_check": True},
        {"healthy": False},
    ],
)
def test_stack_is_refused_when_only_one_nat_is_usable(lost: dict[str, Any]) -> None:
    """The last one is never killed; the reason says what is wrong with the other."""
    seen = two_zones(A, any_nat("b", zone=THERE, **lost))
    with pytest.raises(RealDrillError, match=r"has 1 usable .*i-b in us-east-1b"):
        must_be_well(seen, any_stack())


def test_stack_is_refused_when_a_zone_has_no_egress_already() -> None:
    """A drill measures what it causes, and makes nothing worse."""
    with pytest.raises(RealDrillError, match="us-east-1a: i-a"):
        must_be_well(two_zones(a=route_to(A, blackhole=True)), any_stack())


def test_stack_is_accepted_when_each_zone_leaves_and_two_nats_are_usable() -> None:
    """Also when one of them serves both zones."""
    must_be_well(two_zones(a=route_to(B)), any_stack())


def test_question_names_everything_that_is_touched_and_how() -> None:
    """Account, caller, Region, stack, zones, tables, subnets, instances, calls."""
    seen, stack = two_zones(), any_stack()
    wanted = faults("terminate", "tamper:b")
    actions = [choose(fault, stack, seen) for fault in wanted]
    asked = question(stack, ways(seen, stack.settings.tables), wanted, actions)
    for named in (
        "123456789012",
        "user/any",
        "us-east-1\n",
        "Any (replace-route, failback automatic)",
        "us-east-1a: table rtb-a, subnets subnet-a, through i-a (zone a)",
        "us-east-1b: table rtb-b, subnets subnet-b, through i-b (zone b)",
        "1. terminate the NAT i-a (ec2:TerminateInstances)",
        "2. once all is well again",
        "delete the default route of rtb-b, which leads to eni-b (ec2:DeleteRoute)",
        "or else the drill does",
        "cost",
    ):
        assert named in asked


class Terminal(io.StringIO):
    """A terminal at which somebody types."""

    def isatty(self) -> bool:
        """Say that it is one."""
        return True


@pytest.mark.parametrize("typed", ["yes\n", "YES \n"])
def test_person_says_yes_when_yes_is_typed(
    typed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The question is on standard error: standard output is left to the outcome."""
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    assert person(yes=False)("what will be done")
    said = capsys.readouterr()
    assert "what will be done" in said.err
    assert "" == said.out


@pytest.mark.parametrize("typed", ["y\n", "no\n", "\n", ""])
def test_person_says_no_when_anything_else_is_typed(
    typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the input ends."""
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    assert not person(yes=False)("what will be done")


def test_person_is_not_asked_when_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The drill is refused, and the sentence names the option."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    with pytest.raises(RealDrillError, match="--yes"):
        person(yes=False)("what will be done")


def test_person_is_told_but_not_asked_when_yes_was_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also without a terminal."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert person(yes=True)("what will be done")
    assert "what will be done" in capsys.readouterr().err
