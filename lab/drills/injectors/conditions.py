"""What faults do to the services around the NATs: Lambda, messages, permissions, capacity."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lab.emulator.services.ec2 import capacity
from lab.emulator.services.messaging.delivery import DeliveryFaults

if TYPE_CHECKING:
    from lab.drills.injectors.context import FaultContext


_ROUTE_WRITES = frozenset(
    {"ec2:CreateRoute", "ec2:ReplaceRoute", "ec2:ReplaceRouteTableAssociation"}
)


def slow_lambda(context: FaultContext, _: str | None) -> None:
    """Let starts take ten times as long."""
    context.say("Lambda starts functions ten times as slowly")
    context.region.functions.slowness = 10.0


def lambda_is_fast(context: FaultContext) -> None:
    """Let starts take their usual time."""
    context.say("Lambda is as fast as ever")
    context.region.functions.slowness = 1.0


def throttled(context: FaultContext, _: str | None) -> None:
    """Use the account's tokens up, and those that come back meanwhile."""
    context.say("others use up the account's API calls")
    context.region.aws.throttling.exhaust()


def not_throttled(context: FaultContext) -> None:
    """Let the tokens come back."""
    context.say("the others have done their calls")
    context.region.aws.throttling.restore()


def lost(context: FaultContext, _: str | None) -> None:
    """Lose the messages to the function."""
    _fault(context, "are lost", replace(_now(context), lost=1.0))


def doubled(context: FaultContext, _: str | None) -> None:
    """Deliver each message to the function twice."""
    _fault(context, "come twice", replace(_now(context), doubled=1.0))


def reordered(context: FaultContext, _: str | None) -> None:
    """Let messages to the function overtake each other."""
    _fault(context, "overtake each other", replace(_now(context), reordered=1.0))


def delivered(context: FaultContext) -> None:
    """Deliver messages as ever."""
    context.say("messages are delivered as ever")
    context.region.aws.delivery.faults = DeliveryFaults()


def _now(context: FaultContext) -> DeliveryFaults:
    return context.region.aws.delivery.faults


def _fault(context: FaultContext, what: str, faults: DeliveryFaults) -> None:
    context.say(f"messages to the function {what}")
    context.region.aws.delivery.faults = faults


def denied(context: FaultContext, _: str | None) -> None:
    """Take the permissions to write routes and associations from the function's role."""
    context.say("the function's role may not write routes any more")
    context.region.aws.permissions.missing |= _ROUTE_WRITES


def permitted(context: FaultContext) -> None:
    """Give the permissions back."""
    context.say("the function's role may write routes again")
    context.region.aws.permissions.missing -= _ROUTE_WRITES


def zone_outage(context: FaultContext, zone: str | None) -> None:
    """End the NATs of a zone, and let no other be launched there."""
    name = context.home(zone).zone
    dead = [
        nat for nat in context.monitor.nats_now() if nat.zone == name and nat.state == "running"
    ]
    context.say(
        f"{name} fails, with {' and '.join(nat.instance for nat in dead) or 'no NAT'} in it"
    )
    capacity.no_capacity(context.region.aws, name)
    if dead:
        context.ec2.terminate_instances(InstanceIds=[nat.instance for nat in dead])


def no_capacity(context: FaultContext, _: str | None) -> None:
    """Let every launch fail."""
    context.say("EC2 runs out of capacity")
    capacity.no_capacity(context.region.aws)


def capacity_is_back(context: FaultContext) -> None:
    """Let launches succeed again."""
    context.say("EC2 has capacity again")
    capacity.restore_capacity(context.region.aws)
