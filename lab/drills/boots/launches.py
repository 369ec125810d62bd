"""How an instance completes its launch action when its boot script has ended.

Its user data names the action, and is read as the deployed boot script has it. The instance makes
its calls with the role of its instance profile.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moto.autoscaling.exceptions import AutoscalingClientError
from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models import ec2_backends

from lab.drills.boots import delays
from lab.drills.boots.forwarding import BOOTED, FORWARDS, switch_off
from lab.emulator.behaviour import Behaviour, Emulation, Patches
from lab.emulator.iam.callers import Caller
from lab.emulator.iam.calls import ApiCall
from lab.emulator.journal import Who
from lab.emulator.services.autoscaling.hooks import complete_action, find_action
from lab.emulator.services.autoscaling.requests import group_named
from lab.emulator.services.autoscaling.waits import ABANDON, CONTINUE
from lab.emulator.services.ec2.user_data import script_in
from lab.emulator.services.iam.profiles import role_of

if TYPE_CHECKING:
    from moto.ec2.models.instances import Instance

    from lab.emulator.journal import Entry

ATTEMPTS = 10
"""How often the boot script tries to say CONTINUE; it says ABANDON once."""

SAID = "launch"
"""The kind of the journal's entry that says what an instance told its group of its launch."""

REFUSED = "launch refused"
"""The kind of the journal's entry that says that this was refused."""

_MEANING = {
    CONTINUE: "says that it forwards: CONTINUE",
    ABANDON: "gives its launch up: ABANDON",
}


@dataclass(frozen=True, slots=True)
class LaunchAction:
    """The lifecycle action that a boot script completes, by the names of its group and hook."""

    group: str
    hook: str


def launch_action_of(user_data: str) -> LaunchAction | None:
    """Return what a boot script (in base64, as EC2 keeps it) completes; None if it completes none.

    The names are those of its settings `group` and `hook`.
    """
    script = script_in(user_data)
    group, hook = setting(script, "group"), setting(script, "hook")
    return LaunchAction(group, hook) if group and hook else None


def setting(script: str, name: str) -> str:
    """Return what a boot script's line `name=…` sets, unquoted as a shell does; empty if none."""
    line = re.search(rf"^{name}=(.*)$", script, re.MULTILINE)
    return "".join(shlex.split(line[1])) if line else ""


class InstancesCompleteTheirLaunch(Behaviour):
    """An instance whose boot script says so completes its launch action when it was booted first.

    With CONTINUE once it forwards. It tries again while the action does not exist yet, or while it
    is refused, and when it has tried often enough it leaves the rest to the heartbeat. When the
    boot failed, it says ABANDON once and switches itself off. It makes the calls with the role of
    its instance profile, whose policies are evaluated. moto's instances run no user data.
    """

    source = "cdk_nat_failover/instances/boot/boot.sh; IAM user guide, 'Policy evaluation logic'"

    def install(self, patches: Patches) -> None:
        """Listen to the journal for boots that end."""
        del patches  # moto itself stays as it is
        self._booted: set[str] = set()
        self._aws.journal.listen(self._heard)

    def _heard(self, entry: Entry) -> None:
        if entry.kind != BOOTED or entry.detail["instance"] in self._booted:
            return
        self._booted.add(entry.detail["instance"])  # user data is for the first boot
        instance = ec2_backends[self._aws.account][self._aws.region].get_instance(
            entry.detail["instance"]
        )
        if action := launch_action_of(str(instance.user_data or "")):
            well = entry.detail["result"] == FORWARDS
            launch = _Launch(self._aws, instance, action)
            launch.end(CONTINUE, ATTEMPTS) if well else launch.end(ABANDON, 1)


class _Launch:
    """The end of one instance's launch, as its boot script has it."""

    def __init__(self, aws: Emulation, instance: Instance, action: LaunchAction) -> None:
        self._aws, self._instance, self._action = aws, instance, action
        self._until = aws.clock.now() + aws.clock.draw(delays.BOOT_TELLS)

    def end(self, result: str, attempts: int) -> None:
        """Say how the launch went, after the time that a call takes."""
        self._aws.clock.after(delays.CLI_CALL, lambda: self._say(result, attempts))

    def _say(self, result: str, attempts: int) -> None:
        if self._instance.state != "running":
            return
        clock = self._aws.clock
        error = say(self._aws, self._instance, self._action, result)
        if result == ABANDON:
            switch_off(self._instance)
        elif error and attempts > 1 and clock.now() < self._until:
            clock.after(delays.BOOT_TRIES_AGAIN, lambda: self.end(result, attempts - 1))


def _complete(aws: Emulation, instance: Instance, action: LaunchAction, result: str) -> str:
    """Complete a launch action with the role of an instance.

    Return AWS's error code, or an empty text.
    """
    parameters = {
        "AutoScalingGroupName": action.group,
        "LifecycleHookName": action.hook,
        "InstanceId": instance.id,
        "LifecycleActionResult": result,
    }
    role = role_of(instance)
    if role is None:
        return "NoCredentials"  # the CLI finds none, and does not call
    call = ApiCall(
        service="autoscaling",
        operation="CompleteLifecycleAction",
        parameters=parameters,
        account=aws.account,
        region=aws.region,
        protocol="query",
    )
    if aws.permissions.refused(Caller(role, instance.id), call):
        return "AccessDenied"
    try:
        group = group_named(autoscaling_backends[aws.account][aws.region], action.group)
        complete_action(*find_action(group, action.hook, instance=instance.id), result)
    except AutoscalingClientError as error:
        return str(error.code)
    return ""


def say(aws: Emulation, instance: Instance, action: LaunchAction, result: str) -> str:
    """Let an instance tell its group how its launch went, and note it; return an error as above."""
    name = instance.id
    aws.journal.note(Who.EC2, SAID, f"{name} {_MEANING[result]}", instance=name, result=result)
    if error := _complete(aws, instance, action, result):
        aws.journal.note(Who.EC2, REFUSED, f"{name} is answered {error}", instance=name)
    return error
