"""Which images there are, what they run on, and what a group is told that cannot boot one."""
# ruff: noqa: ANN401 - moto types little of its state

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.amis import Ami
from moto.ssm.models import ssm_backends

from lab.emulator.behaviour import Behaviour, Emulation, Patches
from lab.emulator.services.autoscaling.images import ImagesAreResolvedAtLaunch, is_unresolved
from lab.emulator.services.autoscaling.requests import refuse
from lab.emulator.side_tables import SideTable

if TYPE_CHECKING:
    from moto.ec2.models.launch_templates import LaunchTemplateVersion

_PUBLIC = "/aws/service/ami-amazon-linux-latest/"

_GONE: SideTable[EC2Backend, set[str]] = SideTable(set)
"""The images that the account cannot see: of another Region, deregistered, or not shared."""


def withdraw_image(aws: Emulation, image: str) -> None:
    """Let an image not exist for the account. Unless it is withdrawn, each one is taken for one."""
    _GONE[_ec2(aws)].add(image)


def _ec2(aws: Emulation) -> EC2Backend:
    return ec2_backends[aws.account][aws.region]


class PublicImagesAreDescribed(Behaviour):
    """DescribeImages tells the images that the public parameters of Amazon Linux name.

    moto's parameters name images that its EC2 does not have.
    """

    source = (
        "AL2023 user guide, 'Launching AL2023 using the SSM parameter'; EC2 API, DescribeImages"
    )

    def install(self, patches: Patches) -> None:
        """Make the image that is asked for."""
        self._describe = EC2Backend.describe_images
        patches.method(EC2Backend, "describe_images", self._describe_images)

    def _describe_images(
        self, ec2: EC2Backend, ami_ids: list[str] | None = None, *given: Any, **named: Any
    ) -> list[Ami]:
        for id_ in ami_ids or ():
            if id_ not in ec2.amis and (name := _public_name(self._aws, id_)):
                architecture = name.rpartition("-")[2]
                ec2.amis[id_] = Ami(
                    ec2,
                    id_,
                    name=name,
                    architecture=architecture,
                    owner_alias="amazon",
                    public=True,
                )
        return self._describe(ec2, ami_ids, *given, **named)


def _public_name(aws: Emulation, image: str) -> str | None:
    ssm = ssm_backends[aws.account][aws.region]
    if _PUBLIC not in ssm._parameters:  # noqa: SLF001 - asking is what loads them
        for name, versions in ssm._parameters.items():  # noqa: SLF001 - moto lists them by no API
            if name.startswith(_PUBLIC) and versions[-1].value == image:
                return str(name).removeprefix(_PUBLIC)
    return None


class GroupsNeedAnImageThatBoots(Behaviour):
    """A group is refused an image that does not exist, or that its instance type cannot boot.

    So is a launch configuration with the former. The words are AWS's. moto launches anything.
    """

    source = (
        "github.com/eksctl-io/eksctl/issues/8235 (a group, of the wrong architecture) and"
        " github.com/benishak/lamp-aws-cloudformation/issues/1 (a launch configuration, without"
        " its image); for a group whose template's image is missing, both together (assumed)"
    )
    after = (ImagesAreResolvedAtLaunch, PublicImagesAreDescribed)

    def install(self, patches: Patches) -> None:
        """Look before a group takes a template, and before a launch configuration is made."""
        self._set = FakeAutoScalingGroup._set_launch_configuration  # noqa: SLF001 - see below
        self._configure = AutoScalingBackend.create_launch_configuration
        patches.method(FakeAutoScalingGroup, "_set_launch_configuration", self._set_checked)
        patches.method(AutoScalingBackend, "create_launch_configuration", self._configure_checked)

    def _set_checked(
        self,
        group: FakeAutoScalingGroup,
        launch_config_name: str,
        launch_template: dict[str, Any],
        mixed_instances_policy: dict[str, Any] | None,
    ) -> None:
        """Set what a group launches from; one that is refused keeps what it had."""
        version = self._version(launch_template)
        if version and not is_unresolved(self._aws, version):  # which is refused in other words
            image, type_ = str(version.image_id), str(version.data.get("InstanceType", ""))
            if why := self._why_not(image, type_):
                refuse(f"You must use a valid fully-formed launch template. {why}")
        self._set(group, launch_config_name, launch_template, mixed_instances_policy)

    def _version(self, named: dict[str, Any]) -> LaunchTemplateVersion | None:
        if not named:
            return None
        ec2, id_ = _ec2(self._aws), named.get("LaunchTemplateId")
        by_name = ec2.get_launch_template_by_name
        template = ec2.get_launch_template(id_) if id_ else by_name(named["LaunchTemplateName"])
        return template.get_version(named.get("Version") or "$Default")

    def _configure_checked(self, backend: AutoScalingBackend, **given: Any) -> object:
        image = str(given["image_id"])
        if image in _GONE[_ec2(self._aws)]:
            refuse(f"AMI {image} is invalid: {_missing(image)}")
        return self._configure(backend, **given)

    def _why_not(self, image: str, type_: str) -> str | None:
        ec2 = _ec2(self._aws)
        if image in _GONE[ec2]:
            return _missing(image)
        found, boots = ec2.amis.get(image), _architectures(ec2, type_)
        if not found or not boots or found.architecture in boots:
            return None
        return (
            f"The architecture '{boots[0]}' of the specified instance type does not match the"
            f" architecture '{found.architecture}' of the specified AMI. Specify an instance type"
            " and an AMI that have matching architectures, and try again. You can use"
            " 'describe-instance-types' or 'describe-images' to discover the architecture of the"
            " instance type or AMI."
        )


def _missing(image: str) -> str:
    return f"The image id '[{image}]' does not exist"


def _architectures(ec2: EC2Backend, type_: str) -> list[str]:
    rows = [row for row in ec2.instance_types if row.get("InstanceType") == type_]
    return list(rows[0].get("ProcessorInfo", {}).get("SupportedArchitectures", [])) if rows else []
