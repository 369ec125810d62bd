"""Contracts of the deletion of groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.autoscaling.deletion import DeletionNeedsAnEmptyGroup
from lab.emulator.services.autoscaling.waits import TERMINATING
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import (
    any_subnets,
    deploy,
    eventually,
    group_in_service,
    in_service,
    members,
    reasons,
    state_of,
    status,
)
from lab.tests.emulator.stacks import physical, resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.emulator.region import Region

MEMBER: dict[str, object] = {"AutoScalingGroupName": "any"}
HEARTBEAT = 300
DRAIN = {
    "LifecycleHookName": "any",
    "LifecycleTransition": TERMINATING,
    "HeartbeatTimeout": HEARTBEAT,
    "DefaultResult": "CONTINUE",
}


def group(region: Region, **settings: object) -> str:
    """Deploy a group with one member; return the member."""
    resources = {
        "Template": resource(
            "EC2::LaunchTemplate",
            LaunchTemplateName="any",
            LaunchTemplateData={"ImageId": "ami-00000000000000000", "InstanceType": "t3.nano"},
        ),
        "Group": resource(
            "AutoScaling::AutoScalingGroup",
            AutoScalingGroupName="any",
            MinSize="1",
            MaxSize="2",
            VPCZoneIdentifier=list(any_subnets(region)),
            LaunchTemplate={
                "LaunchTemplateId": {"Ref": "Template"},
                "Version": {"Fn::GetAtt": ["Template", "LatestVersionNumber"]},
            },
            **settings,
        ),
    }
    assert deploy(region, resources) == "CREATE_COMPLETE"
    assert physical(region, "Group") == "any"
    return in_service(region)[0]


def groups(region: Region) -> list[dict[str, Any]]:
    """Return the groups as they are described."""
    described: list[dict[str, Any]] = region.client("autoscaling").describe_auto_scaling_groups()[
        "AutoScalingGroups"
    ]
    return described


def protect(region: Region, member: str) -> None:
    """Protect a member from scale-in."""
    region.client("autoscaling").set_instance_protection(
        **MEMBER, InstanceIds=[member], ProtectedFromScaleIn=True
    )


def stand_by(region: Region, member: str) -> None:
    """Put a member into standby; the group launches another one."""
    region.client("autoscaling").enter_standby(
        **MEMBER, InstanceIds=[member], ShouldDecrementDesiredCapacity=False
    )
    assert eventually(region, lambda: bool(in_service(region)))


def suspend(region: Region, member: str) -> None:
    """Suspend what would terminate a member."""
    del member
    region.client("autoscaling").suspend_processes(**MEMBER, ScalingProcesses=["Terminate"])


@pytest.mark.parametrize("keep", [protect, stand_by, suspend])
@contract_of(DeletionNeedsAnEmptyGroup)
def test_stack_is_not_deleted_while_its_group_keeps_a_member(
    region: Region, keep: Callable[[Region, str], None]
) -> None:
    """CloudFormation waits for four hours."""
    keep(region, group(region))
    began = region.clock.now()
    region.client("cloudformation").delete_stack(StackName="any")
    assert status(region) == "DELETE_FAILED"
    assert region.clock.now() - began >= 14400
    assert "there are instances" in reasons(region)


@contract_of(DeletionNeedsAnEmptyGroup)
def test_group_with_members_is_not_deleted_unless_by_force(region: Region) -> None:
    """Whoever asks; by force it is there, and says so, until its members are gone."""
    old = group_in_service(region)
    autoscaling = region.client("autoscaling")
    with pytest.raises(ClientError, match="ResourceInUse"):
        autoscaling.delete_auto_scaling_group(**MEMBER)
    autoscaling.delete_auto_scaling_group(**MEMBER, ForceDelete=True)
    (described,) = groups(region)
    assert described["Status"] == "Delete in progress"
    assert [row["LifecycleState"] for row in described["Instances"]] == ["Terminating"] * 2
    assert eventually(region, lambda: groups(region) == [])
    assert [state_of(region, row) for row in old] == ["terminated"] * 2


@contract_of(DeletionNeedsAnEmptyGroup)
def test_forced_deletion_runs_no_hooks_and_ends_the_ones_that_run(region: Region) -> None:
    """It deletes outstanding lifecycle actions."""
    draining, _ = group_in_service(region, LifecycleHookSpecificationList=[DRAIN])
    autoscaling = region.client("autoscaling")
    autoscaling.terminate_instance_in_auto_scaling_group(
        InstanceId=draining, ShouldDecrementDesiredCapacity=True
    )
    assert "Terminating:Wait" in [row["LifecycleState"] for row in members(region)]
    began = region.clock.now()
    autoscaling.delete_auto_scaling_group(**MEMBER, ForceDelete=True)
    assert len(region.journal.entries("hook")) == 1
    assert eventually(region, lambda: groups(region) == [])
    assert region.clock.now() - began < HEARTBEAT


@contract_of(DeletionNeedsAnEmptyGroup)
def test_deletion_of_a_stack_runs_the_hooks_of_its_group(region: Region) -> None:
    """CloudFormation scales in: each member is held until its heartbeat ends, if nobody does."""
    member = group(region, LifecycleHookSpecificationList=[DRAIN])
    held = list[tuple[object, ...]]()

    def look() -> None:
        for row in groups(region):
            states = [each["LifecycleState"] for each in row["Instances"]]
            if "Terminating:Wait" in states:
                size = row["MinSize"], row["DesiredCapacity"]
                held.append((*size, row.get("Status"), state_of(region, member)))

    region.clock.each_step(look)
    began = region.clock.now()
    region.client("cloudformation").delete_stack(StackName="any")
    assert set(held) == {(0, 0, None, "running")}
    assert groups(region) == []
    assert region.clock.now() - began > HEARTBEAT


def test_protection_that_is_lifted_lets_the_deletion_go_on(region: Region) -> None:
    """So does the end of standby and of a suspension."""
    member = group(region)
    protect(region, member)
    autoscaling = region.client("autoscaling")

    def lift() -> None:
        autoscaling.set_instance_protection(
            **MEMBER, InstanceIds=[member], ProtectedFromScaleIn=False
        )

    region.clock.at(region.clock.now() + 600, lambda: region.clock.act(lift))
    cloudformation = region.client("cloudformation")
    stack = cloudformation.describe_stacks(StackName="any")["Stacks"][0]["StackId"]
    cloudformation.delete_stack(StackName="any")
    assert status(region, stack) == "DELETE_COMPLETE"
