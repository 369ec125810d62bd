"""What an injector works with: the region, its stack, and which zone leaves through which NAT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.ec2.models import ec2_backends

from lab.emulator.isolation import ACCOUNT, REGION
from lab.emulator.journal import Who

if TYPE_CHECKING:
    from moto.ec2.models.instances import Instance

    from lab.drills.egress_monitor import EgressMonitor
    from lab.drills.topology import Home
    from lab.emulator.region import Region


@dataclass(frozen=True, slots=True)
class FaultContext:
    """Where a fault is injected: the region, its stack, and the monitor of its egress."""

    region: Region
    stack: str
    monitor: EgressMonitor

    @property
    def ec2(self) -> Any:  # noqa: ANN401 - a boto3 client
        """Return a client of the region."""
        return self.region.client("ec2")

    def home(self, zone: str | None) -> Home:
        """Return the private table of a zone, given by its letter; without one, the first."""
        homes = self.monitor.homes
        return next((home for home in homes if zone and home.zone.endswith(zone)), homes[0])

    def nat(self, zone: str | None) -> str | None:
        """Return the NAT that serves a zone now."""
        return self.monitor.now(self.home(zone)).through

    def instance(self, zone: str | None) -> Instance | None:
        """Return the NAT that serves a zone now, as moto has it."""
        nat = self.nat(zone)
        return ec2_backends[ACCOUNT][REGION].get_instance(nat) if nat else None

    def say(self, what: str) -> None:
        """Tell what is done."""
        self.region.journal.note(Who.YOU, "fault", what)
