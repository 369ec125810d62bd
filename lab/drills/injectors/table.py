"""How each fault is injected into the emulated region, by its name in `lab.drills.faults`.

An injector is called on the lab's timeline, and must not wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.drills.injectors import conditions, instances, network, updates, watches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.drills.injectors.context import FaultContext


@dataclass(frozen=True, slots=True)
class Injector:
    """What begins a fault, with its option, and what ends one that lasts."""

    begin: Callable[[FaultContext, str | None], None]
    end: Callable[[FaultContext], None] | None = None


INJECTORS: Mapping[str, Injector] = {
    "terminate": Injector(instances.terminate),
    "stop": Injector(instances.stop),
    "hang": Injector(instances.hang),
    "impair": Injector(instances.impair),
    "lost-egress": Injector(watches.lose_egress),
    "flapping": Injector(watches.flap),
    "internet-down": Injector(watches.lose_internet, watches.restore_internet),
    "link-cut": Injector(watches.cut_link, watches.mend_link),
    "watch-dead": Injector(watches.stop_watch, watches.start_watches),
    "planned": Injector(instances.planned),
    "renewal": Injector(instances.outlive),
    "zone-outage": Injector(conditions.zone_outage, conditions.capacity_is_back),
    "both": Injector(instances.both),
    "no-capacity": Injector(conditions.no_capacity, conditions.capacity_is_back),
    "bad-boot": Injector(instances.bad_boot),
    "check-reset": Injector(instances.check_reset),
    "tamper": Injector(network.tamper),
    "disassociate": Injector(network.disassociate),
    "delete-table": Injector(network.delete_table),
    "standby": Injector(network.stand_by, network.back_in_service),
    "protected": Injector(network.protect),
    "lost-address": Injector(network.lose_address, network.end_addressless),
    "lost-gateway": Injector(network.lose_gateway, network.restore_gateway),
    "lost-key": Injector(network.lose_volume_key, network.restore_volume_key),
    "lost": Injector(conditions.lost, conditions.delivered),
    "doubled": Injector(conditions.doubled, conditions.delivered),
    "reordered": Injector(conditions.reordered, conditions.delivered),
    "throttled": Injector(conditions.throttled, conditions.not_throttled),
    "denied": Injector(conditions.denied, conditions.permitted),
    "slow-lambda": Injector(conditions.slow_lambda, conditions.lambda_is_fast),
    "during-deploy": Injector(updates.update_the_stack),
}
