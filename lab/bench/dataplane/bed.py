"""Where a contender runs: a client, the NAT that it makes, and a server, as in a VPC.

The NAT has one interface, `ens5`, as on AWS, so packets come in and leave by the same one. A bridge
stands for the network between the three; the server's host is the NAT's gateway too, and answers
for the metadata service.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab.bench.dataplane import entries, load
from lab.bench.dataplane.contenders import VPC, Contender
from lab.bench.dataplane.sizes import Sizes
from lab.packets.machine import CALLS, Machine
from lab.packets.metadata import Metadata, told_to
from lab.packets.namespace_setup import configure
from lab.packets.values import Nat, Subnet
from lab.packets.with_block import WithBlock

if TYPE_CHECKING:
    from contextlib import ExitStack

    from lab.packets.namespaces import Namespaces

NAT = Nat("i-0bench", Subnet("public", "10.0.0.0/24"), "10.0.0.5", "203.0.113.5")
MEMORY = 471_040
"""What the kernel of an instance with 512 MiB calls its memory, in KiB."""

DEFAULT = Sizes(4096, 4096)
"""The kernel's own sizes for 512 MiB: memory / 128 KiB (nf_conntrack_init_start)."""

LIMIT = 120
"""Seconds for a contender's script."""

_CLIENT = "10.0.0.11"
_GATEWAY = "10.0.0.1"
_METADATA = "169.254.169.254"
_PLAYED = """amazon-linux-extras apt apt-get chkconfig halt hostnamectl init modprobe rpm service
 systemd-run yum"""
_PLAY = f'#!/bin/sh\necho "${{0##*/}} $*" >>{CALLS}\n'
_TABLE = "/proc/sys/net/netfilter/nf_conntrack_{}"
_HASHSIZE = "/sys/module/nf_conntrack/parameters/hashsize"
# Settings of the whole kernel are copies here: a script may write them, and nothing comes of it.
_SHIELD = """
for folder in fs kernel vm; do
    mkdir -p "/run/lab/files/sys/$folder"
    cp -r "/proc/sys/$folder/." "/run/lab/files/sys/$folder" 2>/dev/null || true
    mount --bind "/run/lab/files/sys/$folder" "/proc/sys/$folder"
done
for folder in home opt srv; do
    mkdir -p "/$folder" "/run/lab/over/$folder" "/run/lab/work/$folder"
    mount -t overlay overlay "/$folder" \\
        -o "lowerdir=/$folder,upperdir=/run/lab/over/$folder,workdir=/run/lab/work/$folder"
done
"""


class BedError(Exception):
    """A contender did not become a NAT; the message says what it said."""


@dataclass(frozen=True, slots=True)
class Booted:
    """How a contender's script went: exit status, the sizes it set, the calls that were played."""

    status: int
    sizes: Sizes
    played: tuple[str, ...]


class Bed(WithBlock):
    """A contender with a client and a server, within a `with` block."""

    def __init__(self, spaces: Namespaces, contender: Contender, *, name: str) -> None:
        super().__init__()
        self.contender = contender
        self._client, self._wire, space, self.server = (
            spaces.add(f"{name}-{part}") for part in ("client", "wire", "nat", "server")
        )
        self._wires = (self._client, "eth0"), (space, NAT.uplink), (self.server, "eth0")
        self._spaces = spaces
        self.nat = space

    def _begin(self, stack: ExitStack) -> None:
        self._connect()
        self._serve(stack)
        self.booted = self._boot()

    def load(self, name: str, *arguments: float) -> dict[str, float]:
        """Let the client make a load, and return what it measured.

        Raises:
            BedError: when it cannot, since the contender forwards some things only.

        """
        command = (sys.executable, load.__file__, name, *map(str, arguments))
        answer = self._client.run(*command, check=False, limit=300)
        if answer.returncode:
            said = answer.stderr.strip().splitlines()[-1]
            message = f"{self.contender.name} does not carry the load {name!r}: {said}"
            raise BedError(message)
        measured: dict[str, float] = json.loads(answer.stdout)
        return measured

    def arrived(self) -> int:
        """Return how many packets the server's interface has taken."""
        return int(self.server.run("cat", "/sys/class/net/eth0/statistics/rx_packets").stdout)

    def fill(self, count: int) -> None:
        """Fill the table with closed connections of all ages, in place of what it holds."""
        self.nat.run(sys.executable, entries.__file__, "empty")
        self.nat.run(sys.executable, entries.__file__, "fill", str(count), str(self.memory))

    @property
    def memory(self) -> int:
        """Return for how many seconds a closed connection is remembered."""
        return int(self.nat.run("cat", _TABLE.format("tcp_timeout_time_wait")).stdout)

    def _connect(self) -> None:
        configure(self._wire, "link add bridge type bridge", "link set bridge up")
        self.nat.run("sysctl", "--quiet", "--write", "net.ipv4.ip_forward=0")
        for number, (space, interface) in enumerate(self._wires):
            # On AWS the router between them does not pass on a NAT's advice to go around it.
            settings = (f"net.ipv4.conf.{which}.accept_redirects=0" for which in ("all", "default"))
            space.run("sysctl", "--quiet", "--write", *settings)
            self._spaces.join(space, interface, self._wire, f"port{number}")
            configure(self._wire, f"link set port{number} master bridge")
        clients = [f"address add {address}/32 dev lo" for address in load.CLIENTS]
        configure(
            self._client,
            f"address add {_CLIENT}/24 dev eth0",
            *clients,
            f"route add default via {NAT.address}",
        )
        configure(
            self.nat,
            f"address add {NAT.address}/24 dev {NAT.uplink}",
            f"route add default via {_GATEWAY}",
            f"route add 10.0.1.0/24 via {_CLIENT}",
        )
        configure(
            self.server,
            f"address add {_GATEWAY}/24 dev eth0",
            *(f"address add {address}/32 dev lo" for address in (load.SERVER, _METADATA)),
        )

    def _serve(self, stack: ExitStack) -> None:
        mac = self.nat.run("cat", f"/sys/class/net/{NAT.uplink}/address").stdout.strip()
        metadata = Metadata(self.server, "eth0", told_to(NAT, mac, "eu-west-1", [VPC]))
        stack.callback(metadata.close)
        server = self.server.start(sys.executable, load.__file__, "serve", stdout=subprocess.PIPE)
        stack.callback(server.wait)
        stack.callback(server.kill)
        assert server.stdout is not None  # noqa: S101 - it is a pipe
        stack.callback(server.stdout.close)
        if server.stdout.readline() != "ready\n":
            message = "the benchmark's server did not start; it said why above"
            raise BedError(message)

    def _boot(self) -> Booted:
        machine = Machine(self.nat)
        _equip(machine)
        machine.write("/run/lab/contender", self.contender.script)
        try:
            ended = machine.run("bash", "/run/lab/contender", check=False, limit=LIMIT)
        except subprocess.TimeoutExpired:
            message = f"{self.contender.name} took longer than {LIMIT} s to become a NAT"
            raise BedError(message) from None
        booted = Booted(ended.returncode, _sizes(machine), machine.calls)
        if not self.load("pace", 20, 0.5)["made"]:
            raise BedError(_why_not(self.contender, ended, machine))
        return booted


def _equip(machine: Machine) -> None:
    """Make it an instance of 512 MiB with the kernel's own sizes."""
    machine.run("bash", "-euc", _SHIELD)
    for name in _PLAYED.split():
        machine.command(name, _PLAY)
    meminfo = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines(keepends=True)
    machine.pretend(
        {
            "/proc/meminfo": "".join([f"MemTotal: {MEMORY:>15} kB\n", *meminfo[1:]]),
            _TABLE.format("max"): f"{DEFAULT.entries}\n",
            _TABLE.format("buckets"): f"{DEFAULT.buckets}\n",
        }
    )
    machine.run("mount", "--bind", _TABLE.format("buckets"), _HASHSIZE)


def _sizes(machine: Machine) -> Sizes:
    entries_, buckets = (
        int(machine.read(_TABLE.format(name)).split()[0]) for name in ("max", "buckets")
    )
    return Sizes(entries_, buckets)


def _last_words(text: str) -> str:
    """Return the last line that names an error, or else the last with words in it."""
    lines = [line.strip() for line in text.splitlines() if any(map(str.isalnum, line))]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["nothing"])[-1]


def _why_not(
    contender: Contender, ended: subprocess.CompletedProcess[str], machine: Machine
) -> str:
    message = (
        f"{contender.name} ended with exit status {ended.returncode}, and the host forwards"
        f" nothing; the last that it said: {_last_words(ended.stderr or ended.stdout)}"
    )
    found = machine.run("bash", "-c", "command -v iptables", check=False).returncode == 0
    if "iptables" in contender.script and not found:
        message += "; it needs iptables, which this machine has not: install it"
    return message
