"""What faults do to what NATs see of the internet and of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.drills.boots import forwarding, peers
from lab.drills.zones import ZONES

if TYPE_CHECKING:
    from lab.drills.injectors.context import FaultContext

_FLAPS = 5
_FLAP = 20.0
"""How often the internet goes, and for how many seconds; it is back for as long."""


def lose_egress(context: FaultContext, zone: str | None) -> None:
    """Let the internet behind the NAT that serves a zone be gone for good."""
    if instance := context.instance(zone):
        context.say(f"cut {instance.id} off the internet; it runs on")
        forwarding.lose_egress(context.region.aws, instance)


def flap(context: FaultContext, zone: str | None) -> None:
    """Let the internet behind a zone's NATs go and come back some times."""
    name, clock = context.home(zone).zone, context.region.clock
    for number in range(_FLAPS):
        gone = clock.now() + 2 * number * _FLAP
        clock.at(gone, lambda: _darken(context, name))
        clock.at(gone + _FLAP, lambda: restore_internet(context))


def lose_internet(context: FaultContext, zone: str | None) -> None:
    """Let no NAT have internet, or none of a zone."""
    zones = [context.home(zone).zone] if zone else [home.zone for home in context.monitor.homes]
    _darken(context, *zones)


def restore_internet(context: FaultContext) -> None:
    """Let the internet be there for all."""
    context.say("the internet is back")
    forwarding.darken(context.region.aws, ())


def cut_link(context: FaultContext, zone: str | None) -> None:
    """Let the NATs of a zone and the others not hear each other."""
    name = context.home(zone).zone
    context.say(f"cut the link between the NATs of {name} and the others")
    peers.cut_links(context.region.aws, name)


def mend_link(context: FaultContext) -> None:
    """Let all NATs hear each other."""
    context.say("mend the link between the NATs")
    peers.cut_links(context.region.aws, None)


def stop_watch(context: FaultContext, option: str | None) -> None:
    """Stop the watch of the NAT that serves a zone, or let that of the first one hang."""
    if instance := context.instance(option if option in ZONES else None):
        frozen = option == "frozen"
        context.say(f"{'freeze' if frozen else 'stop'} the watch of {instance.id}")
        peers.stop(context.region.aws, instance, frozen=frozen)


def start_watches(context: FaultContext) -> None:
    """Start every watch that was stopped or hangs."""
    context.say("start the watches again")
    peers.start_all(context.region.aws)


def _darken(context: FaultContext, *zones: str) -> None:
    context.say(f"the internet is gone behind the NATs of {' and '.join(zones)}")
    forwarding.darken(context.region.aws, zones)
