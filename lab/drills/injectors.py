"""How the emulated region plays each fault of `lab.drills.faults`.

An injector is called on the lab's timeline, and must not wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.drills import deeds, fault_actions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.drills.deeds import Scene


@dataclass(frozen=True, slots=True)
class Injector:
    """What begins a fault, with its option, and what ends one that lasts."""

    begin: Callable[[Scene, str | None], None]
    end: Callable[[Scene], None] | None = None


INJECTORS: Mapping[str, Injector] = {
    "terminate": Injector(deeds.terminate),
    "stop": Injector(deeds.stop),
    "hang": Injector(deeds.hang),
    "impair": Injector(deeds.impair),
    "planned": Injector(deeds.planned),
    "zone-outage": Injector(deeds.zone_outage, deeds.capacity_is_back),
    "both": Injector(deeds.both),
    "no-capacity": Injector(deeds.no_capacity, deeds.capacity_is_back),
    "bad-boot": Injector(deeds.bad_boot),
    "check-reset": Injector(deeds.check_reset),
    "tamper": Injector(fault_actions.tamper),
    "disassociate": Injector(fault_actions.disassociate),
    "delete-table": Injector(fault_actions.delete_table),
    "standby": Injector(fault_actions.stand_by, fault_actions.back_in_service),
    "protected": Injector(fault_actions.protect),
    "lost-address": Injector(fault_actions.lose_address, fault_actions.end_addressless),
    "lost-gateway": Injector(fault_actions.lose_gateway, fault_actions.restore_gateway),
    "lost-key": Injector(fault_actions.lose_volume_key, fault_actions.restore_volume_key),
    "lost": Injector(deeds.lost, deeds.delivered),
    "doubled": Injector(deeds.doubled, deeds.delivered),
    "reordered": Injector(deeds.reordered, deeds.delivered),
    "throttled": Injector(deeds.throttled, deeds.not_throttled),
    "denied": Injector(deeds.denied, deeds.permitted),
    "slow-lambda": Injector(deeds.slow_lambda, deeds.lambda_is_fast),
    "during-deploy": Injector(deeds.update_the_stack),
}
