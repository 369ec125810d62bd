"""Launches of groups with a hook and a profile, as a test wants them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.emulator.services.autoscaling.waits import LAUNCHING
from lab.tests.emulator.factories import any_subnets

if TYPE_CHECKING:
    from lab.emulator.region import Region

HEARTBEAT = 420


def any_profile(region: Region, policy: dict[str, Any]) -> str:
    """Return the ARN of an instance profile whose role has a policy."""
    iam = region.client("iam")
    iam.create_role(RoleName="nat", AssumeRolePolicyDocument="{}")
    document = json.dumps(policy)
    iam.put_role_policy(RoleName="nat", PolicyName="any", PolicyDocument=document)
    profile = iam.create_instance_profile(InstanceProfileName="nat")["InstanceProfile"]
    iam.add_role_to_instance_profile(InstanceProfileName="nat", RoleName="nat")
    return str(profile["Arn"])


def launched_group(region: Region, data: dict[str, Any]) -> None:
    """Launch a group of one, with a launch hook, from a template."""
    nano = {"ImageId": "ami-00000000000000000", "InstanceType": "t3.nano"}
    region.client("ec2").create_launch_template(
        LaunchTemplateName="nat", LaunchTemplateData={**nano, **data}
    )
    hook = {
        "LifecycleHookName": "any-hook",
        "LifecycleTransition": LAUNCHING,
        "HeartbeatTimeout": HEARTBEAT,
    }
    region.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="any",
        MinSize=0,
        MaxSize=1,
        DesiredCapacity=1,
        VPCZoneIdentifier=",".join(any_subnets(region)),
        LaunchTemplate={"LaunchTemplateName": "nat", "Version": "1"},
        LifecycleHookSpecificationList=[hook],
    )
