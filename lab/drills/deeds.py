"""What the faults do, on the emulated region's own levers and through its API."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from moto.ec2.models import ec2_backends

from lab.drills.boots import forwarding
from lab.emulator.isolation import ACCOUNT, REGION
from lab.emulator.journal import Who
from lab.emulator.services.ec2 import capacity, health
from lab.emulator.services.messaging.delivery import Trouble

if TYPE_CHECKING:
    from moto.ec2.models.instances import Instance

    from lab.drills.topology import Home
    from lab.drills.watch import Watch
    from lab.emulator.journal import Entry
    from lab.emulator.region import Region

_ROUTE_WRITES = frozenset(
    {"ec2:CreateRoute", "ec2:ReplaceRoute", "ec2:ReplaceRouteTableAssociation"}
)
_BEGINS = 10.0  # seconds on the wall, in which a stack operation has begun


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

    def instance(self, zone: str | None) -> Instance | None:
        """Return the NAT that serves a zone now, as moto has it."""
        nat = self.nat(zone)
        return ec2_backends[ACCOUNT][REGION].get_instance(nat) if nat else None

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


def slow_lambda(scene: Scene, _: str | None) -> None:
    """Let starts take ten times as long."""
    scene.say("Lambda starts functions ten times as slowly")
    scene.region.functions.slowness = 10.0


def lambda_is_fast(scene: Scene) -> None:
    """Let starts take their usual time."""
    scene.say("Lambda is as fast as ever")
    scene.region.functions.slowness = 1.0


def hang(scene: Scene, zone: str | None) -> None:
    """Let a NAT forward nothing any more."""
    if instance := scene.instance(zone):
        scene.say(f"let {instance.id} hang: it runs, passes its checks and forwards nothing")
        forwarding.hang(scene.region.aws, instance)


def impair(scene: Scene, zone: str | None) -> None:
    """Let a NAT fail its status checks."""
    if instance := scene.instance(zone):
        scene.say(f"impair {instance.id}: its status checks fail, and it forwards nothing")
        health.impair(scene.region.aws, instance)


def bad_boot(scene: Scene, _: str | None) -> None:
    """Let the next launch fail its boot."""
    scene.say("the next instance will not boot")
    forwarding.bad_boots(scene.region.aws, 1)


def planned(scene: Scene, _: str | None) -> None:
    """Start an instance refresh."""
    autoscaling = scene.region.client("autoscaling")
    group = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    name = group["AutoScalingGroupName"]
    scene.say(f"start an instance refresh of {name}")
    autoscaling.start_instance_refresh(AutoScalingGroupName=name)


def throttled(scene: Scene, _: str | None) -> None:
    """Use the account's tokens up, and those that come back meanwhile."""
    scene.say("others use up the account's API calls")
    scene.region.aws.throttling.drain()


def not_throttled(scene: Scene) -> None:
    """Let the tokens come back."""
    scene.say("the others have done their calls")
    scene.region.aws.throttling.relent()


def update_the_stack(scene: Scene, _: str | None) -> None:
    """Begin an update that replaces the NATs: another instance type."""
    cloudformation = scene.region.client("cloudformation")
    template = cloudformation.get_template(StackName=scene.stack)["TemplateBody"]
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        launch = properties.get("LaunchTemplateData", properties)
        if "InstanceType" in launch:
            launch["InstanceType"] = "t4g.micro"
            if name := properties.get("LaunchTemplateName"):  # it says what the template contains
                properties["LaunchTemplateName"] = {"Fn::Join": ["-", [name, "micro"]]}
    scene.say(f"update the stack {scene.stack}: NATs of another instance type")
    change_set = cloudformation.create_change_set(
        StackName=scene.stack,
        ChangeSetName="another-instance-type",
        TemplateBody=json.dumps(template),
        Parameters=_as_they_are(cloudformation, scene.stack),
        Capabilities=["CAPABILITY_IAM"],
    )
    _execute(scene, change_set["Id"])


def _as_they_are(cloudformation: Any, stack: str) -> list[dict[str, Any]]:  # noqa: ANN401 - a client
    (described,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return [
        {"ParameterKey": row["ParameterKey"], "UsePreviousValue": True}
        for row in described.get("Parameters", [])
    ]


def _execute(scene: Scene, change_set: str) -> None:
    """Execute a change set without waiting for its end, only for its beginning."""
    began = threading.Event()
    region = scene.region

    def listen(entry: Entry) -> None:
        if entry.kind == "stack":
            began.set()

    region.journal.listen(listen)
    execute = region.client("cloudformation").execute_change_set
    threading.Thread(
        target=execute, kwargs={"ChangeSetName": change_set}, name="lab update", daemon=True
    ).start()
    began.wait(_BEGINS)


def lost(scene: Scene, _: str | None) -> None:
    """Lose the messages to the function."""
    _trouble(scene, "are lost", replace(_now(scene), lost=1.0))


def doubled(scene: Scene, _: str | None) -> None:
    """Deliver each message to the function twice."""
    _trouble(scene, "come twice", replace(_now(scene), doubled=1.0))


def reordered(scene: Scene, _: str | None) -> None:
    """Let messages to the function overtake each other."""
    _trouble(scene, "overtake each other", replace(_now(scene), reordered=1.0))


def delivered(scene: Scene) -> None:
    """Deliver messages as ever."""
    scene.say("messages are delivered as ever")
    scene.region.aws.delivery.trouble = Trouble()


def _now(scene: Scene) -> Trouble:
    return scene.region.aws.delivery.trouble


def _trouble(scene: Scene, what: str, trouble: Trouble) -> None:
    scene.say(f"messages to the function {what}")
    scene.region.aws.delivery.trouble = trouble


def denied(scene: Scene, _: str | None) -> None:
    """Take the permissions to write routes and associations from the function's role."""
    scene.say("the function's role may not write routes any more")
    scene.region.aws.permissions.missing |= _ROUTE_WRITES


def permitted(scene: Scene) -> None:
    """Give the permissions back."""
    scene.say("the function's role may write routes again")
    scene.region.aws.permissions.missing -= _ROUTE_WRITES


def zone_outage(scene: Scene, zone: str | None) -> None:
    """End the NATs of a zone, and let no other be launched there."""
    name = scene.home(zone).zone
    dead = [nat for nat in scene.watch.nats_now() if nat.zone == name and nat.state == "running"]
    scene.say(f"{name} fails, with {' and '.join(nat.instance for nat in dead) or 'no NAT'} in it")
    capacity.no_capacity(scene.region.aws, name)
    if dead:
        scene.ec2.terminate_instances(InstanceIds=[nat.instance for nat in dead])


def no_capacity(scene: Scene, _: str | None) -> None:
    """Let every launch fail."""
    scene.say("EC2 runs out of capacity")
    capacity.no_capacity(scene.region.aws)


def capacity_is_back(scene: Scene) -> None:
    """Let launches succeed again."""
    scene.say("EC2 has capacity again")
    capacity.restore_capacity(scene.region.aws)
