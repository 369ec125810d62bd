"""In which zones EC2 has capacity for new instances."""
# ruff: noqa: ANN401 - moto types little of its state

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend, ec2_backends

from lab.emulator.behaviour import Behaviour, Emulation, Patches
from lab.emulator.journal import Who
from lab.emulator.side_tables import SideTable

if TYPE_CHECKING:
    from moto.ec2.models.instances import Reservation

CAPACITY = "capacity"
"""The kind of the journal's entry that says that there is, or is no, capacity."""

_LACKING: SideTable[EC2Backend, set[str]] = SideTable(set)
"""The zones without capacity."""

NO_CAPACITY = "InsufficientInstanceCapacity"


def no_capacity(aws: Emulation, zone: str | None = None) -> None:
    """Let launches fail from now on in a zone ("us-east-1a"), or in all of them."""
    names = [zone] if zone else [row.name for row in _ec2(aws).describe_availability_zones()]
    _LACKING[_ec2(aws)].update(names)
    aws.journal.note(Who.EC2, CAPACITY, f"has no capacity in {zone or 'any zone'}")


def restore_capacity(aws: Emulation) -> None:
    """Let launches succeed again in all zones."""
    _LACKING[_ec2(aws)].clear()
    aws.journal.note(Who.EC2, CAPACITY, "has capacity in all zones again")


def has_capacity(ec2: EC2Backend, zone: str) -> bool:
    """Return whether a launch in a zone succeeds."""
    return zone not in _LACKING[ec2]


def _ec2(aws: Emulation) -> EC2Backend:
    return ec2_backends[aws.account][aws.region]


class ZonesRunOutOfCapacity(Behaviour):
    """RunInstances is refused with InsufficientInstanceCapacity in a zone without capacity.

    moto's capacity has no end.
    """

    source = "EC2 user guide, 'Troubleshoot Amazon EC2 instance launch issues'"

    def install(self, patches: Patches) -> None:
        """Ask for capacity first."""
        self._run = EC2Backend.run_instances
        patches.method(EC2Backend, "run_instances", self._run_instances)

    def _run_instances(self, ec2: EC2Backend, *given: Any, **named: Any) -> Reservation:
        subnet = named.get("subnet_id")
        zone = ec2.get_subnet(subnet).availability_zone if subnet else named.get("placement")
        if zone and not has_capacity(ec2, zone):
            message = (
                f"We currently do not have sufficient {named.get('instance_type')} capacity in the"
                f" Availability Zone you requested ({zone}). Our system will be working on"
                " provisioning additional capacity."
            )
            raise EC2ClientError(NO_CAPACITY, message)
        return self._run(ec2, *given, **named)
