"""With which public addresses private hosts are seen while the app has Elastic IPs, or none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from moto.ec2.models import ec2_backends

from lab.emulator.isolation import ACCOUNT, REGION
from lab.emulator.journal import Who
from lab.emulator.services.ec2.elastic_ips import public_address

if TYPE_CHECKING:
    from lab.drills.testbed import AppTestbed
    from lab.emulator.region import Region

SEEN = "seen as"


def context(elastic_ips: object, **fleet: object) -> tuple[str, ...]:
    """Return the app's settings with Elastic IPs, or none."""
    return (f"nat={json.dumps({'fleet': {'elastic_ips': elastic_ips, **fleet}})}",)


class SeenAs:
    """Notes with which public addresses the private subnets leave, whenever that changes."""

    def __init__(self, testbed: AppTestbed) -> None:
        self._testbed = testbed
        self._now: dict[str, str | None] = {}
        testbed.region.clock.each_step(self._look)

    def _look(self) -> None:
        region, monitor = self._testbed.region, self._testbed.monitor
        for home in monitor.homes:
            way = monitor.now(home)
            if not way.works or way.through is None:
                continue
            interface = ec2_backends[ACCOUNT][REGION].get_instance(way.through).nics[0]
            address = public_address(interface, region.clock.now())
            if self._now.get(home.zone) != address:
                self._now[home.zone] = address
                region.journal.note(Who.EC2, SEEN, f"{home.zone} {address}")


def elastic(region: Region) -> dict[str, str | None]:
    """Return the Elastic IPs of the account, with the instances that have them."""
    rows = region.client("ec2").describe_addresses()["Addresses"]
    return {row["PublicIp"]: row.get("InstanceId") or None for row in rows}
