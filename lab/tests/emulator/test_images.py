"""Contracts of launch templates that name a parameter instead of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.autoscaling.activities import LAUNCH_ERROR
from lab.emulator.services.autoscaling.images import ImagesAreResolvedAtLaunch
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import (
    any_subnets,
    any_topic,
    deploy,
    describe,
    eventually,
    in_service,
    inbox,
    reasons,
)
from lab.tests.emulator.stacks import physical, resource

if TYPE_CHECKING:
    from lab.emulator.region import Region

NAME = "/any/image"
FIRST, SECOND = "ami-00000000000000001", "ami-00000000000000002"
PUBLIC = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"


def store(region: Region, image: str, data_type: str = "aws:ec2:image") -> None:
    """Let the parameter name an image."""
    region.client("ssm").put_parameter(
        Name=NAME, Value=image, Type="String", DataType=data_type, Overwrite=True
    )


def template(region: Region, image: str) -> None:
    """Make a launch template with an image."""
    region.client("ec2").create_launch_template(
        LaunchTemplateName="any",
        LaunchTemplateData={"ImageId": image, "InstanceType": "t3.nano"},
    )


def group(region: Region, **settings: object) -> None:
    """Make a group of two that launches from the template."""
    given: dict[str, Any] = {"LaunchTemplate": {"LaunchTemplateName": "any"}, **settings}
    region.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="any",
        MinSize=0,
        MaxSize=4,
        DesiredCapacity=2,
        VPCZoneIdentifier=",".join(any_subnets(region)),
        **given,
    )


def images(region: Region) -> list[str]:
    """Return the images of the members in service."""
    return sorted(describe(region, row)["ImageId"] for row in in_service(region))


@contract_of(ImagesAreResolvedAtLaunch)
def test_each_launch_takes_the_image_that_the_parameter_has_then(region: Region) -> None:
    """What runs keeps its image; neither template nor version change."""
    store(region, FIRST)
    template(region, f"resolve:ssm:{NAME}")
    group(region)
    assert eventually(region, lambda: images(region) == [FIRST, FIRST])
    store(region, SECOND)
    autoscaling, old = region.client("autoscaling"), in_service(region)[0]
    autoscaling.terminate_instance_in_auto_scaling_group(
        InstanceId=old, ShouldDecrementDesiredCapacity=False
    )
    assert eventually(region, lambda: images(region) == [FIRST, SECOND])
    (described,) = region.client("ec2").describe_launch_template_versions(LaunchTemplateName="any")[
        "LaunchTemplateVersions"
    ]
    assert described["LaunchTemplateData"]["ImageId"] == f"resolve:ssm:{NAME}"


@pytest.mark.parametrize("version", ["1", "stable"])
@contract_of(ImagesAreResolvedAtLaunch)
def test_parameter_may_be_named_with_its_version_or_a_label(region: Region, version: str) -> None:
    """Then a later value changes nothing."""
    store(region, FIRST)
    region.client("ssm").label_parameter_version(Name=NAME, ParameterVersion=1, Labels=["stable"])
    store(region, SECOND)
    template(region, f"resolve:ssm:{NAME}:{version}")
    group(region)
    assert eventually(region, lambda: images(region) == [FIRST, FIRST])


@contract_of(ImagesAreResolvedAtLaunch)
def test_public_parameter_names_an_image(region: Region) -> None:
    """AWS keeps one for each line of its own images."""
    template(region, f"resolve:ssm:{PUBLIC}")
    group(region)
    value = region.client("ssm").get_parameter(Name=PUBLIC)["Parameter"]["Value"]
    assert eventually(region, lambda: images(region) == [value, value])


@contract_of(ImagesAreResolvedAtLaunch)
def test_group_is_refused_when_the_parameter_does_not_exist(region: Region) -> None:
    """Auto Scaling resolves it when a group is created; the group is not there then."""
    template(region, f"resolve:ssm:{NAME}")
    with pytest.raises(ClientError, match="ValidationError"):
        group(region)
    assert region.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"] == []


@contract_of(ImagesAreResolvedAtLaunch)
def test_stack_fails_when_the_parameter_does_not_exist(region: Region) -> None:
    """And rolls back; with the parameter it is deployed."""
    data = {"ImageId": f"resolve:ssm:{NAME}", "InstanceType": "t3.nano"}
    resources = {
        "Template": resource("EC2::LaunchTemplate", LaunchTemplateData=data),
        "Group": resource(
            "AutoScaling::AutoScalingGroup",
            MinSize="1",
            MaxSize="1",
            VPCZoneIdentifier=list(any_subnets(region)),
            LaunchTemplate={"LaunchTemplateId": {"Ref": "Template"}, "Version": "1"},
        ),
    }
    assert deploy(region, resources, name="first") == "ROLLBACK_COMPLETE"
    assert NAME in reasons(region, "first")
    store(region, FIRST)
    assert deploy(region, resources) == "CREATE_COMPLETE"
    assert len(in_service(region, physical(region, "Group"))) == 1


@contract_of(ImagesAreResolvedAtLaunch)
def test_launch_is_tried_again_when_the_parameter_has_gone(region: Region) -> None:
    """Each failure is told; what runs stays."""
    store(region, FIRST)
    template(region, f"resolve:ssm:{NAME}")
    group(region)
    assert eventually(region, lambda: len(in_service(region)) == 2)
    topic, autoscaling = any_topic(region), region.client("autoscaling")
    read = inbox(region, topic)
    autoscaling.put_notification_configuration(
        AutoScalingGroupName="any", TopicARN=topic, NotificationTypes=[LAUNCH_ERROR]
    )
    region.client("ssm").delete_parameter(Name=NAME)
    autoscaling.set_desired_capacity(AutoScalingGroupName="any", DesiredCapacity=3)
    assert eventually(region, lambda: LAUNCH_ERROR in [row["Event"] for row in read()])
    (failed, *_) = [row for row in read() if row["Event"] == LAUNCH_ERROR]
    assert NAME in failed["StatusMessage"]
    store(region, SECOND)
    assert eventually(region, lambda: images(region) == [FIRST, FIRST, SECOND])


@pytest.mark.parametrize(
    "asked",
    [
        {"Preferences": {"SkipMatching": True}},
        {"DesiredConfiguration": {"LaunchTemplate": {"LaunchTemplateName": "any"}}},
    ],
)
@contract_of(ImagesAreResolvedAtLaunch)
def test_refresh_is_refused_when_it_would_have_to_compare_images(
    region: Region, asked: dict[str, Any]
) -> None:
    """One without skip matching and desired configuration is not."""
    store(region, FIRST)
    template(region, f"resolve:ssm:{NAME}")
    group(region)
    start = region.client("autoscaling").start_instance_refresh
    with pytest.raises(ClientError, match="not supported"):
        start(AutoScalingGroupName="any", **asked)
    start(AutoScalingGroupName="any")


@contract_of(ImagesAreResolvedAtLaunch)
def test_refresh_is_refused_when_the_parameter_is_not_of_an_image(region: Region) -> None:
    """In AWS's words; a group launches from it all the same."""
    store(region, FIRST, data_type="text")
    template(region, f"resolve:ssm:{NAME}")
    group(region)
    with pytest.raises(ClientError, match="data types are supported: aws:ec2:image"):
        region.client("autoscaling").start_instance_refresh(AutoScalingGroupName="any")


@contract_of(ImagesAreResolvedAtLaunch)
def test_warm_pool_is_refused(region: Region) -> None:
    """With such a template."""
    store(region, FIRST)
    template(region, f"resolve:ssm:{NAME}")
    group(region)
    with pytest.raises(ClientError, match="Warm pools are not supported"):
        region.client("autoscaling").put_warm_pool(AutoScalingGroupName="any")


@contract_of(ImagesAreResolvedAtLaunch)
def test_mixed_instances_policy_with_requirements_is_refused(region: Region) -> None:
    """Attribute-based selection takes only ids of images, in AWS's words."""
    store(region, FIRST)
    template(region, f"resolve:ssm:{NAME}")
    requirements = {"VCpuCount": {"Min": 1}, "MemoryMiB": {"Min": 1024}}
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {"LaunchTemplateName": "any"},
            "Overrides": [{"InstanceRequirements": requirements}],
        }
    }
    with pytest.raises(ClientError, match=r'expecting "ami-'):
        region.client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName="any",
            MinSize=0,
            MaxSize=1,
            VPCZoneIdentifier=",".join(any_subnets(region)),
            MixedInstancesPolicy=policy,
        )


@contract_of(ImagesAreResolvedAtLaunch)
def test_launch_configuration_takes_only_an_image(region: Region) -> None:
    """In AWS's words."""
    store(region, FIRST)
    with pytest.raises(ClientError, match=r'expecting "ami-'):
        region.client("autoscaling").create_launch_configuration(
            LaunchConfigurationName="any", ImageId=f"resolve:ssm:{NAME}", InstanceType="t3.nano"
        )
