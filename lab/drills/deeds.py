"""What the faults do, on the emulated region's own levers and through its API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.journal import Who
from lab.topology import DEFAULT

if TYPE_CHECKING:
    from lab.region import Region
    from lab.topology import Home
    from lab.watch import Watch


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a fault is played: the region, its stack, and who watches it."""

    region: Region
    stack: str
    watch: Watch

    @property
    def ec2(self) -> Any:  # noqa: ANN401 - a boto3 client
        """Return a client of the region."""
        return self.region.client("ec2")

    def home(self, zone: str | None) -> Home:
        """Return the private table of a zone, given by its letter; without one, the first."""
        homes = self.watch.homes
        return next((home for home in homes if zone and home.zone.endswith(zone)), homes[0])

    def nat(self, zone: str | None) -> str | None:
        """Return the NAT that serves a zone now."""
        return self.watch.now(self.home(zone)).through

    def say(self, what: str) -> None:
        """Tell what is done."""
        self.region.journal.note(Who.YOU, "fault", what)


def terminate(scene: Scene, zone: str | None) -> None:
    """Terminate the NAT that serves a zone, if one does."""
    if nat := scene.nat(zone):
        scene.say(f"terminate {nat}")
        scene.ec2.terminate_instances(InstanceIds=[nat])


def stop(scene: Scene, zone: str | None) -> None:
    """Stop the NAT that serves a zone, if one does."""
    if nat := scene.nat(zone):
        scene.say(f"stop {nat}")
        scene.ec2.stop_instances(InstanceIds=[nat])


def both(scene: Scene, _: str | None) -> None:
    """Terminate every NAT that serves a zone."""
    nats = sorted({nat for home in scene.watch.homes if (nat := scene.watch.now(home).through)})
    scene.say(f"terminate {' and '.join(nats)}")
    scene.ec2.terminate_instances(InstanceIds=nats)


def check_reset(scene: Scene, zone: str | None) -> None:
    """Turn the source/destination check on."""
    if nat := scene.nat(zone):
        scene.say(f"turn the source/destination check of {nat} on")
        scene.ec2.modify_instance_attribute(InstanceId=nat, SourceDestCheck={"Value": True})


def tamper(scene: Scene, option: str | None) -> None:
    """Delete the default route of a zone's table, or point that of the first one elsewhere."""
    table = scene.home(option).table
    if option != "elsewhere":
        scene.say(f"delete the default route of {table}")
        scene.ec2.delete_route(RouteTableId=table, DestinationCidrBlock=DEFAULT)
        return
    subnet = scene.home(None).subnets[0]
    interface = scene.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    target = interface["NetworkInterfaceId"]
    scene.say(f"point the default route of {table} to {target}")
    scene.ec2.replace_route(
        RouteTableId=table, DestinationCidrBlock=DEFAULT, NetworkInterfaceId=target
    )


def slow_lambda(scene: Scene, _: str | None) -> None:
    """Let starts take ten times as long."""
    scene.say("Lambda starts functions ten times as slowly")
    scene.region.functions.slowness = 10.0


def lambda_is_fast(scene: Scene) -> None:
    """Let starts take their usual time."""
    scene.say("Lambda is as fast as ever")
    scene.region.functions.slowness = 1.0


def hang(scene, zone): ...


impair = planned = zone_outage = no_capacity = bad_boot = lost = doubled = reordered = throttled = (
    denied
) = update_the_stack = hang


def zone_is_back(scene): ...


capacity_is_back = delivery_is_back = not_throttled = permitted = zone_is_back


def hang(scene, zone): ...


impair = planned = zone_outage = no_capacity = bad_boot = lost = doubled = reordered = throttled = (
    denied
) = update_the_stack = hang


def zone_is_back(scene): ...


capacity_is_back = delivery_is_back = not_throttled = permitted = zone_is_back
