"""Instance profiles: which role an instance has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import InstanceState
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.autoscaling.members import current_version
from lab.emulator.services.autoscaling.replacement import MembersKeepTheirTemplate

if TYPE_CHECKING:
    from moto.autoscaling.models import FakeAutoScalingGroup
    from moto.ec2.models.instances import Instance


def role_of(instance: Instance) -> str | None:
    """Return the ARN of the role of an instance's profile; None without one."""
    ec2 = instance.ec2_backend
    profile = ec2.iam_instance_profile_associations.get(instance.id)
    if profile is None:
        return None
    iam = iam_backends[ec2.account_id][get_partition(ec2.region_name)]
    try:
        known = iam.get_instance_profile_by_arn(profile.iam_instance_profile.arn)
    except NotFoundException:
        return None
    return next((str(role.arn) for role in known.roles), None)


class MembersHaveTheirProfile(Behaviour):
    """An instance of a group has the instance profile of the launch template or configuration.

    moto drops it.
    """

    source = "EC2 user guide, 'IAM roles for Amazon EC2'; EC2 API reference, Instance"
    after = (MembersKeepTheirTemplate,)

    def install(self, patches: Patches) -> None:
        """Associate the profile with each new member."""
        self._init = InstanceState.__init__
        patches.method(InstanceState, "__init__", self._begin)

    def _begin(self, state: InstanceState, *given: Any, **named: Any) -> None:  # noqa: ANN401 - passed on
        self._init(state, *given, **named)
        named_by = _profile_of(state.auto_scaling_group)
        if any(named_by.values()):
            state.instance.ec2_backend.associate_iam_instance_profile(state.instance.id, **named_by)


def _profile_of(group: FakeAutoScalingGroup) -> dict[str, str | None]:
    """Return the name and the ARN of the profile, as far as the group's launch names it."""
    if version := current_version(group):
        profile = version.data.get("IamInstanceProfile", {})
    else:
        given = group.launch_config.iam_instance_profile if group.launch_config else None
        is_arn = (given or "").startswith("arn:")
        profile = {"Arn" if is_arn else "Name": given}
    return {
        "iam_instance_profile_name": profile.get("Name"),
        "iam_instance_profile_arn": profile.get("Arn"),
    }
