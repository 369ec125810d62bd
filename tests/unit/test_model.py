"""The state words of a NAT: each instance has exactly one, with a reason in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nat_failover.model import DefaultRoute, Health, InstanceState, Judgement
from tests.unit.worlds import any_nat, any_table, judged, network

ROWS: list[tuple[dict[str, Any], Health, str]] = [
    ({}, Health.USABLE, "it runs, is in service and may forward"),
    ({"state": InstanceState.PENDING}, Health.BOOTING, "EC2 is starting it"),
    ({"lifecycle": "Pending"}, Health.BOOTING, "the group says Pending"),
    ({"lifecycle": "Pending:Wait"}, Health.BOOTING, "the group says Pending:Wait"),
    ({"lifecycle": "Warmed:Running"}, Health.BOOTING, "the group says Warmed:Running"),
    ({"lifecycle": "Terminating:Wait"}, Health.LEAVING, "the group says Terminating:Wait"),
    ({"lifecycle": "Standby"}, Health.LEAVING, "the group says Standby"),
    ({"lifecycle": "Detaching"}, Health.LEAVING, "the group says Detaching"),
    ({"state": InstanceState.STOPPING}, Health.LEAVING, "EC2 says stopping"),
    ({"state": InstanceState.SHUTTING_DOWN}, Health.LEAVING, "EC2 says shutting-down"),
    ({"state": InstanceState.STOPPED}, Health.GONE, "EC2 says stopped"),
    ({"state": InstanceState.TERMINATED}, Health.GONE, "EC2 says terminated"),
    ({"state": InstanceState.UNKNOWN}, Health.GONE, "EC2 describes no such member in this VPC"),
    ({"lifecycle": None}, Health.GONE, "it runs, but the group does not list it"),
    ({"healthy": False}, Health.SICK, "the group says Unhealthy"),
    ({"interface": None}, Health.SICK, "it has no network interface"),
    ({"addressed": False}, Health.SICK, "it has no public address"),
    ({"routed": False}, Health.SICK, "no route leads from its subnet to the internet"),
    ({"source_dest_check": True}, Health.SICK, "its source/destination check is on"),
]


@pytest.mark.parametrize(("facts", "health", "reason"), ROWS, ids=[row[2] for row in ROWS])
def test_judge_has_one_word_and_a_reason_for_every_nat(
    facts: dict[str, Any], health: Health, reason: str
) -> None:
    """Each thing that keeps a NAT from serving has its own word and reason."""
    nat = any_nat(**facts)
    assert Judgement(nat, health, reason) == judged(nat, network({nat}, {any_table()}))


def test_judge_believes_a_message_when_it_names_the_instance() -> None:
    """A message that an instance is leaving counts for that instance, and for no other."""
    nat, other = any_nat("x"), any_nat("y")
    seen = replace(network({nat, other}, {any_table()}), leaving=frozenset({"i-x"}))
    said = judged(nat, seen)
    assert (Health.LEAVING, "a message says that it is leaving") == (said.health, said.reason)
    assert judged(other, seen).health is Health.USABLE


@pytest.mark.parametrize(
    ("route", "shown"),
    [
        (DefaultRoute(interface="eni-1", instance="i-1"), "i-1"),
        (DefaultRoute(interface="eni-1"), "eni-1"),
        (DefaultRoute(other="nat-1"), "nat-1"),
        (DefaultRoute(blackhole=True), "a target without a name"),
    ],
)
def test_default_route_shows_its_target_as_a_person_names_it(
    route: DefaultRoute, shown: str
) -> None:
    """The instance says more than its interface, and either may be missing."""
    assert shown == str(route)
