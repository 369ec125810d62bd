"""Routes that somebody else wrote, and what belongs to somebody else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws import messages
from tests.aws.conftest import SHORT, at_rest
from tests.aws.region import ANY_IMAGE, Region

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.aws.conftest import Deploy, Function

    Foreign = Callable[[Region], dict[str, str]]


def _nat_gateway(region: Region) -> dict[str, str]:
    made = region.ec2.create_nat_gateway(
        SubnetId=region.homes["a"].public, ConnectivityType="private"
    )
    return {"NatGatewayId": made["NatGateway"]["NatGatewayId"]}


def _internet_gateway(region: Region) -> dict[str, str]:
    made = region.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    region.ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=region.vpc)
    return {"GatewayId": made}


def _foreign_interface(region: Region) -> dict[str, str]:
    made = region.ec2.create_network_interface(SubnetId=region.homes["a"].public)
    interface = made["NetworkInterface"]["NetworkInterfaceId"]
    region.ec2.attach_network_interface(
        DeviceIndex=1,
        InstanceId=_any_instance(region)["InstanceId"],
        NetworkInterfaceId=interface,
    )
    return {"NetworkInterfaceId": interface}


def _foreign_instance(region: Region) -> dict[str, str]:
    instance = _any_instance(region)
    return {"NetworkInterfaceId": instance["NetworkInterfaces"][0]["NetworkInterfaceId"]}


def _any_instance(region: Region) -> Any:  # noqa: ANN401 - boto3's shape
    made = region.ec2.run_instances(
        ImageId=ANY_IMAGE, SubnetId=region.homes["a"].public, MinCount=1, MaxCount=1
    )
    return made["Instances"][0]


FOREIGN = pytest.mark.parametrize(
    "foreign",
    [_nat_gateway, _internet_gateway, _foreign_interface, _foreign_instance],
    ids=lambda f: f.__name__[1:],
)


def test_route_comes_back_when_it_was_deleted(region: Region, function: Function) -> None:
    """A table without a default route is repaired by creating one."""
    region.lose_route("a")

    function(messages.SWEEP)

    assert region.served_by() == region.nats
    assert function.wire.written() == ["CreateRoute"]


def test_route_fails_back_when_it_was_pointed_to_the_other_nat(
    region: Region, function: Function
) -> None:
    """Whoever moved it: a working table belongs to its own zone's NAT."""
    region.point("a", NetworkInterfaceId=region.interface(region.nats["b"]))

    function(messages.SWEEP)

    assert region.served_by() == region.nats


@FOREIGN
def test_route_is_left_alone_and_reported_when_it_leads_to_something_foreign(
    foreign: Foreign, region: Region, function: Function
) -> None:
    """What is not ours has egress of its own, even while every NAT is dead."""
    region.point("a", **foreign(region))
    before = region.default_route("a")

    returned = function(messages.SWEEP)
    for nat in region.nats.values():
        region.kill(nat)
    function(messages.SWEEP)

    assert region.default_route("a") == before
    assert function.wire.writes == []
    assert "not ours" in [decision["verdict"] for decision in returned["now"]]


@FOREIGN
def test_route_is_taken_over_when_it_leads_to_something_foreign_and_adopting_is_on(
    foreign: Foreign, region: Region, deploy: Deploy
) -> None:
    """`adopt` is how a stack moves from NAT gateways to NAT instances."""
    region.point("a", **foreign(region))

    deploy(replace(region.settings, adopt=True))(messages.SWEEP)

    assert region.served_by() == region.nats


def test_foreign_tables_and_instances_are_never_written_when_another_stack_is_in_trouble(
    deploy: Deploy,
) -> None:
    """A stack repairs its own tables through its own NATs and nothing else."""
    ours, theirs = (at_rest(Region(stack=stack)) for stack in ("our-stack", "their-stack"))
    function = deploy(ours.settings)
    for region in (ours, theirs):
        region.kill(region.nats["a"])
    theirs.check(theirs.nats["b"], on=True)

    function(messages.terminated(ours, ours.nats["a"]))

    assert ours.served_by() == {"a": ours.nats["b"], "b": ours.nats["b"]}
    assert theirs.served_by() == {"a": None, "b": theirs.nats["b"]}
    assert theirs.is_checked(theirs.nats["b"])
    written = str([call.parameters for call in function.wire.writes])
    assert ours.homes["a"].table in written
    assert theirs.homes["a"].table not in written


def test_nothing_is_written_when_only_another_stack_has_a_group(deploy: Deploy) -> None:
    """A group that was deleted by hand is not replaced by the next best one."""
    ours, theirs = (at_rest(Region(stack=stack)) for stack in ("our-stack", "their-stack"))
    function = deploy(ours.settings)
    ours.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=ours.group)

    returned = function(messages.SWEEP, seconds=SHORT)

    assert theirs.served_by() == theirs.nats
    assert function.wire.writes == []
    assert returned["failure"].startswith("IncompleteError: there is no Auto Scaling group named")


def test_tables_of_the_stack_are_not_written_when_the_settings_do_not_list_them(
    region: Region, deploy: Deploy
) -> None:
    """A tag does not make a table ours: only the list does."""
    only_b = tuple(table for table in region.settings.tables if table.zone.endswith("b"))
    function = deploy(replace(region.settings, tables=only_b))
    region.lose_route("a")

    function(messages.SWEEP)

    assert region.default_route("a") is None
    assert function.wire.writes == []


@pytest.mark.parametrize("name", ["us-east-1", "ap-southeast-2"])
def test_function_repairs_when_it_runs_in_another_region(name: str, deploy: Deploy) -> None:
    """The Region comes from the environment that Lambda sets; nothing else names one."""
    region = at_rest(Region(name=name))
    function = deploy(region.settings, name)
    region.kill(region.nats["a"])

    function(messages.terminated(region, region.nats["a"]))

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    assert len(region.notifications()) == 1


@pytest.mark.parametrize("name", ["cn-north-1", "us-gov-west-1"])
def test_function_repairs_when_it_runs_in_another_partition(name: str, deploy: Deploy) -> None:
    """No ARN and no endpoint is built by hand."""
    region = at_rest(Region(name=name))
    function = deploy(region.settings, name)
    region.kill(region.nats["a"])

    function(messages.terminated(region, region.nats["a"]))

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
