"""When each private subnet had internet, and through which NAT: the truth that drills measure.

A private table leaves when its default route, as packets follow it now, leads to an instance that
forwards and has its source/destination check off, or to a NAT gateway that is available.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moto.ec2.models import ec2_backends

from lab.drills.boots.forwarding import forwards, leads_to_gateway
from lab.drills.topology import DEFAULT
from lab.emulator.isolation import ACCOUNT, REGION
from lab.emulator.journal import Who
from lab.emulator.services.ec2.routes import effective_table, target_instance

if TYPE_CHECKING:
    from moto.ec2.models.instances import Instance
    from moto.ec2.models.nat_gateways import NatGateway

    from lab.drills.topology import Home
    from lab.emulator.region import Region


@dataclass(frozen=True, slots=True)
class Egress:
    """How the subnets of one home leave: whether they do, through which NAT, in words.

    `through` is an instance or a NAT gateway, `zone` that of a NAT of the group.
    """

    works: bool
    through: str | None
    zone: str | None
    words: str


@dataclass(frozen=True, slots=True)
class Change:
    """From a moment on, the subnets of a home leave in this way."""

    at: float
    egress: Egress


@dataclass(frozen=True, slots=True)
class Seen:
    """A NAT as it is: its zone, EC2's state, and whether packets that reach it go on."""

    instance: str
    zone: str
    state: str
    forwards: bool


def egress_of(home: Home, now: float) -> Egress:
    """Return how the subnets of a home leave now; of several ways, one that does not work."""
    ways = {_way(subnet, now) for subnet in home.subnets}
    return min(ways, key=lambda way: (way.works, way.words))


def _way(subnet: str, now: float) -> Egress:
    table = effective_table(subnet, now)
    if table is None:
        return Egress(works=False, through=None, zone=None, words="no route table")
    route = next((row for row in table.routes if row.destination_cidr_block == DEFAULT), None)
    if route is None:
        return Egress(works=False, through=None, zone=None, words="no default route")
    if route.nat_gateway:
        return _through_gateway(route.nat_gateway, now)
    target = target_instance(route)
    if target is None:
        words = str(route.gateway_id or route.network_interface_id or route.state)
        return Egress(works=False, through=None, zone=None, words=words)
    zone, trouble = str(target.availability_zone), _trouble(target, now)
    foreign = "" if _is_member(target) else ", not of the group"
    words = f"{target.id} (zone {zone[-1]}{foreign}{trouble})"
    return Egress(works=not trouble, through=target.id, zone=None if foreign else zone, words=words)


def _through_gateway(gateway: NatGateway, now: float) -> Egress:
    """Return how packets leave that a NAT gateway gets: public, with a way to the internet.

    One that is deleting may still be processing traffic (EC2 API reference, NatGateway), or not.
    """
    public = any(address.get("publicIp") for address in gateway.nat_gateway_addresses)
    works = public and gateway.state == "available" and leads_to_gateway(gateway.subnet_id, now)
    words = f"{gateway.id} ({gateway.state}{'' if public else ', private'})"
    return Egress(works=works, through=gateway.id, zone=None, words=words)


def _is_member(instance: Instance) -> bool:
    """Return whether an instance is a group's, which tags it as nobody else can."""
    return any(tag["key"] == "aws:autoscaling:groupName" for tag in instance.get_tags())


def _trouble(instance: Instance, now: float) -> str:
    """Return why an instance lets nothing through; empty if it does not."""
    if not forwards(instance, now):
        return f", {instance.state}, does not forward"
    if instance.source_dest_check:
        return ", source/destination check on"
    if not leads_to_gateway(str(instance.subnet_id), now):
        return ", no route to the internet gateway"
    return ""


class EgressMonitor:
    """Looks at the homes of a deployed stack whenever something happens, and remembers changes."""

    def __init__(self, region: Region, homes: tuple[Home, ...]) -> None:
        self.homes = homes
        self.changes: dict[Home, list[Change]] = {home: [] for home in homes}
        self._nats: list[tuple[float, tuple[Seen, ...]]] = []
        self._region = region
        self._stopped = False
        self._look()
        region.clock.each_step(self._look)

    def now(self, home: Home) -> Egress:
        """Return the last look at a home."""
        return self.changes[home][-1].egress

    def all_work(self) -> bool:
        """Return whether each home has internet."""
        return all(self.now(home).works for home in self.homes)

    def at_home(self) -> bool:
        """Return whether each home has internet, through a NAT of its own zone if it has any."""
        own = [home for home in self.homes if home.has_nats]
        return self.all_work() and all(self.now(home).zone == home.zone for home in own)

    def steady_since(self) -> float:
        """Return the moment of the last change."""
        return max(changes[-1].at for changes in self.changes.values())

    def nats_at(self, moment: float) -> tuple[Seen, ...]:
        """Return the NATs as they were at a moment, by zone; terminated ones until EC2 forgets."""
        return next(seen for at, seen in reversed(self._nats) if at <= moment)

    def nats_now(self) -> tuple[Seen, ...]:
        """Return the NATs as they are, by zone."""
        now = self._region.clock.now()
        instances = ec2_backends[ACCOUNT][REGION].all_instances()
        return tuple(
            sorted(
                (
                    Seen(
                        instance=str(instance.id),
                        zone=str(instance.availability_zone),
                        state=str(instance.state),
                        forwards=forwards(instance, now),
                    )
                    for instance in instances
                ),
                key=lambda seen: (seen.zone, seen.instance),
            )
        )

    def stop(self) -> None:
        """Stop looking."""
        self._stopped = True

    def _look(self) -> None:
        if self._stopped:
            return
        now = self._region.clock.now()
        nats = self.nats_now()
        if not self._nats or self._nats[-1][1] != nats:
            self._nats.append((now, nats))
        for home in self.homes:
            egress = egress_of(home, now)
            changes = self.changes[home]
            if not changes or changes[-1].egress != egress:
                changes.append(Change(now, egress))
                what = f"private subnets of {home.zone} leave through {egress.words}"
                self._region.journal.note(
                    Who.EC2, "egress", what, works=str(egress.works), zone=home.zone
                )
