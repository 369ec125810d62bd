"""Launch templates that name a parameter of Systems Manager instead of an image."""
# ruff: noqa: SLF001 - moto gives no other access to a request's parameters, nor to how it reads one

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse
from moto.ec2.models.launch_templates import LaunchTemplateVersion
from moto.ssm.exceptions import ParameterVersionNotFound
from moto.ssm.models import ssm_backends

from lab.emulator.behaviour import Behaviour, Emulation, Patches
from lab.emulator.services.autoscaling.members import current_version
from lab.emulator.services.autoscaling.refreshes import InstanceRefreshes
from lab.emulator.services.autoscaling.requests import group_of, refuse
from lab.emulator.services.ec2.refusals import refuse as refuse_launch

if TYPE_CHECKING:
    from collections.abc import Callable

    from moto.core.responses import ActionResult
    from moto.ssm.models import Parameter

UNRESOLVED = "InvalidParameterValue"
"""EC2's error code for a launch whose parameter names no image; which one it is, is assumed."""

_PREFIX = "resolve:ssm:"
_PUBLIC = "/aws/service/"
_IMAGE = "aws:ec2:image"


class ImagesAreResolvedAtLaunch(Behaviour):
    """The image of a launch template may be `resolve:ssm:` and a parameter, by version or label.

    Each launch takes the image that the parameter has then; the template stays the same. A group is
    refused such a template while the parameter does not exist. With such a template, AWS refuses
    requirements of instances in a mixed instances policy, warm pools, and an instance refresh with
    a desired configuration, with skip matching, or for a parameter of another data type (public
    ones are taken as they are). A launch configuration takes only ids. Whoever creates or updates
    the group needs ssm:GetParameters; in the lab a deployment may do everything. moto takes the
    text for an image.
    """

    source = (
        "EC2 Auto Scaling user guide, 'Use AWS Systems Manager parameters instead of AMI IDs in"
        " launch templates'; Auto Scaling's errors in github.com/aws/aws-cdk/issues/28090,"
        " github.com/hashicorp/terraform-provider-aws/issues/38767 and"
        " github.com/aws-samples/cdk-image-pipeline/issues/290"
    )
    after = (InstanceRefreshes,)

    def install(self, patches: Patches) -> None:
        """Resolve where moto reads a template's image, and look before a group takes one."""
        api, group = AutoScalingResponse, FakeAutoScalingGroup
        self._set = group._set_launch_configuration
        self._configure = AutoScalingBackend.create_launch_configuration
        patches.replace(LaunchTemplateVersion, "image_id", property(self._image))
        patches.method(group, "_set_launch_configuration", self._set_checked)
        patches.method(AutoScalingBackend, "create_launch_configuration", self._configure_by_id)
        start = vars(api)["start_instance_refresh"]  # the lab's: moto has none
        patches.method(api, "start_instance_refresh", partial(self._refresh, start))
        patches.method(api, "put_warm_pool", partial(_put_warm_pool, api.put_warm_pool))

    def _image(self, version: LaunchTemplateVersion) -> str:
        named = _named(version)
        parameter = _parameter(self._aws, named)
        if is_unresolved(self._aws, version):
            refuse_launch(UNRESOLVED, f"Invalid value '{named}' for imageId: no such parameter.")
        return str(parameter.value) if parameter else named

    def _set_checked(
        self,
        group: FakeAutoScalingGroup,
        launch_config_name: str,
        launch_template: dict[str, Any],
        mixed_instances_policy: dict[str, Any] | None,
    ) -> None:
        """Set what a group launches from: a configuration, a template, a mixed policy."""
        self._set(group, launch_config_name, launch_template, mixed_instances_policy)
        named = _named(current_version(group))
        overrides = (mixed_instances_policy or {}).get("LaunchTemplate", {}).get("Overrides") or []
        if not named.startswith(_PREFIX):
            return
        if any("InstanceRequirements" in row for row in overrides):
            refuse(f'Invalid id: "{named}" (expecting "ami-...")')
        if not _parameter(self._aws, named):
            refuse(f"Invalid value '{named}' for imageId: no such parameter.")

    def _configure_by_id(self, backend: AutoScalingBackend, **given: Any) -> object:  # noqa: ANN401 - passed on
        named = given["image_id"] or ""
        if named.startswith(_PREFIX):
            refuse(f'AMI {named} is invalid: Invalid id: "{named}" (expecting "ami-...")')
        return self._configure(backend, **given)

    def _refresh(
        self, start: Callable[[AutoScalingResponse], ActionResult], response: AutoScalingResponse
    ) -> ActionResult:
        named = _named(current_version(group_of(response)))
        parameter = _parameter(self._aws, named)
        if parameter:
            skips = response._get_param("Preferences", {}).get("SkipMatching", False)
            if str(skips).lower() == "true" or response._get_param("DesiredConfiguration"):
                refuse(f"Skip matching and desired configurations are not supported with {named}")
            if parameter.data_type != _IMAGE and _PUBLIC not in named:
                types = f"The following parameter data types are supported: {_IMAGE}"
                refuse(f"Unsupported data type. {types}")
        return start(response)


def _put_warm_pool(
    put: Callable[[AutoScalingResponse], ActionResult], response: AutoScalingResponse
) -> ActionResult:
    named = _named(current_version(group_of(response)))
    if named.startswith(_PREFIX):
        refuse(f"Warm pools are not supported with {named}")
    return put(response)


def is_unresolved(aws: Emulation, version: LaunchTemplateVersion) -> bool:
    """Say whether a template names a parameter that does not exist."""
    named = _named(version)
    return named.startswith(_PREFIX) and not _parameter(aws, named)


def _named(version: LaunchTemplateVersion | None) -> str:
    """Return what a template names as its image."""
    return str(version.data.get("ImageId", "")) if version else ""


def _parameter(aws: Emulation, named: str) -> Parameter | None:
    """Return the parameter that is named instead of an image; None if none is, or none is there."""
    if not named.startswith(_PREFIX):
        return None
    try:
        return ssm_backends[aws.account][aws.region].get_parameter(named.removeprefix(_PREFIX))
    except ParameterVersionNotFound:
        return None
