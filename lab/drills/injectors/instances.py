"""What faults do to NATs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.drills.boots import forwarding
from lab.emulator.services.autoscaling.members import IN_SERVICE_SINCE, groups_of, in_service
from lab.emulator.services.ec2 import health

if TYPE_CHECKING:
    from lab.drills.injectors.context import FaultContext


def terminate(context: FaultContext, zone: str | None) -> None:
    """Terminate the NAT that serves a zone, if one does."""
    if nat := context.nat(zone):
        context.say(f"terminate {nat}")
        context.ec2.terminate_instances(InstanceIds=[nat])


def stop(context: FaultContext, zone: str | None) -> None:
    """Stop the NAT that serves a zone, if one does."""
    if nat := context.nat(zone):
        context.say(f"stop {nat}")
        context.ec2.stop_instances(InstanceIds=[nat])


def both(context: FaultContext, _: str | None) -> None:
    """Terminate every NAT that serves a zone."""
    nats = sorted(
        {nat for home in context.monitor.homes if (nat := context.monitor.now(home).through)}
    )
    context.say(f"terminate {' and '.join(nats)}")
    context.ec2.terminate_instances(InstanceIds=nats)


def check_reset(context: FaultContext, zone: str | None) -> None:
    """Turn the source/destination check on."""
    if nat := context.nat(zone):
        context.say(f"turn the source/destination check of {nat} on")
        context.ec2.modify_instance_attribute(InstanceId=nat, SourceDestCheck={"Value": True})


def hang(context: FaultContext, zone: str | None) -> None:
    """Let a NAT forward nothing any more."""
    if instance := context.instance(zone):
        context.say(f"let {instance.id} hang: it runs, passes its checks and forwards nothing")
        forwarding.hang(context.region.aws, instance)


def impair(context: FaultContext, zone: str | None) -> None:
    """Let a NAT fail its status checks."""
    if instance := context.instance(zone):
        context.say(f"impair {instance.id}: its status checks fail, and it forwards nothing")
        health.impair(context.region.aws, instance)


def bad_boot(context: FaultContext, _: str | None) -> None:
    """Let the next launch fail its boot."""
    context.say("the next instance will not boot")
    forwarding.bad_boots(context.region.aws, 1)


def planned(context: FaultContext, _: str | None) -> None:
    """Start an instance refresh."""
    autoscaling = context.region.client("autoscaling")
    group = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    name = group["AutoScalingGroupName"]
    context.say(f"start an instance refresh of {name}")
    autoscaling.start_instance_refresh(AutoScalingGroupName=name)


def outlive(context: FaultContext, _: str | None) -> None:
    """Let every NAT be as old as its group lets it become."""
    autoscaling, now = context.region.client("autoscaling"), context.region.clock.now()
    for group in groups_of(context.region.aws):
        described = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group.name])
        if limit := described["AutoScalingGroups"][0].get("MaxInstanceLifetime"):
            nats = [state.instance.id for state in in_service(group)]
            context.say(f"let {' and '.join(nats)} be {limit / 86400:g} days old")
            for state in in_service(group):
                IN_SERVICE_SINCE[state] = now - limit
            autoscaling.update_auto_scaling_group(
                AutoScalingGroupName=group.name, MaxInstanceLifetime=limit
            )
