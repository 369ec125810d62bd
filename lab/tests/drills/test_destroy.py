"""`cdk destroy` in every state of the stack: nothing is left, or what must be done is said."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from lab.drills.boots.forwarding import never_boots
from lab.drills.catalogue import BEHAVIOURS
from lab.drills.cdk import CdkError
from lab.drills.drill_pool import Task, run_all
from lab.drills.injectors import conditions, instances, network, updates
from lab.drills.injectors.context import FaultContext
from lab.drills.lab_settings import lab_settings
from lab.drills.testbed import deployed
from lab.emulator.isolation import PROJECT
from lab.emulator.region import Region
from lab.tests.emulator.factories import reasons, status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lab.drills.cdk import Cdk
    from lab.drills.testbed import AppTestbed

MINUTES = 60.0

ENDS = 15 * MINUTES
"""How long a deletion takes at most."""

GIVES_UP = 9 * MINUTES
"""How long one takes at most that the function cannot do its part of, and says so."""

SILENCE = 15 * MINUTES
"""How long one takes at most until it fails because the function says nothing."""


def _fail_over(fault: FaultContext) -> None:
    """Let a zone lose its NAT, and the other one's serve its table."""
    home = fault.home("a")
    conditions.zone_outage(fault, "a")
    assert fault.region.clock.wait_until(lambda: fault.monitor.now(home).zone != home.zone, MINUTES)


def _lose_all(fault: FaultContext) -> None:
    """Let no NAT be left, and none come."""
    conditions.no_capacity(fault, None)
    instances.both(fault, None)
    assert fault.region.clock.wait_until(lambda: not _living(fault), 20 * MINUTES)


def _begin_a_launch(fault: FaultContext) -> None:
    """Let the launch hook hold a new NAT."""
    instances.terminate(fault, "a")
    _wait_for(fault, "Pending:Wait")


def _begin_a_drain(fault: FaultContext) -> None:
    """Let the drain hook hold a NAT."""
    autoscaling = fault.region.client("autoscaling")
    autoscaling.terminate_instance_in_auto_scaling_group(
        InstanceId=fault.nat("a"), ShouldDecrementDesiredCapacity=False
    )
    _wait_for(fault, "Terminating:Wait")


def _hold_members(fault: FaultContext) -> None:
    """Put a NAT into standby, and protect the other."""
    network.stand_by(fault, "a")
    network.protect(fault, None)


def _lose_log_and_memory(fault: FaultContext) -> None:
    """Delete the function's log group, and the table that is its memory."""
    logs, dynamodb = fault.region.client("logs"), fault.region.client("dynamodb")
    for row in logs.describe_log_groups()["logGroups"]:
        logs.delete_log_group(logGroupName=row["logGroupName"])
    for name in dynamodb.list_tables()["TableNames"]:
        dynamodb.delete_table(TableName=name)


def _fail_an_update(fault: FaultContext) -> None:
    """Let an update fail, and its rollback."""
    never_boots(fault.region.aws)
    updates.update_the_stack(fault, None)
    fault.region.clock.pass_time(MINUTES)
    assert status(fault.region, fault.stack) == "UPDATE_ROLLBACK_FAILED"


def _associate_by_hand(fault: FaultContext) -> None:
    """Take a subnet out of its table and associate it anew, unless the function was faster."""
    home = fault.home("a")
    network.disassociate(fault, "a")
    for subnet in home.subnets:
        with suppress(fault.ec2.exceptions.ClientError):
            fault.ec2.associate_route_table(RouteTableId=home.table, SubnetId=subnet)


def _everything(fault: FaultContext) -> None:
    """Let a launch and a drain be under way, without log and memory."""
    _lose_log_and_memory(fault)
    _begin_a_drain(fault)
    _wait_for(fault, "Pending:Wait")
    network.protect(fault, None)
    _associate_by_hand(fault)


STATES: Mapping[str, Callable[[FaultContext], None]] = {
    "healthy": lambda _: None,
    "failed over": _fail_over,
    "no NAT": _lose_all,
    "a launch is held": _begin_a_launch,
    "a drain is held": _begin_a_drain,
    "standby and protected": _hold_members,
    "log and memory deleted": _lose_log_and_memory,
    "a subnet associated anew": _associate_by_hand,
    "an update's rollback failed": _fail_an_update,
    "many of these": _everything,
}
"""What the stack is like when it is destroyed."""

LEAVES = {"an update's rollback failed": "lt-"}
"""What may be left: whether CloudFormation deletes what a failed rollback had no time to clean up
is open, and here it does not."""

KINDS = ("many of these", "it crashes")
"""What is played of it otherwise: the group has members of all kinds, or nobody answers for it."""


def _take_its_role(fault: FaultContext) -> None:
    """Take from the function what it may see of its group."""
    fault.region.aws.permissions.missing |= {"autoscaling:DescribeAutoScalingGroups"}


def _give_its_role_back(fault: FaultContext) -> None:
    fault.region.aws.permissions.missing.clear()


def _crash(fault: FaultContext) -> None:
    """Let no run of the function get as far as to an answer."""
    client = fault.region.client("lambda")
    for row in client.list_functions()["Functions"]:
        client.update_function_configuration(FunctionName=row["FunctionName"], Handler="any.any")


def _retain_what_it_stands_for(fault: FaultContext) -> None:
    """Delete the stack as the page says: without the resources that the function stands for."""
    cloudformation = fault.region.client("cloudformation")
    rows = cloudformation.describe_stack_resources(StackName=fault.stack)["StackResources"]
    custom = [row for row in rows if row["ResourceType"].startswith("Custom::")]
    cloudformation.delete_stack(
        StackName=fault.stack, RetainResources=[row["LogicalResourceId"] for row in custom]
    )


def _force(fault: FaultContext) -> None:
    """Delete the stack by force: what cannot be deleted is left."""
    fault.region.client("cloudformation").delete_stack(
        StackName=fault.stack, DeletionMode="FORCE_DELETE_STACK"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A function that cannot do its part: how, what CloudFormation says, and what then helps.

    `limit` is how many seconds the deletion takes until it fails.
    """

    breaks: Callable[[FaultContext], None]
    says: str
    limit: float
    helps: Callable[[FaultContext], None]


BROKEN = {
    "it may not see its group": Broken(
        breaks=_take_its_role,
        says="AccessDenied",
        limit=GIVES_UP,
        helps=_give_its_role_back,
    ),
    "it crashes": Broken(
        breaks=_crash, says="did not answer", limit=SILENCE, helps=_retain_what_it_stands_for
    ),
    "it crashes, and force is used": Broken(
        breaks=_crash, says="did not answer", limit=SILENCE, helps=_force
    ),
}


@pytest.mark.parametrize(
    "strategy",
    [
        "replace-route",
        pytest.param(
            "swap-route-table", marks=pytest.mark.exhaustive("test_zones.py destroys such a one")
        ),
    ],
)
def test_destroyed_stack_leaves_nothing_and_what_fails_fails_in_stated_minutes(
    strategy: str, tmp_path: Path, cli: Callable[..., Cdk], *, exhaustive: bool
) -> None:
    """In each state, and with each broken function, from one deployment.

    Of a function that is broken CloudFormation tells what it said, or that it said nothing; what
    the page says then helps.
    """
    names = (*STATES, *BROKEN) if exhaustive else KINDS
    settings = lab_settings(PROJECT, strategy).context
    with Region(BEHAVIOURS) as region, deployed(region, tmp_path, strategy, cli=cli) as testbed:

        def task(name: str) -> Task[float]:
            def run() -> float:
                at = tmp_path / name
                at.mkdir()
                testbed.cdk = cli(region.endpoint, at, context=settings)
                testbed.cdk.synth()
                return _destroy_broken(testbed, name) if name in BROKEN else _destroy(testbed, name)

            return Task(name=name, run=run)

        took = {each.name: seconds for each, seconds in run_all(testbed, map(task, names))}
    assert set(took) == set(names)
    limits = {name: BROKEN[name].limit if name in BROKEN else ENDS for name in names}
    assert {name: seconds for name, seconds in took.items() if seconds >= limits[name]} == {}


def _destroy(testbed: AppTestbed, name: str) -> float:
    """Destroy the stack in a state, and return the seconds that it takes."""
    STATES[name](_context(testbed))
    began = testbed.region.clock.now()
    testbed.cdk.destroy()
    assert [id_ for id_ in testbed.left() if not id_.startswith(LEAVES.get(name, "nothing"))] == []
    return testbed.region.clock.now() - began


def _destroy_broken(testbed: AppTestbed, name: str) -> float:
    """Destroy the stack with a broken function; return the seconds that it takes to fail."""
    region, fault, broken = testbed.region, _context(testbed), BROKEN[name]
    broken.breaks(fault)
    began = region.clock.now()
    with pytest.raises(CdkError):
        testbed.destroy()
    took = region.clock.now() - began
    assert status(region, testbed.stack) == "DELETE_FAILED"
    assert broken.says in reasons(region, testbed.stack)
    broken.helps(fault)
    if broken.helps is _give_its_role_back:
        testbed.destroy()
    assert region.clock.wait_until(lambda: not testbed.left(), ENDS + SILENCE), testbed.left()
    return took


def _context(testbed: AppTestbed) -> FaultContext:
    return FaultContext(testbed.region, testbed.stack, testbed.monitor)


def _wait_for(fault: FaultContext, state: str) -> None:
    """Wait until a member is in a state."""
    autoscaling = fault.region.client("autoscaling")

    def there() -> bool:
        groups = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        return state in {row["LifecycleState"] for row in groups[0]["Instances"]}

    assert fault.region.clock.wait_until(there, 10 * MINUTES)


def _living(fault: FaultContext) -> list[str]:
    nats = fault.monitor.nats_now()
    return [nat.instance for nat in nats if nat.state != "terminated"]
