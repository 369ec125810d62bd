"""What an instance tells its stack when it has entered service, if its boot script says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import cloudformation_backends
from moto.ec2.models import ec2_backends

from lab.drills.boots import delays
from lab.drills.boots.launches import setting
from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.iam.callers import Caller
from lab.emulator.iam.calls import ApiCall
from lab.emulator.journal import Who
from lab.emulator.services.autoscaling.members import ENTERED
from lab.emulator.services.cloudformation.signals import SUCCESS, signal
from lab.emulator.services.ec2.user_data import script_in
from lab.emulator.services.iam.profiles import role_of

if TYPE_CHECKING:
    from moto.ec2.models.instances import Instance

    from lab.emulator.behaviour import Emulation
    from lab.emulator.journal import Entry

REFUSED = "signal refused"
"""The kind of the journal's entry that says that a signal was refused, and why."""

_NOBODY_WAITS = "ValidationError"


@dataclass(frozen=True, slots=True)
class _Signalled:
    """The resource that a boot script signals, by the names of its stack and itself."""

    stack: str
    resource: str


class InstancesSignalTheirStack(Behaviour):
    """An instance whose boot script says so signals SUCCESS to its stack once it is in service.

    It tries once, with the role of its instance profile, whose policies are evaluated, and goes on
    serving whatever the answer is. moto's instances run no user data.
    """

    source = "cdk_nat_failover/instances/boot/boot.sh; IAM user guide, 'Policy evaluation logic'"

    def install(self, patches: Patches) -> None:
        """Listen to the journal for members that enter service."""
        del patches  # moto itself stays as it is
        self._aws.journal.listen(self._heard)

    def _heard(self, entry: Entry) -> None:
        if entry.kind != ENTERED:
            return
        ec2 = ec2_backends[self._aws.account][self._aws.region]
        instance = ec2.get_instance(entry.detail["instance"])
        if signalled := _signalled_by(str(instance.user_data or "")):
            self._aws.clock.after(
                delays.BOOT_SIGNALS, lambda: _signal(self._aws, instance, signalled)
            )


def _signalled_by(user_data: str) -> _Signalled | None:
    script = script_in(user_data)
    stack, resource = setting(script, "stack"), setting(script, "resource")
    return _Signalled(stack, resource) if stack and resource else None


def _signal(aws: Emulation, instance: Instance, signalled: _Signalled) -> None:
    if instance.state != "running":
        return
    aws.journal.note(Who.EC2, "signals", f"{instance.id} signals its stack", instance=instance.id)
    if error := _error(aws, instance, signalled):
        why = ": no deployment waits for it" if error == _NOBODY_WAITS else ""
        what = f"{instance.id} is answered {error}{why}"
        aws.journal.note(Who.EC2, REFUSED, what, instance=instance.id, error=error)


def _error(aws: Emulation, instance: Instance, signalled: _Signalled) -> str:
    """Send the signal with the instance's role; return AWS's error code, or an empty text."""
    role = role_of(instance)
    if role is None:
        return "NoCredentials"  # the CLI finds none, and does not call
    try:
        stack = cloudformation_backends[aws.account][aws.region].get_stack(signalled.stack)
        if aws.permissions.refused(
            Caller(role, instance.id), _call(aws, stack.stack_id, signalled)
        ):
            return "AccessDenied"
        signal(aws, signalled.stack, signalled.resource, instance.id, SUCCESS)
    except ValidationError:
        return _NOBODY_WAITS
    return ""


def _call(aws: Emulation, stack_id: str, signalled: _Signalled) -> ApiCall:
    """Return the call as IAM is asked about it: of the stack's ARN."""
    return ApiCall(
        service="cloudformation",
        operation="SignalResource",
        parameters={"StackName": stack_id, "LogicalResourceId": signalled.resource},
        account=aws.account,
        region=aws.region,
        protocol="query",
    )
