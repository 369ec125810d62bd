"""The network interface of a group's instance: its security groups and its public address."""
# ruff: noqa: SLF001 - moto gives no other access to its state

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import InstanceState

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.autoscaling.members import current_version
from lab.emulator.services.iam.profiles import MembersHaveTheirProfile

if TYPE_CHECKING:
    from moto.autoscaling.models import FakeAutoScalingGroup


class MembersHaveTheirInterface(Behaviour):
    """An instance of a group has the interface that its launch template names.

    That is: its security groups, and a public address if it asks for one. moto gives it the default
    group of the VPC and no public address; with a launch configuration it gives what that names.
    """

    source = "EC2 Auto Scaling user guide, 'Create a launch template for an Auto Scaling group'"
    after = (MembersHaveTheirProfile,)

    def install(self, patches: Patches) -> None:
        """Change the interface of each new member."""
        self._init = InstanceState.__init__
        patches.method(InstanceState, "__init__", self._begin)

    def _begin(self, state: InstanceState, *given: Any, **named: Any) -> None:  # noqa: ANN401 - passed on
        self._init(state, *given, **named)
        wanted = _primary(state.auto_scaling_group)
        interface = state.instance.nics[0]
        if groups := wanted.get("Groups"):
            ec2 = interface.ec2_backend
            interface._group_set = [ec2.get_security_group_from_id(row) for row in groups]
        if str(wanted.get("AssociatePublicIpAddress", False)).lower() == "true":
            interface.public_ip_auto_assign = True
            interface.check_auto_public_ip()


def _primary(group: FakeAutoScalingGroup) -> dict[str, Any]:
    """Return the primary interface as a group's launch template has it; empty if it has none."""
    version = current_version(group)
    interfaces = version.data.get("NetworkInterfaces", []) if version else []
    return next((row for row in interfaces if int(row.get("DeviceIndex", 0)) == 0), {})
