"""Contracts of rolling updates: a group's instances are replaced batch by batch, in AWS's time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.emulator.readings import HeldLaunch
from lab.emulator.services.autoscaling.waits import TERMINATING
from lab.emulator.services.cloudformation.stacks import StacksFail
from lab.tests.emulator.contract import contract_of, under_each
from lab.tests.emulator.factories import any_subnets, deploy, describe, in_service, members, reasons
from lab.tests.emulator.stacks import LOST, physical, resource, update

if TYPE_CHECKING:
    from lab.emulator.region import Region

ROLLING = {"MinInstancesInService": 1, "MaxBatchSize": 1, "PauseTime": "PT5M"}


def fleet(
    subnets: tuple[str, ...],
    instance_type: str,
    policy: dict[str, Any] | None = None,
    **properties: object,
) -> dict[str, Any]:
    """Return a group of two and its launch template, wired as the CDK does."""
    group = resource(
        "AutoScaling::AutoScalingGroup",
        VPCZoneIdentifier=list(subnets),
        LaunchTemplate={
            "LaunchTemplateId": {"Ref": "Template"},
            "Version": {"Fn::GetAtt": ["Template", "LatestVersionNumber"]},
        },
        **{"MinSize": "1", "MaxSize": "2", "DesiredCapacity": "2", **properties},
    )
    if policy is not None:
        group["UpdatePolicy"] = {"AutoScalingRollingUpdate": policy}
    data = {"ImageId": "ami-00000000000000000", "InstanceType": instance_type}
    return {"Template": resource("EC2::LaunchTemplate", LaunchTemplateData=data), "Group": group}


def types_of(region: Region) -> list[str]:
    """Return the instance types of the group's instances that are in service."""
    members = in_service(region, physical(region, "Group"))
    return [str(describe(region, member)["InstanceType"]) for member in members]


@under_each(HeldLaunch)
@contract_of(StacksFail)
def test_group_keeps_enough_instances_in_service_while_it_is_updated(region: Region) -> None:
    """One instance goes, its replacement comes, a pause passes, and then the next one goes."""
    subnets = any_subnets(region)
    deploy(region, fleet(subnets, "t3.nano", ROLLING))
    group = physical(region, "Group")
    old, began, fewest = in_service(region, group), region.clock.now(), [2]
    region.clock.each_step(lambda: fewest.append(len(in_service(region, group))))
    assert update(region, fleet(subnets, "t3.micro", ROLLING)) == "UPDATE_COMPLETE"
    assert min(fewest) == 1
    assert types_of(region) == ["t3.micro", "t3.micro"]
    assert not set(old) & set(in_service(region, group))
    gone = [
        entry.at
        for entry in region.journal.entries("instance state", since=began)
        if entry.detail["state"] == "shutting-down"
    ]
    assert gone[1] - gone[0] >= 300
    assert region.clock.now() - gone[1] >= 300
    assert "Terminating 2 obsolete instance(s) in batches of 1" in reasons(region)


@contract_of(StacksFail)
def test_update_goes_on_while_a_hook_holds_what_it_terminates(region: Region) -> None:
    """It says that an instance is terminated which still waits, and begins the next batch."""
    hook = {
        "LifecycleHookName": "drain",
        "LifecycleTransition": TERMINATING,
        "HeartbeatTimeout": 3600,
        "DefaultResult": "CONTINUE",
    }
    subnets, hooks = any_subnets(region), {"LifecycleHookSpecificationList": [hook]}
    deploy(region, fleet(subnets, "t3.nano", ROLLING, **hooks))
    old = in_service(region, physical(region, "Group"))
    assert update(region, fleet(subnets, "t3.micro", ROLLING, **hooks)) == "UPDATE_COMPLETE"
    states = {
        row["InstanceId"]: row["LifecycleState"]
        for row in members(region, physical(region, "Group"))
    }
    assert [states[row] for row in old] == ["Terminating:Wait"] * 2
    assert types_of(region) == ["t3.micro", "t3.micro"]


@contract_of(StacksFail)
def test_group_does_only_what_its_policy_leaves_it_while_it_is_updated(region: Region) -> None:
    """The processes that the policy names are suspended meanwhile."""
    subnets, policy = any_subnets(region), {**ROLLING, "SuspendProcesses": ["HealthCheck"]}
    deploy(region, fleet(subnets, "t3.nano", policy))
    suspended = list[list[str]]()

    def look() -> None:
        groups = region.client("autoscaling").describe_auto_scaling_groups()
        rows = groups["AutoScalingGroups"][0]["SuspendedProcesses"]
        suspended.append([row["ProcessName"] for row in rows])

    region.clock.each_step(look)
    assert update(region, fleet(subnets, "t3.micro", policy)) == "UPDATE_COMPLETE"
    look()
    assert ["HealthCheck"] in suspended
    assert suspended[-1] == []


@contract_of(StacksFail)
def test_group_has_other_hooks_and_settings_after_an_update(region: Region) -> None:
    """A hook that left the template is gone; the instances stay."""
    subnets = any_subnets(region)
    old, new = (
        [
            {
                "LifecycleHookName": name,
                "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
                "HeartbeatTimeout": seconds,
            }
        ]
        for name, seconds in (("old", 30), ("new", 60))
    )
    deploy(region, fleet(subnets, "t3.nano", LifecycleHookSpecificationList=old))
    group = physical(region, "Group")
    there = in_service(region, group)
    settings: dict[str, Any] = {
        "LifecycleHookSpecificationList": new,
        "HealthCheckGracePeriod": 77,
    }
    assert update(region, fleet(subnets, "t3.nano", **settings)) == "UPDATE_COMPLETE"
    autoscaling = region.client("autoscaling")
    hooks = autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=group)["LifecycleHooks"]
    assert [(row["LifecycleHookName"], row["HeartbeatTimeout"]) for row in hooks] == [("new", 60)]
    (described,) = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert described["HealthCheckGracePeriod"] == 77
    assert in_service(region, group) == there


@contract_of(StacksFail)
def test_group_keeps_its_instances_when_it_has_no_update_policy(region: Region) -> None:
    """Only what it launches from then on is of the new version."""
    subnets = any_subnets(region)
    deploy(region, fleet(subnets, "t3.nano"))
    group = physical(region, "Group")
    old = in_service(region, group)
    assert update(region, fleet(subnets, "t3.micro")) == "UPDATE_COMPLETE"
    assert in_service(region, group) == old
    described = region.client("autoscaling").describe_auto_scaling_groups()
    assert described["AutoScalingGroups"][0]["LaunchTemplate"]["Version"] == "2"


@contract_of(StacksFail)
def test_group_keeps_its_instances_when_only_its_size_changes(region: Region) -> None:
    """A rolling update is for what the instances are made from."""
    subnets = any_subnets(region)
    deploy(region, fleet(subnets, "t3.nano", ROLLING))
    group = physical(region, "Group")
    old = in_service(region, group)
    assert update(region, fleet(subnets, "t3.nano", ROLLING, MaxSize="3")) == "UPDATE_COMPLETE"
    assert in_service(region, group) == old
    described = region.client("autoscaling").describe_auto_scaling_groups()
    assert described["AutoScalingGroups"][0]["MaxSize"] == 3


@contract_of(StacksFail)
def test_group_grows_for_a_while_when_it_has_none_to_spare(region: Region) -> None:
    """With one instance that must stay in service, its replacement comes first."""
    subnets = any_subnets(region)
    deploy(region, fleet(subnets, "t3.nano", ROLLING, DesiredCapacity="1"))
    group, fewest = physical(region, "Group"), [1]
    region.clock.each_step(lambda: fewest.append(len(in_service(region, group))))
    changed = fleet(subnets, "t3.micro", ROLLING, DesiredCapacity="1")
    assert update(region, changed) == "UPDATE_COMPLETE"
    assert min(fewest) == 1
    assert "Temporarily setting autoscaling group MinSize and DesiredCapacity to 2" in (
        reasons(region)
    )
    assert region.clock.wait_until(lambda: types_of(region) == ["t3.micro"], 300)


@contract_of(StacksFail)
def test_group_goes_back_batch_by_batch_when_the_update_fails(region: Region) -> None:
    """The rollback of a launch template is another version, and so another rolling update."""
    subnets = any_subnets(region)
    deploy(region, fleet(subnets, "t3.nano", ROLLING))
    changed = {**fleet(subnets, "t3.micro", ROLLING), "Lost": {**LOST, "DependsOn": "Group"}}
    assert update(region, changed) == "UPDATE_ROLLBACK_COMPLETE"
    assert types_of(region) == ["t3.nano", "t3.nano"]


def test_update_is_refused_when_all_of_the_group_must_stay_in_service(region: Region) -> None:
    """Then nothing could be terminated."""
    subnets = any_subnets(region)
    policy = {**ROLLING, "MinInstancesInService": 2}
    deploy(region, fleet(subnets, "t3.nano", policy))
    assert update(region, fleet(subnets, "t3.micro", policy)).startswith("UPDATE_ROLLBACK")
    assert "MinInstancesInService must be less" in reasons(region)


def test_update_is_refused_when_the_lab_cannot_do_what_the_policy_says(region: Region) -> None:
    """It does not pretend to count percentages of signals."""
    subnets = any_subnets(region)
    policy = {**ROLLING, "MinSuccessfulInstancesPercent": 50}
    deploy(region, fleet(subnets, "t3.nano", policy))
    assert update(region, fleet(subnets, "t3.micro", policy)).startswith("UPDATE_ROLLBACK")
    assert "percentage" in reasons(region)
