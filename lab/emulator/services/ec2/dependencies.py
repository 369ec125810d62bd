"""What EC2 refuses to delete or detach because something still needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.models.internet_gateways import InternetGatewayBackend
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.models.vpcs import VPCBackend

from lab.emulator.behaviour import Behaviour, Patches

if TYPE_CHECKING:
    from collections.abc import Iterator


class UsedIsNotDeleted(Behaviour):
    """A subnet or security group with network interfaces is not deleted (DependencyViolation).

    Nor is a group that a rule of another group names, nor a VPC with an internet gateway or with
    security groups besides its default one. moto deletes them all.
    """

    source = "EC2 API reference, DeleteSubnet, DeleteSecurityGroup and DeleteVpc"

    def install(self, patches: Patches) -> None:
        """Look before moto deletes."""
        self._subnet = SubnetBackend.delete_subnet
        self._group = SecurityGroupBackend._delete_security_group  # noqa: SLF001 - both ways lead there
        self._vpc = VPCBackend.delete_vpc
        patches.method(SubnetBackend, "delete_subnet", self._delete_subnet)
        patches.method(SecurityGroupBackend, "_delete_security_group", self._delete_group)
        patches.method(VPCBackend, "delete_vpc", self._delete_vpc)

    def _delete_subnet(self, ec2: Any, subnet_id: str) -> Any:  # noqa: ANN401 - moto's
        if any(interface.subnet.id == subnet_id for interface in ec2.enis.values()):
            _refuse(f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
        return self._subnet(ec2, subnet_id)

    def _delete_group(self, ec2: Any, vpc_id: str | None, group_id: str) -> None:  # noqa: ANN401 - moto's
        used = (group.id for interface in ec2.enis.values() for group in interface.group_set)
        if group_id in used or group_id in _named_by_others(ec2, group_id):
            _refuse(f"resource {group_id} has a dependent object")
        self._group(ec2, vpc_id, group_id)

    def _delete_vpc(self, ec2: Any, vpc_id: str) -> Any:  # noqa: ANN401 - moto's
        attached = any(
            gateway.vpc and gateway.vpc.id == vpc_id for gateway in ec2.internet_gateways.values()
        )
        groups = [group for group in ec2.groups[vpc_id].values() if not group.is_default]
        if attached or groups:
            _refuse(f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
        return self._vpc(ec2, vpc_id)


class AddressesHoldTheGateway(Behaviour):
    """An internet gateway is not detached while its VPC has public addresses (DependencyViolation).

    moto detaches it.
    """

    source = "EC2's error, in public issue reports (hashicorp/terraform#1303)"

    def install(self, patches: Patches) -> None:
        """Look before moto detaches."""
        self._moto_detach = InternetGatewayBackend.detach_internet_gateway
        patches.method(InternetGatewayBackend, "detach_internet_gateway", self._detach)

    def _detach(self, ec2: Any, internet_gateway_id: str, vpc_id: str) -> None:  # noqa: ANN401 - moto's
        if any(row.public_ip and row.subnet.vpc_id == vpc_id for row in ec2.enis.values()):
            _refuse(
                f"Network {vpc_id} has some mapped public address(es). Please unmap those public"
                " address(es) before detaching the gateway."
            )
        self._moto_detach(ec2, internet_gateway_id, vpc_id)


def _named_by_others(ec2: Any, group_id: str) -> Iterator[str]:  # noqa: ANN401 - moto's
    for groups in ec2.groups.values():
        for group in groups.values():
            for rule in (*group.ingress_rules, *group.egress_rules):
                if group.id != group_id and rule.source_group:
                    yield str(rule.source_group.get("GroupId", ""))


def _refuse(message: str) -> None:
    raise DependencyViolationError(message)
