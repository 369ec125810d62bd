"""EC2 instances: the states between the states, and what ends with an instance."""
# ruff: noqa: SLF001, ANN401 - moto gives no other access to its state, and types little of it

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.ec2.models.instances import Instance, InstanceState

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.journal import Who
from lab.emulator.side_tables import Attribute, SideTable
from lab.emulator.time import delays

if TYPE_CHECKING:
    from moto.ec2.models.elastic_network_interfaces import NetworkInterface

PENDING = ("pending", 0)
RUNNING = ("running", 16)
SHUTTING_DOWN = ("shutting-down", 32)
STOPPING = ("stopping", 64)

FORGOTTEN: SideTable[Instance, bool] = SideTable(bool)
"""Whether routes have forgotten the id of a terminated instance."""

_NICS: Attribute[Instance, dict[int, NetworkInterface]] = Attribute("nics", {})
"""moto's own, which a new instance gets after its first attributes."""

_ROOT_DEVICES = ("/dev/xvda", "/dev/sda1")


class InstanceStates(Behaviour):
    """An instance is pending before it runs, shutting-down before it is terminated.

    And stopping before it is stopped. Its launch time is that of its last start. moto's instances
    run at once and are terminated at once, and keep their first launch time.
    """

    source = (
        "EC2 user guide, 'Amazon EC2 instance state changes'; EC2 API reference,"
        " Instance.LaunchTime"
    )

    def install(self, patches: Patches) -> None:
        """Put the second half of each change on the timeline."""
        self._init = Instance.__init__
        self._moto_terminate, self._moto_stop = Instance.terminate, Instance.stop
        self._moto_start = Instance.start
        patches.method(Instance, "__init__", self._begin)
        patches.method(Instance, "terminate", self._terminate)
        patches.method(Instance, "stop", self._stop)
        patches.method(Instance, "start", self._start)

    def _begin(self, instance: Instance, *args: Any, **kwargs: Any) -> None:
        self._init(instance, *args, **kwargs)
        self._boot(instance)

    def _boot(self, instance: Instance) -> None:
        launched = datetime.fromtimestamp(self._aws.clock.calendar(), UTC)
        instance.launch_time = launched.replace(tzinfo=None)  # moto's times name no zone
        self._enter(instance, PENDING)
        self._aws.clock.after(delays.INSTANCE_BOOT, lambda: self._run(instance))

    def _run(self, instance: Instance) -> None:
        if instance.state == "pending":
            self._enter(instance, RUNNING)

    def _terminate(self, instance: Instance) -> InstanceState:
        previous = copy.copy(instance._state)
        if instance.state not in ("shutting-down", "terminated"):
            self._enter(instance, SHUTTING_DOWN)
            self._aws.clock.after(delays.INSTANCE_SHUTDOWN, lambda: self._terminated(instance))
        return previous

    def _terminated(self, instance: Instance) -> None:
        self._moto_terminate(instance)
        self._note(instance)
        self._aws.clock.after(delays.INSTANCE_ID_VANISHES, lambda: self._vanish(instance))

    @staticmethod
    def _vanish(instance: Instance) -> None:
        FORGOTTEN[instance] = True

    def _stop(self, instance: Instance) -> InstanceState:
        previous = copy.copy(instance._state)
        if instance.state in ("pending", "running"):
            self._enter(instance, STOPPING)
            self._aws.clock.after(delays.INSTANCE_SHUTDOWN, lambda: self._stopped(instance))
        return previous

    def _stopped(self, instance: Instance) -> None:
        if instance.state == "stopping":
            self._moto_stop(instance)
            self._note(instance)

    def _start(self, instance: Instance) -> InstanceState:
        previous = self._moto_start(instance)
        self._boot(instance)
        return previous

    def _enter(self, instance: Instance, state: tuple[str, int]) -> None:
        instance._state = InstanceState(*state)
        self._note(instance)

    def _note(self, instance: Instance) -> None:
        self._aws.journal.note(
            Who.EC2,
            "instance state",
            f"{instance.id} is {instance.state}",
            instance=instance.id,
            state=instance.state,
        )


class InterfacesEndWithTheirInstance(Behaviour):
    """The primary network interface of an instance is deleted when the instance is terminated.

    Unless DeleteOnTermination says no. moto deletes it only when DeleteOnTermination says yes, and
    goes on showing it with the terminated instance.
    """

    source = "EC2 user guide, 'Delete a network interface': primary interfaces by default"

    def install(self, patches: Patches) -> None:
        """Make deletion the default for the primary interface."""
        self._prepare = Instance.prep_nics
        patches.method(Instance, "prep_nics", self._prep_nics)
        patches.replace(Instance, "network_interfaces", property(self._network_interfaces))

    def _prep_nics(self, instance: Instance, spec: list[dict[str, Any]], **rest: Any) -> None:
        kept = any(
            int(row.get("DeviceIndex", 0)) == 0
            and ("NetworkInterfaceId" in row or row.get("DeleteOnTermination") is False)
            for row in spec
        )
        self._prepare(instance, spec, **rest)
        if 0 in instance.nics and not kept:
            instance.nics[0].delete_on_termination = True

    @staticmethod
    def _network_interfaces(instance: Instance) -> list[NetworkInterface]:
        return [] if instance.state == "terminated" else list(instance.nics.values())


class RootVolumesEndWithTheirInstance(Behaviour):
    """The root volume of an instance is deleted when the instance is terminated.

    moto deletes a volume of a launch template only when DeleteOnTermination says yes. A root volume
    that is to survive is not modelled.
    """

    source = "EC2 user guide, 'Preserve data when an instance is terminated'"

    def install(self, patches: Patches) -> None:
        """Make deletion the default for the root device."""
        self._attach = Instance.add_block_device
        patches.method(Instance, "add_block_device", self._add)

    def _add(self, instance: Instance, *given: Any, **named: Any) -> None:
        self._attach(instance, *given, **named)
        for device, volume in instance.get_block_device_mapping:
            if device in _ROOT_DEVICES:
                volume.delete_on_termination = True


class OneSourceDestCheck(Behaviour):
    """An instance's source/destination check is that of its network interface, one value for both.

    moto keeps two, so that switching it off on the instance leaves it on at the interface.
    """

    source = "EC2 API reference, ModifyInstanceAttribute and ModifyNetworkInterfaceAttribute"

    def install(self, patches: Patches) -> None:
        """Keep the value at the primary interface."""
        patches.replace(Instance, "source_dest_check", property(self._read, self._write))

    @staticmethod
    def _read(instance: Instance) -> bool:
        nics = _NICS[instance]
        return bool(nics[0].source_dest_check) if 0 in nics else True

    @staticmethod
    def _write(instance: Instance, value: object) -> None:
        nics = _NICS[instance]
        if 0 in nics:
            nics[0].source_dest_check = str(value).lower() == "true"
