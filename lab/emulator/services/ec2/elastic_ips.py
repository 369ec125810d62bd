"""Elastic IPs: what an association replaces, when it ends, and from when packets have it."""
# ruff: noqa: ANN401 - moto types little of its state

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_ip_addresses import ElasticAddress, ElasticAddressBackend
from moto.ec2.utils import random_public_ip

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.ec2.eventual_consistency.history import History, history_of, value_of
from lab.emulator.services.ec2.instances import InstanceStates
from lab.emulator.services.ec2.refusals import refuse
from lab.emulator.side_tables import SideTable
from lab.emulator.time import delays

if TYPE_CHECKING:
    from moto.ec2.models.elastic_network_interfaces import NetworkInterface

    from lab.emulator.journal import Entry

QUOTA = 5
"""Elastic IPs of an account and Region ("Elastic IP addresses", EC2 user guide), unless raised."""

_FOLLOWED: SideTable[NetworkInterface, History[str | None]] = SideTable()
"""The public address that packets of an interface have, where it was changed."""


def public_address(interface: NetworkInterface, now: float) -> str | None:
    """Return the public address with which packets of an interface leave now."""
    return value_of(_FOLLOWED, interface, now, interface.public_ip)


class ElasticIpsReplaceTheAddress(Behaviour):
    """An Elastic IP replaces the public address of an instance, also another Elastic IP.

    Packets have it seconds later. The instance is shown with the association. moto leaves the
    Elastic IP before where it was, and shows no instance.
    """

    source = "EC2 user guide, 'Elastic IP addresses'; EC2 API reference, AssociateAddress"
    after = (InstanceStates,)

    def install(self, patches: Patches) -> None:
        """Change what moto associates and disassociates."""
        self._moto_associate = ElasticAddressBackend.associate_address
        self._moto_disassociate = ElasticAddressBackend.disassociate_address
        patches.method(ElasticAddressBackend, "associate_address", self._associate)
        patches.method(ElasticAddressBackend, "disassociate_address", self._disassociate)

    def _associate(
        self, ec2: Any, instance: Any = None, eni: Any = None, **named: Any
    ) -> ElasticAddress:
        interface = eni or instance.nics[0]
        before = interface.public_ip
        ip: ElasticAddress = self._moto_associate(ec2, instance, interface, **named)
        ip.instance = interface.instance
        for other in ec2.addresses:
            if other is not ip and other.eni is interface:
                free(other)
        self._follow(interface, before)
        return ip

    def _disassociate(self, ec2: Any, *given: Any, **named: Any) -> None:
        before = {row.eni: row.public_ip for row in ec2.addresses if row.eni}
        self._moto_disassociate(ec2, *given, **named)
        left = {row.eni for row in ec2.addresses if row.eni}
        for interface, address in before.items():
            if interface not in left:
                self._follow(interface, address)

    def _follow(self, interface: NetworkInterface, before: str | None) -> None:
        moment = self._aws.clock.now() + self._aws.clock.draw(delays.ADDRESS_TAKES_EFFECT)
        history_of(_FOLLOWED, interface, before).write(moment, interface.public_ip)


class ElasticIpsOutliveTheirInstance(Behaviour):
    """The Elastic IP of an instance is free again when the instance is terminated.

    One that is stopped keeps its own. moto leaves it associated with what is gone.
    """

    source = "EC2 user guide, 'Elastic IP addresses' and 'Terminate Amazon EC2 instances'"
    after = (InstanceStates,)

    def install(self, patches: Patches) -> None:
        """Hear of each instance that ends."""
        del patches
        self._aws.journal.listen(self._heard)

    def _heard(self, entry: Entry) -> None:
        if entry.kind == "instance state" and entry.detail["state"] == "terminated":
            for ip in ec2_backends[self._aws.account][self._aws.region].addresses:
                if ip.instance and ip.instance.id == entry.detail["instance"]:
                    free(ip)


class ElasticIpsAreLimited(Behaviour):
    """A sixth Elastic IP of a Region is refused, and the release of one that is associated.

    moto takes any number, gives addresses of the loopback network, and takes an address away from
    what has it.
    """

    source = (
        "EC2 user guide, 'Elastic IP addresses': quota; EC2 API reference, ReleaseAddress; the"
        " words of the quota's error: public issue reports (aws/aws-cdk#16518)"
    )
    after = (ElasticIpsReplaceTheAddress,)

    def install(self, patches: Patches) -> None:
        """Look before moto allocates and releases."""
        self._moto_allocate = ElasticAddressBackend.allocate_address
        self._moto_release = ElasticAddressBackend.release_address
        patches.method(ElasticAddressBackend, "allocate_address", self._allocate)
        patches.method(ElasticAddressBackend, "release_address", self._release)

    def _allocate(
        self, ec2: Any, domain: str, address: str | None = None, tags: Any = None
    ) -> ElasticAddress:
        if len(ec2.addresses) >= QUOTA:
            refuse("AddressLimitExceeded", "The maximum number of addresses has been reached.")
        chosen = address or random_public_ip()
        ip: ElasticAddress = self._moto_allocate(ec2, domain, chosen, tags)
        return ip

    def _release(
        self, ec2: Any, address: str | None = None, allocation_id: str | None = None
    ) -> None:
        for ip in ec2.addresses:
            if ip.association_id and (ip.allocation_id == allocation_id or ip.public_ip == address):
                refuse("InvalidIPAddress.InUse", f"Address {ip.public_ip} is in use.")
        self._moto_release(ec2, address, allocation_id)


class StacksTakeTheirElasticIps(Behaviour):
    """CloudFormation releases an Elastic IP that it deletes, and disassociates it before that.

    So whatever has it loses it, without being asked. moto leaves it behind.
    """

    source = (
        "the call that the handler is seen to make:"
        " aws-cloudformation/cloudformation-coverage-roadmap#831"
    )

    def install(self, patches: Patches) -> None:
        """Add what deletes it."""
        patches.method(ElasticAddress, "delete", self._delete)

    @staticmethod
    def _delete(ip: ElasticAddress, *_: str) -> None:
        ec2 = ip.ec2_backend
        if ip.association_id:
            ec2.disassociate_address(association_id=ip.association_id)
        ec2.release_address(allocation_id=ip.allocation_id)


def free(ip: ElasticAddress) -> None:
    """Let an Elastic IP be associated with nothing."""
    ip.instance = ip.eni = ip.association_id = None
