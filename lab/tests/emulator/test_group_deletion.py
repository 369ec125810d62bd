"""Contracts of the deletion of groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.autoscaling.deletion import DeletionNeedsAnEmptyGroup
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import (
    any_subnets,
    deploy,
    eventually,
    group_in_service,
    in_service,
    reasons,
    status,
)
from lab.tests.emulator.stacks import physical, resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.emulator.region import Region

MEMBER: dict[str, object] = {"AutoScalingGroupName": "any"}


def group(region: Region) -> str:
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
        ),
    }
    assert deploy(region, resources) == "CREATE_COMPLETE"
    assert physical(region, "Group") == "any"
    return in_service(region)[0]


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
    assert eventually(region, lambda: status(region) != "DELETE_IN_PROGRESS")
    assert status(region) == "DELETE_FAILED"
    assert region.clock.now() - began >= 14400
    assert "there are instances" in reasons(region)


@contract_of(DeletionNeedsAnEmptyGroup)
def test_group_with_members_is_not_deleted_unless_by_force(region: Region) -> None:
    """Whoever asks."""
    group_in_service(region)
    autoscaling = region.client("autoscaling")
    with pytest.raises(ClientError, match="ResourceInUse"):
        autoscaling.delete_auto_scaling_group(**MEMBER)
    autoscaling.delete_auto_scaling_group(**MEMBER, ForceDelete=True)
    assert autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []


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
    assert eventually(region, lambda: status(region, stack) == "DELETE_COMPLETE")
