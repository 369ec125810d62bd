"""Whether an instance forwards packets at a moment: the truth, which no API of AWS tells.

Whether its source/destination check lets it, and whether a route leads to it, is asked elsewhere.
"""
# ruff: noqa: ANN401 - moto types little of its state

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.instances import Instance

from lab.drills.boots import delays
from lab.drills.topology import DEFAULT
from lab.emulator.behaviour import Behaviour, Emulation, Patches
from lab.emulator.journal import Who
from lab.emulator.services.ec2.health import is_impaired
from lab.emulator.services.ec2.instances import InstanceStates
from lab.emulator.services.ec2.routes import effective_table
from lab.emulator.side_tables import SideTable
from lab.emulator.time.delays import FORWARDS_ON

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.emulator.journal import Entry

BOOTED = "booted"
"""The kind of the journal's entry that says how the boot of an instance ended."""

ADDRESS = "address"
"""The kind of the journal's entry that says that an instance lost its public address."""

FORWARDS, FAILED = "forwards", "failed"
"""How it ends: with an instance that forwards, or with a boot script that gave up."""


class BadImage(Enum):
    """What becomes of an instance whose image cannot become a NAT."""

    GIVES_UP = "a step of its boot fails: the kernel, nftables, or the self-test"
    SILENT = "it says nothing: it does not boot, or has no network"
    SWITCHES_OFF = "it cannot unpack its boot script"


@dataclass(slots=True)
class Forwarding:
    """From when to when an instance forwards, in seconds of the lab's clock, while not hung.

    `egressless` is one behind which the internet is gone.
    """

    begins: float = math.inf
    ends: float = math.inf
    hung: bool = False
    addressless: bool = False
    egressless: bool = False
    boots_in_vain: BadImage | None = None


_FORWARDING: SideTable[Instance, Forwarding] = SideTable(Forwarding)
"""What becomes of packets at an instance."""

_BAD_BOOTS: SideTable[EC2Backend, int] = SideTable(int)
"""How many of the next launches fail their boot."""

_NEVER_BOOTS: SideTable[EC2Backend, tuple[str, BadImage] | None] = SideTable(lambda: None)
"""The instance type whose launches all fail their boot, and how; an empty text if those of any type
do."""


_DARK_ZONES: SideTable[EC2Backend, set[str]] = SideTable(set)
"""The zones whose instances have no internet behind them."""


def forwards(instance: Instance, now: float) -> bool:
    """Return whether an instance forwards packets now."""
    return runs(instance, now) and has_internet(instance)


def runs(instance: Instance, now: float) -> bool:
    """Return whether an instance has booted and answers, whether or not the internet does."""
    known = _FORWARDING[instance]
    return known.begins <= now < known.ends and not known.hung and not is_impaired(instance)


def has_internet(instance: Instance) -> bool:
    """Return whether the internet answers what an instance sends, as far as routes lead there."""
    known, dark = _FORWARDING[instance], _DARK_ZONES[instance.ec2_backend]
    return not (known.addressless or known.egressless or instance.availability_zone in dark)


def leads_to_gateway(subnet: str, now: float) -> bool:
    """Return whether a route leads from a subnet to an internet gateway."""
    table = effective_table(subnet, now)
    routes = table.routes if table else []
    return any(row.destination_cidr_block == DEFAULT and row.gateway_id for row in routes)


def _has_way_out(instance: Instance, now: float) -> bool:
    """Return whether the internet answers; a subnet without a table is in none that is played."""
    unknown = effective_table(str(instance.subnet_id), now) is None
    return has_internet(instance) and (unknown or leads_to_gateway(str(instance.subnet_id), now))


def hang(aws: Emulation, instance: Instance) -> None:
    """Let an instance stop forwarding while it runs on and passes its status checks."""
    _FORWARDING[instance].hung = True
    _look_again(aws, aws.clock.now())


def lose_address(aws: Emulation, instance: Instance) -> None:
    """Let an instance lose its public address, as when somebody takes it away: it runs on.

    What it forwards ends there: the internet gateway translates public addresses only (VPC user
    guide, "Enable internet access for a VPC using an internet gateway").
    """
    _FORWARDING[instance].addressless = True
    for interface in instance.nics.values():
        interface.public_ip_auto_assign = False
        interface.public_ip = None
    aws.journal.note(Who.EC2, ADDRESS, f"{instance.id} has no public address any more")
    _look_again(aws, aws.clock.now())


def lose_egress(aws: Emulation, instance: Instance) -> None:
    """Let the internet behind an instance be gone, while it runs on and its peers hear it."""
    _FORWARDING[instance].egressless = True
    _look_again(aws, aws.clock.now())


def darken(aws: Emulation, zones: Iterable[str]) -> None:
    """Let these zones be the ones whose instances have no internet behind them."""
    dark = _DARK_ZONES[ec2_backends[aws.account][aws.region]]
    dark.clear()
    dark.update(zones)
    _look_again(aws, aws.clock.now())


def bad_boots(aws: Emulation, launches: int) -> None:
    """Let the boot script of the next launches fail: such an instance runs and never forwards."""
    _BAD_BOOTS[ec2_backends[aws.account][aws.region]] = launches


def never_boots(
    aws: Emulation, instance_type: str = "", image: BadImage = BadImage.GIVES_UP
) -> None:
    """Let the boot of each launch of a type fail from now on; of all types if none is given.

    Nothing less than `boots_again` ends that.
    """
    _NEVER_BOOTS[ec2_backends[aws.account][aws.region]] = (instance_type, image)


def boots_again(aws: Emulation) -> None:
    """Let launches boot again."""
    _NEVER_BOOTS[ec2_backends[aws.account][aws.region]] = None


def switch_off(instance: Instance) -> None:
    """Let an instance shut itself down, which stops it."""
    if instance.state == "running":
        instance.ec2_backend.stop_instances([instance.id])


def _look_again(aws: Emulation, moment: float) -> None:
    """Let something happen at a moment, so that those look who watch each step of the clock."""
    aws.clock.at(moment, lambda: None)


class InstancesForward(Behaviour):
    """An instance forwards once it has booted, and on for seconds after it was told to end.

    One whose boot script fails never does. moto's instances are rows in a table.
    """

    source = "cdk_nat_failover/instances/boot/boot.sh; github.com/nowakeai/betternat, research 031"
    after = (InstanceStates,)

    def install(self, patches: Patches) -> None:
        """Draw a fate for each new instance; listen to the journal for its changes of state."""
        self._init = Instance.__init__
        patches.method(Instance, "__init__", self._begin)
        self._aws.journal.listen(self._heard)

    def _begin(self, instance: Instance, ec2: Any, *args: Any, **kwargs: Any) -> None:
        self._init(instance, ec2, *args, **kwargs)
        left, (type_, image) = _BAD_BOOTS[ec2], _NEVER_BOOTS[ec2] or (None, BadImage.GIVES_UP)
        if left > 0 or type_ in ("", instance.instance_type):
            _FORWARDING[instance].boots_in_vain = image
        _BAD_BOOTS[ec2] = max(left - 1, 0)

    def _heard(self, entry: Entry) -> None:
        step = {"running": self._boot, "shutting-down": self._leave, "stopping": self._leave}
        if entry.kind == "instance state" and entry.detail["state"] in step:
            ec2 = ec2_backends[self._aws.account][self._aws.region]
            step[entry.detail["state"]](ec2.get_instance(entry.detail["instance"]))

    def _boot(self, instance: Instance) -> None:
        clock, known = self._aws.clock, _FORWARDING[instance]
        known.begins = known.ends = math.inf
        known.hung = False
        if known.boots_in_vain is BadImage.GIVES_UP:
            clock.after(delays.BOOT_GIVES_UP, lambda: self._booted(instance, FAILED))
        elif known.boots_in_vain is BadImage.SWITCHES_OFF:
            clock.after(delays.BOOT_SWITCHES_OFF, lambda: switch_off(instance))
        elif known.boots_in_vain is None:
            tested = clock.now() + clock.draw(delays.BOOT_SCRIPT)
            until = tested + delays.SELF_TEST.high
            clock.at(tested, lambda: self._test(instance, until))

    def _test(self, instance: Instance, until: float) -> None:
        """Let a booting instance try the internet until it answers, or the time for it is up."""
        now, known = self._aws.clock.now(), _FORWARDING[instance]
        if _has_way_out(instance, now):
            known.begins = now
            self._booted(instance, FORWARDS)
        elif now < until:
            again = delays.SELF_TEST_TRIES_AGAIN
            self._aws.clock.after(again, lambda: self._test(instance, until))
        else:
            self._booted(instance, FAILED)

    def _booted(self, instance: Instance, result: str) -> None:
        """Say how a boot ended, unless the instance ended before."""
        if instance.state == "running":
            said = "has booted" if result == FORWARDS else "has not become a NAT"
            what = f"{instance.id} {said}"
            self._aws.journal.note(Who.EC2, BOOTED, what, instance=instance.id, result=result)

    def _leave(self, instance: Instance) -> None:
        clock, known = self._aws.clock, _FORWARDING[instance]
        known.ends = min(known.ends, clock.now() + clock.draw(FORWARDS_ON))
        _look_again(self._aws, known.ends)
