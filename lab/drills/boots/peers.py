"""What faults do to watches, and to what is between NATs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from moto.ec2.models import EC2Backend, ec2_backends

from lab.emulator.side_tables import SideTable

if TYPE_CHECKING:
    from moto.ec2.models.instances import Instance

    from lab.emulator.behaviour import Emulation


class WatchState(Enum):
    """What becomes of a watch while its NAT runs on."""

    RUNS = "runs"
    STOPPED = "stopped"
    FROZEN = "frozen"


STATES: SideTable[Instance, WatchState] = SideTable(lambda: WatchState.RUNS)
"""What people did to the watch of an instance."""


@dataclass(slots=True)
class Between:
    """What is between the NATs of a region, and between them and their topic.

    `cut` is the zone whose NATs and the others do not hear each other; where it is `silenced`, no
    claim is published.
    """

    cut: str | None = None
    silenced: bool = False


_BETWEEN: SideTable[EC2Backend, Between] = SideTable(Between)


def between(aws: Emulation) -> Between:
    """Return what is between the NATs of the region."""
    return _BETWEEN[ec2_backends[aws.account][aws.region]]


def hears(aws: Emulation, one: Instance, other: Instance) -> bool:
    """Return whether what one instance sends arrives at another one, if both are well."""
    cut = between(aws).cut
    return (one.availability_zone == cut) == (other.availability_zone == cut)


def stop(aws: Emulation, instance: Instance, *, frozen: bool) -> None:
    """Stop a watch, which says farewell; or freeze it, so that it does nothing any more."""
    STATES[instance] = WatchState.FROZEN if frozen else WatchState.STOPPED
    _observe_again(aws)


def start_all(aws: Emulation) -> None:
    """Start every watch anew that was stopped or frozen."""
    for instance in ec2_backends[aws.account][aws.region].all_instances():
        STATES[instance] = WatchState.RUNS
    _observe_again(aws)


def cut_links(aws: Emulation, zone: str | None) -> None:
    """Let the NATs of a zone and the others not hear each other; None mends all links."""
    between(aws).cut = zone
    _observe_again(aws)


def silence(aws: Emulation) -> None:
    """Let no NAT publish a claim, as for a function that knows of none."""
    between(aws).silenced = True


def _observe_again(aws: Emulation) -> None:
    """Let something happen now, so that whatever watches each step of the clock observes again."""
    aws.clock.at(aws.clock.now(), lambda: None)
