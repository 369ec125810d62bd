"""EC2's status checks: an instance can be impaired while its state is running."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.ec2.models.instances import Instance

from lab.emulator.behaviour import Behaviour, Emulation, Patches
from lab.emulator.journal import Who
from lab.emulator.services.ec2.instances import InstanceStates
from lab.emulator.side_tables import SideTable
from lab.emulator.time import delays

if TYPE_CHECKING:
    from collections.abc import Callable

    from moto.ec2.models.instances import InstanceState

CHECKED = "status check"
"""The kind of the journal's entry that says that an instance's status checks have failed."""

_IMPAIRED: SideTable[Instance, bool] = SideTable(bool)
"""Whether an instance lost its host's network."""

_FAILED: SideTable[Instance, bool] = SideTable(bool)
"""Whether a status check has seen that."""


def impair(aws: Emulation, instance: Instance) -> None:
    """Let an instance lose its host's network for good: it runs on, and forwards nothing.

    Its next status checks, system and instance, fail and go on failing.
    """
    _IMPAIRED[instance] = True
    aws.clock.at(aws.clock.now(), lambda: None)  # who watches each step of the clock looks again
    aws.clock.after(delays.STATUS_CHECK, lambda: _fail(aws, instance))


def is_impaired(instance: Instance) -> bool:
    """Return whether an instance is impaired, whether or not a status check has seen it yet."""
    return _IMPAIRED[instance]


def status_check_failed(instance: Instance) -> bool:
    """Return whether the last status checks of a running instance have failed."""
    return instance.state == "running" and _FAILED[instance]


def _fail(aws: Emulation, instance: Instance) -> None:
    _FAILED[instance] = is_impaired(instance)
    if status_check_failed(instance):
        what = f"{instance.id} fails its status checks"
        aws.journal.note(Who.EC2, CHECKED, what, instance=instance.id)


class StatusChecksFail(Behaviour):
    """DescribeInstanceStatus says `impaired` of a running instance whose status checks failed.

    Starting it again after it was stopped brings it to another host, where it is well. moto's
    checks always pass.
    """

    source = (
        "EC2 user guide, 'Status checks for Amazon EC2 instances' and 'Troubleshoot instances"
        " with failed status checks'"
    )
    after = (InstanceStates,)

    def install(self, patches: Patches) -> None:
        """Compute both checks; heal an instance that starts again."""
        for name in ("instance_status", "system_status"):
            patches.replace(Instance, name, property(_with_failures(vars(Instance)[name])))
        self._start = Instance.start
        patches.method(Instance, "start", self._start_elsewhere)

    def _start_elsewhere(self, instance: Instance) -> InstanceState:
        _IMPAIRED[instance] = _FAILED[instance] = False
        return self._start(instance)


def _with_failures(moto: property) -> Callable[[Instance], dict[str, Any]]:
    def status(instance: Instance) -> dict[str, Any]:
        if not status_check_failed(instance):
            passed: dict[str, Any] = moto.__get__(instance)
            return passed
        return {"Details": [{"Name": "reachability", "Status": "failed"}], "Status": "impaired"}

    return status
