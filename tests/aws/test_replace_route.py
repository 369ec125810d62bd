"""Failover and failback with the default strategy: the tables' routes move."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nat_failover.contract import Failback
from tests.aws import messages
from tests.aws.conftest import at_rest
from tests.aws.region import Region

if TYPE_CHECKING:
    from tests.aws.conftest import Deploy, Function


def test_first_launch_opens_every_table_when_no_table_has_a_route(
    fresh: Region, deploy: Deploy
) -> None:
    """The function creates the default routes, after it switched the instances' check off."""
    function = deploy(fresh.settings)

    function(messages.launched(fresh, fresh.nats["a"]))

    assert fresh.served_by() == fresh.nats
    assert not any(fresh.is_checked(nat) for nat in fresh.nats.values())
    assert function.wire.written() == ["CreateRoute"] * 2 + ["ModifyNetworkInterfaceAttribute"] * 2


def test_first_launch_opens_every_table_when_only_one_nat_runs_yet(deploy: Deploy) -> None:
    """The first NAT serves all zones until the second one is there."""
    region = Region()
    function = deploy(region.settings)
    first = region.launch("b", checked=True)

    function(messages.launched(region, first))
    before = region.served_by()
    second = region.launch("a", checked=True)
    function(messages.launched(region, second))
    region.settle()
    function(messages.SWEEP)

    assert before == {"a": first, "b": first}
    assert region.served_by() == {"a": second, "b": first}


def test_function_writes_nothing_when_all_is_as_it_should_be(
    region: Region, function: Function
) -> None:
    """An observation of a healthy network costs three reads and nothing else."""
    function(messages.SWEEP)

    assert region.served_by() == region.nats
    assert [call.operation for call in function.wire.calls if call.is_write] == []
    assert len(function.wire.reads) == 3


def test_table_goes_to_the_survivor_when_its_nat_is_terminated(
    region: Region, function: Function
) -> None:
    """Every private subnet uses the other zone's NAT after a termination, by one write."""
    region.kill(region.nats["a"])

    function(messages.terminated(region, region.nats["a"]))

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    assert function.wire.written() == ["ReplaceRoute"]


def test_table_goes_to_the_survivor_when_its_nat_is_stopped(
    region: Region, function: Function
) -> None:
    """A stopped NAT is as gone as a terminated one, although its interface stays."""
    region.ec2.stop_instances(InstanceIds=[region.nats["a"]])

    function(messages.state_change(region.nats["a"], "stopped"))

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}


def test_table_goes_to_the_survivor_when_the_group_says_unhealthy(
    region: Region, function: Function
) -> None:
    """A NAT that the group is about to replace serves no table, although it still runs."""
    region.autoscaling.set_instance_health(InstanceId=region.nats["a"], HealthStatus="Unhealthy")

    function(messages.SWEEP)

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}


def test_table_goes_to_the_survivor_when_its_nat_enters_standby(
    region: Region, function: Function
) -> None:
    """An instance that a person took out of service serves no table, and gets it back after."""
    region.autoscaling.enter_standby(
        AutoScalingGroupName=region.group,
        InstanceIds=[region.nats["a"]],
        ShouldDecrementDesiredCapacity=True,
    )
    function(messages.SWEEP)
    meanwhile = region.served_by()
    region.autoscaling.exit_standby(
        AutoScalingGroupName=region.group, InstanceIds=[region.nats["a"]]
    )
    region.settle()
    region.know_each_other()
    function(messages.SWEEP)

    assert meanwhile == {"a": region.nats["b"], "b": region.nats["b"]}
    assert region.served_by() == region.nats


def test_table_fails_back_when_its_nat_is_replaced(region: Region, function: Function) -> None:
    """The replacement gets its check switched off, and its own zone's table when it has settled."""
    dead, survivor = region.nats["a"], region.nats["b"]
    region.kill(dead)
    function(messages.terminated(region, dead))
    replacement = region.replace(dead)

    function(messages.launched(region, replacement))
    before = region.served_by()
    region.settle()
    function(messages.SWEEP)

    assert before == {"a": survivor, "b": survivor}
    assert region.served_by() == {"a": replacement, "b": survivor}
    assert not region.is_checked(replacement)


def test_table_stays_away_when_failback_is_manual(region: Region, deploy: Deploy) -> None:
    """With manual failback a working route stays where it is."""
    function = deploy(replace(region.settings, failback=Failback.MANUAL))
    dead, survivor = region.nats["a"], region.nats["b"]
    region.kill(dead)
    function(messages.terminated(region, dead))
    replacement = region.launch("a", checked=True)

    returned = function(messages.launched(region, replacement))

    assert region.served_by() == {"a": survivor, "b": survivor}
    assert "failback is manual" in returned["now"][0]["reason"] + returned["now"][1]["reason"]


def test_table_fails_back_by_hand_when_failback_is_manual(region: Region, deploy: Deploy) -> None:
    """A person who changes the route back is not overruled."""
    function = deploy(replace(region.settings, failback=Failback.MANUAL))
    region.point("a", NetworkInterfaceId=region.interface(region.nats["b"]))
    region.point("a", NetworkInterfaceId=region.interface(region.nats["a"]))

    function(messages.SWEEP)

    assert region.served_by() == region.nats
    assert function.wire.writes == []


def test_all_tables_use_the_first_nat_that_is_back_when_both_had_died(
    region: Region, function: Function
) -> None:
    """After a total loss the first replacement serves every zone."""
    for nat in region.nats.values():
        region.kill(nat)
        function(messages.terminated(region, nat))
    replacement = region.launch("b", checked=True)

    function(messages.launched(region, replacement))

    assert region.served_by() == {"a": replacement, "b": replacement}


def test_routes_stay_as_they_are_when_no_nat_is_left(region: Region, function: Function) -> None:
    """Without a usable NAT nothing is written; the verdict says so for every table."""
    for nat in region.nats.values():
        region.kill(nat)

    returned = function(messages.terminated(region, region.nats["a"]))

    assert function.wire.writes == []
    assert [decision["verdict"] for decision in returned["now"]] == ["no egress"] * 2
    assert {nat["health"] for nat in returned["saw"]} == {"gone"}


def test_tables_spread_over_the_survivors_when_two_of_four_nats_die(deploy: Deploy) -> None:
    """The NAT that serves the fewest tables takes a table over."""
    region = at_rest(Region(name="us-east-1", tables=("a", "b", "c", "d")))
    function = deploy(region.settings, region.name)
    for table in ("a", "b"):
        region.kill(region.nats[table])

    function(messages.terminated(region, region.nats["a"]))

    served = region.served_by()
    assert {served["a"], served["b"]} == {region.nats["c"], region.nats["d"]}


def test_tables_spread_over_both_nats_when_both_are_in_one_zone(deploy: Deploy) -> None:
    """A group that can launch in one zone only still shares the load."""
    region = Region()
    nats = {region.launch("a"), region.launch("a")}
    function = deploy(region.settings)

    function(messages.SWEEP)

    assert set(region.served_by().values()) == nats
