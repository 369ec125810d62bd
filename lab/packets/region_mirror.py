"""Keeps a fabric in step with the emulated region: from the first instance that runs, to the end.

The region's models decide what the control plane sees and when; what private hosts feel is decided
by packets. An instance forwards when its boot script, run for real in its namespace, has made it a
NAT, its launch ends as that script tells the group, and its watch runs for real: the models of that
must be left out of the region (`BEHAVIOURS`). The clock must go by itself.
"""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock, Thread
from typing import TYPE_CHECKING

from pyroute2 import NetlinkError

from lab.drills import catalogue
from lab.drills.boots.forwarding import BOOTED
from lab.drills.boots.launches import InstancesCompleteTheirLaunch
from lab.drills.boots.watch import InstancesWatchEachOther
from lab.emulator.journal import Who
from lab.packets import emulated
from lab.packets.accepting import accepting
from lab.packets.aws_calls import AwsCalls
from lab.packets.boots import Boots, addresses
from lab.packets.endpoints import Endpoints
from lab.packets.fabric import Fabric
from lab.packets.requirements import PacketsError
from lab.packets.values import SERVER
from lab.packets.with_block import WithBlock

if TYPE_CHECKING:
    from contextlib import ExitStack
    from types import TracebackType

    from moto.ec2.models.instances import Instance

    from lab.emulator.journal import Entry
    from lab.emulator.region import Region

_REAL = (InstancesCompleteTheirLaunch, InstancesWatchEachOther)
"""What the NATs in namespaces do themselves."""

BEHAVIOURS = tuple(row for row in catalogue.BEHAVIOURS if row not in _REAL)
"""What a region does that is followed."""

_FAILS = (PacketsError, NetlinkError, subprocess.SubprocessError, OSError)


class RegionMirror(WithBlock):
    """A fabric that follows a region as long as the `with` block lasts."""

    def __init__(self, region: Region, uplink: str = "ens5") -> None:
        super().__init__()
        self._region, self._uplink = region, uplink
        self._fabric: Fabric | None = None
        self._vpc = ""
        self._booted: list[str] = []
        self._lock = Lock()
        self._over = False

    def _begin(self, stack: ExitStack) -> None:
        directory = stack.enter_context(TemporaryDirectory(prefix="nat-failover-"))
        self._boots = Boots(self._region.aws, Path(directory))
        stack.callback(self._boots.close)
        self._region.journal.listen(self._heard)
        self._region.clock.each_step(self._step)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._over = True
            super().__exit__(kind, error, trace)

    @property
    def fabric(self) -> Fabric:
        """Return the fabric; there is one from when the first instance ran."""
        if self._fabric is None:
            message = "packets follow the region from when its first instance runs: there is none"
            raise PacketsError(message)
        return self._fabric

    def _heard(self, entry: Entry) -> None:
        if entry.kind == BOOTED:
            self._booted.append(entry.detail["instance"])

    def _step(self) -> None:
        with self._lock:
            if self._over:
                return
            try:
                self._follow()
            except _FAILS as error:
                self._over = True
                what = f"packets follow the region no longer: {error}"
                self._region.journal.note(Who.LAB, "problem", what)

    def _follow(self) -> None:
        there = emulated.instances()
        if self._fabric is None:
            if not there:
                return
            self._fabric = self._build(next(iter(there.values())))
        for name in there.keys() - self._fabric.nats.keys():
            if there[name].nics[0].subnet.vpc_id == self._vpc:
                machine = self._fabric.launch(emulated.nat(there[name], self._uplink))
                self._boots.prepare(machine, there[name])
        for name in self._fabric.nats.keys() - there.keys():
            self._boots.forget(name)
            self._fabric.end(name)
        nats = self._fabric.nats.keys()
        self._fabric.apply(emulated.wanted(self._region.aws, self._vpc, nats))
        for name in nats:
            self._boots.follow(there[name])
        self._boot(self._fabric)

    def _build(self, first: Instance) -> Fabric:
        """Build the fabric for the VPC of the first instance, with what its self-test reaches."""
        self._vpc = str(first.nics[0].subnet.vpc_id)
        fabric = Fabric(
            vpc=emulated.cidrs(self._vpc),
            hosts=emulated.private_hosts(self._vpc, self._region.clock.now()),
            servers=(SERVER, *addresses(first)),
            region=self._region.aws.region,
        )
        self._closing.enter_context(fabric)
        self._closing.callback(accepting(fabric.server).shutdown, socket.SHUT_RDWR)
        self._closing.callback(Endpoints(fabric.server, AwsCalls(self._region)).close)
        return fabric

    def _boot(self, fabric: Fabric) -> None:
        """Boot what has become a machine; an instance can run, and boot, during one step."""
        for name in [name for name in self._booted if name in fabric.machines]:
            self._booted.remove(name)
            machine = fabric.machines[name]
            Thread(target=self._boots.boot, args=(machine,), daemon=True).start()
