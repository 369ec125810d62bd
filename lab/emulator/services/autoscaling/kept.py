"""The settings of a group that moto drops, as attributes that its answers show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.emulator.side_tables import Attribute

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from moto.autoscaling.models import FakeAutoScalingGroup

MAX_LIFETIME: Attribute[FakeAutoScalingGroup, int] = Attribute("max_instance_lifetime", 0)
DEFAULT_WARMUP: Attribute[FakeAutoScalingGroup, int] = Attribute("default_instance_warmup", 0)
ZONE_DISTRIBUTION: Attribute[FakeAutoScalingGroup, Mapping[str, str]] = Attribute(
    "availability_zone_distribution", {}
)
MAINTENANCE_POLICY: Attribute[FakeAutoScalingGroup, Mapping[str, int]] = Attribute(
    "instance_maintenance_policy", {}
)

_KEPT: Mapping[str, tuple[Attribute[FakeAutoScalingGroup, Any], Callable[[Any], Any]]] = {
    "MaxInstanceLifetime": (MAX_LIFETIME, int),
    "DefaultInstanceWarmup": (DEFAULT_WARMUP, int),
    "AvailabilityZoneDistribution": (ZONE_DISTRIBUTION, dict),
    "InstanceMaintenancePolicy": (MAINTENANCE_POLICY, dict),
}
"""Each setting by its name in requests and templates, with what reads its value there."""


def keep(group: FakeAutoScalingGroup, given: Mapping[str, Any]) -> None:
    """Keep what a request or a template says of a group."""
    for name, (attribute, read) in _KEPT.items():
        if given.get(name) is not None:
            attribute[group] = read(given[name])
