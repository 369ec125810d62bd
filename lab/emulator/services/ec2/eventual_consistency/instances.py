"""Eventual consistency: who describes an instance is shown late what became of it."""
# ruff: noqa: SLF001, ANN401 - moto gives no other access to its state, and types little of it

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.instances import Instance, InstanceState
from moto.ec2.utils import filter_reservations

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.ec2.eventual_consistency.history import History, history_of, value_of
from lab.emulator.services.ec2.instances import PENDING
from lab.emulator.side_tables import SideTable
from lab.emulator.time import delays

if TYPE_CHECKING:
    from moto.ec2.models.instances import Reservation

    from lab.emulator.journal import Entry


@dataclass(frozen=True, slots=True)
class Facts:
    """What readers are late to see of an instance."""

    state: tuple[str, int]
    source_dest_check: bool


_SHOWN: SideTable[Instance, History[Facts]] = SideTable()
"""What readers are shown."""

_FIRST = Facts(PENDING, source_dest_check=True)


class InstancesAreDescribedLate(Behaviour):
    """DescribeInstances may show for a while the state or the check that an instance had before.

    To all callers alike, and never an earlier change after a later one; a new instance shows at
    once. moto shows changes at once.
    """

    source = "EC2 API developer guide, 'Eventual consistency in the Amazon EC2 API'"

    def install(self, patches: Patches) -> None:
        """Hear of each change of state and each write of an attribute, and describe late."""
        self._all = EC2Backend.describe_instances
        self._some = EC2Backend.get_reservations_by_instance_ids
        self._modify = EC2Backend.modify_instance_attribute
        self._modify_interface = EC2Backend.modify_network_interface_attribute
        self._aws.journal.listen(self._heard)
        patches.method(EC2Backend, "modify_instance_attribute", self._modified)
        patches.method(EC2Backend, "modify_network_interface_attribute", self._interface_modified)
        patches.method(EC2Backend, "describe_instances", self._describe)
        patches.method(EC2Backend, "get_reservations_by_instance_ids", self._describe_some)

    def _heard(self, entry: Entry) -> None:
        if entry.kind == "instance state":
            ec2 = ec2_backends[self._aws.account][self._aws.region]
            if instance := ec2.get_instance_by_id(entry.detail["instance"]):
                self._changed(instance)

    def _modified(self, ec2: EC2Backend, instance_id: str, *what: Any) -> Instance:
        instance = self._modify(ec2, instance_id, *what)
        self._changed(instance)
        return instance

    def _interface_modified(self, ec2: EC2Backend, eni_id: str, *what: Any) -> None:
        self._modify_interface(ec2, eni_id, *what)
        if instance := ec2.get_network_interface(eni_id).instance:
            self._changed(instance)

    def _changed(self, instance: Instance) -> None:
        moment = self._aws.clock.now() + self._aws.clock.draw(delays.READ_LAGS)
        history_of(_SHOWN, instance, _FIRST).write(moment, _facts(instance))

    def _describe(self, ec2: EC2Backend, filters: Any = None) -> list[Reservation]:
        return self._shown(self._all(ec2), filters)

    def _describe_some(
        self, ec2: EC2Backend, instance_ids: list[str], filters: Any = None
    ) -> list[Reservation]:
        return self._shown(self._some(ec2, instance_ids), filters)

    def _shown(self, reservations: list[Reservation], filters: Any) -> list[Reservation]:
        for reservation in reservations:  # copies, which moto makes for each call
            reservation.instances = [self._show(instance) for instance in reservation.instances]
        return filter_reservations(reservations, filters) if filters else reservations

    def _show(self, instance: Instance) -> Instance:
        true = _facts(instance)
        facts = value_of(_SHOWN, instance, self._aws.clock.now(), true)
        if facts == true:
            return instance
        shown = copy.copy(instance)
        shown._state = InstanceState(*facts.state)
        shown.nics = {index: copy.copy(nic) for index, nic in instance.nics.items()}
        shown.nics[0].source_dest_check = facts.source_dest_check
        return shown


def _facts(instance: Instance) -> Facts:
    state = (instance.state, instance.state_code)
    return Facts(state, source_dest_check=bool(instance.source_dest_check))
