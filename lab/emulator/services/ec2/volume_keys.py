"""The key of the account with which volumes are encrypted, and what a launch does without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.instances import Instance, StateReason

from lab.emulator.behaviour import Behaviour, Emulation, Patches
from lab.emulator.journal import Who
from lab.emulator.services.autoscaling.activities import LAUNCH_ERROR, Activity, tell
from lab.emulator.services.autoscaling.launches import WANTING
from lab.emulator.services.autoscaling.members import ABANDONED_LAUNCHES, groups_of
from lab.emulator.services.autoscaling.terminations import UNHEALTHY, terminate
from lab.emulator.side_tables import SideTable
from lab.emulator.time import delays

if TYPE_CHECKING:
    from moto.autoscaling.models import FakeAutoScalingGroup

    from lab.emulator.journal import Entry

_LOST: SideTable[EC2Backend, bool] = SideTable(bool)
"""Whether the account's default key for volumes cannot be used."""

_FAILED: SideTable[Instance, bool] = SideTable(bool)
"""Whether an instance ends because its volumes could not be encrypted."""

_CODE = "Client.InvalidKMSKey.InvalidState"
_WORDS = f"{_CODE}: The KMS key provided is in an incorrect state"


def lose_volume_key(aws: Emulation) -> None:
    """Let no volume be encrypted from now on, as with a default key that lacks a grant."""
    _LOST[_ec2(aws)] = True
    aws.journal.note(Who.EC2, "volume key", "cannot use the account's default key for volumes")


def restore_volume_key(aws: Emulation) -> None:
    """Let volumes be encrypted again."""
    _LOST[_ec2(aws)] = False
    aws.journal.note(Who.EC2, "volume key", "can use the account's default key for volumes again")


def _ec2(aws: Emulation) -> EC2Backend:
    return ec2_backends[aws.account][aws.region]


class LaunchesNeedTheirVolumeKey(Behaviour):
    """An instance whose volumes cannot be encrypted ends before it runs, and says why.

    The launch of a group fails with that reason, and the group goes on trying. moto knows no keys
    of volumes.
    """

    source = (
        "EC2 Auto Scaling user guide, 'Required AWS KMS key policy for use with encrypted volumes';"
        " github.com/aws/aws-cdk/issues/34491"
    )

    def install(self, patches: Patches) -> None:
        """Listen to the journal for new instances."""
        del patches  # moto itself stays as it is
        self._aws.journal.listen(self._heard)

    def _heard(self, entry: Entry) -> None:
        if entry.kind != "instance state":
            return
        id_, state = entry.detail["instance"], entry.detail["state"]
        if state == "pending" and _LOST[_ec2(self._aws)]:
            self._aws.clock.after(delays.VOLUME_FAILS, lambda: self._fail(id_))
        if state == "terminated" and _FAILED[self._instance(id_)]:
            self._instance(id_).state_reason = StateReason(_WORDS, _CODE)

    def _instance(self, id_: str) -> Instance:
        return _ec2(self._aws).get_instance(id_)

    def _fail(self, id_: str) -> None:
        instance = self._instance(id_)
        if instance.state == "pending":
            _FAILED[instance] = True
            instance.ec2_backend.terminate_instances([id_])
            for group in groups_of(self._aws):
                for state in list(group.instance_states):
                    if state.instance is instance:
                        self._tell(group, instance)
                        terminate(self._aws, state, cause=UNHEALTHY, hooks=False)

    def _tell(self, group: FakeAutoScalingGroup, instance: Instance) -> None:
        reason = (
            "Instance became unhealthy while waiting for instance to be in InService state."
            f" Termination Reason: {_WORDS}"
        )
        ABANDONED_LAUNCHES[group].append(reason)
        activity = Activity(
            event=LAUNCH_ERROR,
            started=self._aws.clock.timestamp(),
            cause=f"{WANTING}.",
            zone=instance.placement.zone or "",
            subnet=instance.subnet_id or "",
            instance=instance.id,
            status="Cancelled",
            reason=reason,
        )
        tell(self._aws, group, activity)
