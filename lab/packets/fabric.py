"""A VPC and the internet in network namespaces: hosts, NATs that come and go, and what is wanted.

    private hosts ── vpc ── NATs
                      │
                     igw ── firewall ── server

It knows values only, and nothing of how they came to be wanted.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from lab.packets import guard
from lab.packets.internet import GATEWAY, UPLINK, Internet
from lab.packets.machine import Machine
from lab.packets.metadata import Metadata, told_to
from lab.packets.namespace_setup import configure, set_up
from lab.packets.namespaces import Namespaces
from lab.packets.router import Router
from lab.packets.values import INTERNET_GATEWAY, SERVER, Wanted
from lab.packets.with_block import WithBlock

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import ExitStack

    from lab.packets.namespaces import Namespace
    from lab.packets.values import Host, Nat, Subnet

HOST_INTERFACE = "eth0"


class Fabric(WithBlock):
    """The namespaces of a VPC while the `with` block lasts; no packet leaves until it is wanted.

    `vpc` are the CIDRs of the VPC, `servers` the addresses of the server on the internet.
    """

    def __init__(
        self,
        *,
        vpc: Sequence[str],
        hosts: Iterable[Host],
        servers: Sequence[str] = (SERVER,),
        region: str = "us-east-1",
    ) -> None:
        super().__init__()
        self.hosts: dict[str, Namespace] = {}
        self.machines: dict[str, Machine] = {}
        self.nats: dict[str, Nat] = {}
        self._vpc, self._wired, self._servers, self._region = vpc, tuple(hosts), servers, region
        self._ports: dict[str, str] = {}  # the router's interface to each NAT
        self.told: dict[str, dict[str, str]] = {}
        """What the metadata service tells each NAT, by path; a change is told from then on."""
        self._services: dict[str, Metadata] = {}
        self._wanted = Wanted()
        self._numbers = count()
        self._namespaces = Namespaces()

    def _begin(self, stack: ExitStack) -> None:
        stack.enter_context(self._namespaces)
        self._build(stack)

    @property
    def wired(self) -> dict[str, Host]:
        """Return the private hosts by their names, as those of `hosts`."""
        return {host.name: host for host in self._wired}

    @property
    def server(self) -> Namespace:
        """Return the server on the internet, behind its firewall."""
        return self._internet.server

    @property
    def firewall(self) -> Namespace:
        """Return the firewall in front of the server."""
        return self._internet.firewall

    def launch(self, nat: Nat) -> Machine:
        """Add a NAT, which has its addresses and its default route, and forwards nothing yet."""
        namespace = self._namespaces.add(nat.name)
        set_up(namespace, forwards=False)
        port = self._plug(namespace, nat.uplink, nat.subnet, nat.addresses)
        self._ports[nat.name], self.nats[nat.name] = port, nat
        self._routes.answer_metadata(port)
        self._internet.map(nat.associations)
        mac = namespace.run("cat", f"/sys/class/net/{nat.uplink}/address").stdout.strip()
        self.told[nat.name] = told_to(nat, mac, self._region, self._vpc)
        self._services[nat.name] = Metadata(self.router, port, self.told[nat.name])
        self.machines[nat.name] = Machine(namespace)
        self._enforce(self._wanted)
        return self.machines[nat.name]

    def end(self, name: str) -> None:
        """Remove a NAT; routes that lead to it lose what follows them."""
        nat = self.nats.pop(name)
        self._routes.detach(self._ports.pop(name), nat.addresses)
        self._services.pop(name).close()
        self._internet.unmap(nat.associations)
        self._end_services(self.machines[name])
        self._namespaces.remove(self.machines.pop(name))
        routes = self._wanted.default_routes
        left = {subnet: target for subnet, target in routes.items() if target != name}
        self._wanted = replace(self._wanted, default_routes=left)
        self._enforce(self._wanted)

    def apply(self, wanted: Wanted) -> None:
        """Change what differs from what was wanted last."""
        before, self._wanted = self._wanted, wanted
        for name, public in wanted.public.items():
            self._readdress(name, public)
        if replace(wanted, default_routes={}) != replace(before, default_routes={}):
            self._enforce(wanted)
        for subnet in before.default_routes.keys() | wanted.default_routes.keys():
            self._routes.lead(subnet, self._address(wanted.default_routes.get(subnet)))

    def _readdress(self, name: str, public: str | None) -> None:
        """Let the internet gateway map a NAT to another address; what comes for the old is lost."""
        nat = self.nats[name]
        if nat.public != public:
            self._internet.unmap(nat.associations)
            self.nats[name] = replace(nat, public=public)
            self._internet.map(self.nats[name].associations)

    def _build(self, stack: ExitStack) -> None:
        self.router = self._namespaces.add("vpc")
        set_up(self.router, forwards=True)
        self.router.run("sysctl", "--quiet", "--write", *guard.TRACKING)
        self._internet = Internet(self._namespaces, self.router, self._vpc, self._servers)
        self._routes = Router(self.router, self._vpc, UPLINK, GATEWAY)
        stack.callback(self._routes.close)
        stack.callback(self._stop_services)
        self.router.rules(guard.rules(self._vpc))
        for host in self._wired:
            namespace = self._namespaces.add(f"host-{host.name}")
            set_up(namespace, forwards=False)
            self._plug(namespace, HOST_INTERFACE, host.subnet, (host.address,))
            self.hosts[host.name] = namespace

    def _plug(
        self, namespace: Namespace, interface: str, subnet: Subnet, addresses: Iterable[str]
    ) -> str:
        """Connect an instance to the router as AWS does; return the router's interface to it."""
        port = f"port{next(self._numbers)}"
        self._namespaces.join(self.router, port, namespace, interface)
        self._routes.attach(port, subnet, addresses)
        configure(
            namespace,
            *(f"address add {address}/{subnet.length} dev {interface}" for address in addresses),
            f"route add default via {subnet.gateway} dev {interface}",
        )
        return port

    def _enforce(self, wanted: Wanted) -> None:
        ports = {name: (port, self.nats[name]) for name, port in self._ports.items()}
        self.router.rules(guard.state(wanted, ports))

    def _address(self, target: str | None) -> str | None:
        if target is None or target == INTERNET_GATEWAY:
            return target
        return self.nats[target].address

    def _stop_services(self) -> None:
        for machine in self.machines.values():
            self._end_services(machine)
        for service in self._services.values():
            service.close()

    @staticmethod
    def _end_services(machine: Machine) -> None:
        for unit in tuple(machine.services):
            machine.end(unit)
