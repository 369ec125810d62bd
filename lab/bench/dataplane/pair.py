"""Two NATs that know each other, with the real watch on each, a client and a server.

All flows are opened through the second NAT. The client's table leads to it, or to the first one,
which hands over what it does not know: a rule of the router sends what opens a flow its own way.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from cdk_nat_failover.instances.nat_user_data import Boot, user_data
from lab.bench.dataplane import load
from lab.packets.endpoints import ENVIRONMENT, Answer, Endpoints
from lab.packets.fabric import Fabric
from lab.packets.namespace_setup import configure
from lab.packets.services import FETCHES, WATCH
from lab.packets.values import INTERNET_GATEWAY, SERVER, Host, Ingress, Nat, Subnet, Wanted
from lab.packets.with_block import WithBlock

if TYPE_CHECKING:
    from contextlib import ExitStack

    from lab.packets.endpoints import Asked
    from lab.packets.machine import Machine
    from lab.packets.services import Service

VPC = "10.0.0.0/16"
PUBLIC, PRIVATE = Subnet("public", "10.0.0.0/24"), Subnet("private", "10.0.1.0/24")
CLIENT = Host("client", PRIVATE, load.CLIENTS[0])
FIRST, SECOND = (
    Nat(f"i-0{number}", PUBLIC, f"10.0.0.{number}", f"203.0.113.{number}") for number in (4, 5)
)
LIMIT = 60.0
"""Seconds after which the watches do not know each other."""

_OPENS = 990
"""The table of what opens a flow, and its place before those of the subnets."""

_RULE = """
table ip opens {
    chain prerouting {
        type filter hook prerouting priority mangle; policy accept;
        ip saddr CLIENT tcp flags & (syn | ack) == syn meta mark set 1
    }
}
""".replace("CLIENT", CLIENT.address)


class PairError(Exception):
    """The two NATs do not hand over flows; the message says what is missing."""


class Pair(WithBlock):
    """Two NATs that hand flows over to each other, within a `with` block."""

    def __init__(self) -> None:
        super().__init__()
        self._fabric = Fabric(vpc=(VPC,), hosts=(CLIENT,))
        self.asked = 0
        """How often the watches have asked AWS for something."""

    def _begin(self, stack: ExitStack) -> None:
        fabric = stack.enter_context(self._fabric)
        self._serve(stack)
        stack.callback(Endpoints(fabric.server, self._answer).close)
        for nat in (FIRST, SECOND):
            self._boot(fabric.launch(nat), nat)
        fabric.router.rules(_RULE)
        port = fabric._ports[SECOND.name]  # noqa: SLF001 - a way that no VPC has
        configure(
            fabric.router,
            f"route add default via {SECOND.address} dev {port} onlink table {_OPENS}",
            f"rule add fwmark 1 table {_OPENS} priority {_OPENS}",
        )
        self._wait()

    @property
    def first(self) -> Machine:
        """Return the NAT that hands over."""
        return self._fabric.machines[FIRST.name]

    @property
    def watch(self) -> Service:
        """Return the watch of that NAT."""
        return self.first.services[WATCH]

    def lead(self, nat: Nat) -> None:
        """Let the client's table lead to a NAT, except for what opens a flow."""
        routes = {PUBLIC.name: INTERNET_GATEWAY, PRIVATE.name: nat.name}
        admitted = dict.fromkeys(self._fabric.nats, (Ingress(VPC),))
        self._fabric.apply(Wanted(default_routes=routes, ingress=admitted))

    def load(self, name: str, *arguments: float) -> dict[str, float]:
        """Let the client make a load, and return what it measured."""
        command = (sys.executable, load.__file__, name, *map(str, arguments))
        answer = self._fabric.hosts[CLIENT.name].run(*command, limit=300)
        measured: dict[str, float] = json.loads(answer.stdout)
        return measured

    def arrived(self) -> int:
        """Return how many packets the server's interface has taken."""
        taken = self._fabric.server.run("cat", "/sys/class/net/eth0/statistics/rx_packets")
        return int(taken.stdout)

    def _serve(self, stack: ExitStack) -> None:
        server = self._fabric.server.start(
            sys.executable, load.__file__, "serve", stdout=subprocess.PIPE
        )
        stack.enter_context(server)
        stack.callback(server.kill)
        if server.stdout is None or server.stdout.readline() != "ready\n":
            message = "the benchmark's server did not start; it said why above"
            raise PairError(message)

    def _boot(self, machine: Machine, nat: Nat) -> None:
        self.lead(nat)
        machine.command("aws", FETCHES)
        boot = Boot(
            targets=[SERVER],
            group="bench",
            hook="bench",
            stack="bench",
            resource="Group",
            session_manager=False,
            watch=True,
            topic="arn:aws:sns:us-east-1:123456789012:bench",
            table="bench",
            code="s3://bench/watch.zip",
        )
        machine.run("bash", given=user_data(boot))
        machine.serve(WATCH, ENVIRONMENT)

    def _answer(self, asked: Asked) -> Answer:
        """Take a claim, or return the ring."""
        self.asked += 1
        if asked.service == "sns":
            return Answer(b"<PublishResponse/>")
        members = [
            {"instance": nat.name, "address": nat.address, "state": "usable"}
            for nat in (FIRST, SECOND)
        ]
        item = {"key": {"S": "peers"}, "ring": {"S": json.dumps(members)}, "version": {"N": "1"}}
        return Answer(json.dumps({"Item": item}).encode())

    def _wait(self) -> None:
        deadline = time.monotonic() + LIMIT
        command = ("nft", "list", "map", "ip", "nat_failover_peers", "next")
        while "elements" not in self.first.run(*command).stdout:
            if time.monotonic() > deadline:
                message = f"the watch tells the kernel of no peer: {self.watch.said or 'nothing'}"
                raise PairError(message)
            time.sleep(0.1)
