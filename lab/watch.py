"""When each private subnet had a working default route, and through which NAT.

A default route works when it leads to an instance that runs and has its source/destination check
off. A NAT that is shutting down may forward for some seconds more; here the loss counts from the
moment at which it was killed, so no outage is reported too short.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.aws.routes import effective_table, target_instance
from lab.clock import VirtualClock
from lab.journal import Who
from lab.topology import DEFAULT

if TYPE_CHECKING:
    from moto.ec2.models.route_tables import RouteTable

    from lab.region import Region
    from lab.topology import Home

_PERIOD = 0.01  # seconds between looks: how exact the measured outages are


@dataclass(frozen=True, slots=True)
class Egress:
    """How the subnets of one home leave: whether they do, through which NATs, in words."""

    works: bool
    instances: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Change:
    """From a moment on, the subnets of a home leave in this way."""

    at: float
    egress: Egress


def look(home: Home, now: float) -> Egress:
    """Return how packets of the subnets of a home leave now."""
    seen = {_through(effective_table(subnet, now)) for subnet in home.subnets}
    return Egress(
        works=bool(seen) and all(works for works, _, _ in seen),
        instances=tuple(sorted({instance for _, instance, _ in seen if instance})),
        words=", ".join(sorted({words for _, _, words in seen})),
    )


def _through(table: RouteTable | None) -> tuple[bool, str, str]:
    if table is None:
        return False, "", "no route table"
    route = next((row for row in table.routes if row.destination_cidr_block == DEFAULT), None)
    if route is None:
        return False, "", "no default route"
    instance = target_instance(route)
    if instance is None:
        return False, "", str(route.state)
    works = instance.state == "running" and not instance.source_dest_check
    zone = str(instance.availability_zone)[-1]
    state = "" if works else f", {instance.state}" + (", blackhole" * (route.state == "blackhole"))
    return works, instance.id, f"{instance.id} (zone {zone}{state})"


class Watch:
    """Looks at the homes of a deployed stack again and again, and remembers each change."""

    def __init__(self, region: Region, homes: tuple[Home, ...]) -> None:
        self._region = region
        self._homes = homes
        self._changes: dict[Home, list[Change]] = {home: [] for home in homes}
        self._stopped = threading.Event()
        self._look()
        if isinstance(region.clock, VirtualClock):
            region.clock.each_step(self._look)
        else:
            threading.Thread(target=self._run, name="lab watch", daemon=True).start()

    @property
    def homes(self) -> tuple[Home, ...]:
        """Return what is watched."""
        return self._homes

    def now(self, home: Home) -> Egress:
        """Return the last look at a home."""
        return self._changes[home][-1].egress

    def all_work(self) -> bool:
        """Return whether each home has a working default route."""
        return all(self.now(home).works for home in self._homes)

    def outage(self, home: Home, *, begin: float, end: float) -> float:
        """Return for how many seconds between two moments a home had no working default route."""
        changes = self._changes[home]
        ends = [change.at for change in changes[1:]] + [end]
        return sum(
            max(0.0, min(until, end) - max(change.at, begin))
            for change, until in zip(changes, ends, strict=True)
            if not change.egress.works
        )

    def stop(self) -> None:
        """Stop looking."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(_PERIOD):
            self._look()

    def _look(self) -> None:
        if self._stopped.is_set():
            return
        for home in self._homes:
            egress = look(home, self._region.clock.now())
            changes = self._changes[home]
            if not changes or changes[-1].egress != egress:
                changes.append(Change(self._region.clock.now(), egress))
                self._region.journal.note(
                    Who.EC2,
                    "egress",
                    f"private subnets of {home.zone} leave through {egress.words}",
                    works=str(egress.works),
                )
