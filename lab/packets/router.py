"""The routes of the VPC: one table per subnet, chosen by the interface a packet comes in by.

Each table knows the way to every host and NAT, loses what goes to other addresses of the VPC, and
has the subnet's default route. The main table is for what comes from the internet gateway. A packet
without a route is lost without a word, as in a VPC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyroute2 import NetNS

from lab.packets.values import INTERNET_GATEWAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.packets.namespaces import Namespace
    from lab.packets.values import Subnet

METADATA = "169.254.169.254"
_ANY = "0.0.0.0/0"
_MAIN = 254
_FIRST = 1000  # of the subnets' tables
_INSTANCES = 999  # the table of what instances reach and nobody else
_ON_LINK, _HERE = 253, 254  # scopes of routes


class Router:
    """Routes of the VPC, changed by netlink messages over a socket that stays open."""

    def __init__(self, namespace: Namespace, vpc: Iterable[str], uplink: str, gateway: str) -> None:
        self._vpc = tuple(vpc)
        self._tables: dict[str, int] = {}
        self._behind: dict[str, int] = {}  # the index of the interface that an address is behind
        self._leads: dict[str, str | None] = {}
        self._netlink = NetNS(namespace.name, flags=0)  # it must be there
        self._to_internet = {"gateway": gateway, "oif": self._index(uplink)}
        self._fill(_MAIN)
        here = self._index("lo")
        self._route(_INSTANCES, f"{METADATA}/32", type="local", oif=here, scope=_HERE)

    def close(self) -> None:
        """Give the socket back."""
        self._netlink.close()

    def attach(self, interface: str, subnet: Subnet, addresses: Iterable[str]) -> None:
        """Let an interface be a port of a subnet, with these addresses behind it."""
        index = self._index(interface)
        table = self._table(subnet.name)
        self._netlink.addr("add", index=index, address=subnet.gateway, prefixlen=32)
        self._netlink.rule("add", iifname=interface, table=table, priority=_FIRST)
        for address in addresses:
            self._behind[address] = index
            for known in (_MAIN, *self._tables.values()):
                self._reach(known, address)

    def answer_metadata(self, interface: str) -> None:
        """Take in what an instance asks its metadata service; from others it is routed on."""
        self._netlink.rule("add", iifname=interface, table=_INSTANCES, priority=_INSTANCES)

    def detach(self, interface: str, addresses: Sequence[str]) -> None:
        """Let go of an interface, which is about to be removed."""
        for subnet, target in self._leads.items():
            if target in addresses:
                self.lead(subnet, None)
        self._netlink.flush_rules(iifname=interface)
        for address in addresses:
            del self._behind[address]

    def lead(self, subnet: str, target: str | None) -> None:
        """Let the default route of a subnet lead to the address of a NAT, or another target."""
        table = self._table(subnet)
        if self._leads[subnet] == target:
            return
        self._leads[subnet] = target
        if target is None:
            self._route(table, _ANY, type="blackhole")
        elif target == INTERNET_GATEWAY:
            self._route(table, _ANY, **self._to_internet)
        else:
            self._route(table, _ANY, gateway=target, oif=self._behind[target], flags=["onlink"])

    def _table(self, subnet: str) -> int:
        if subnet not in self._tables:
            self._tables[subnet] = _FIRST + len(self._tables)
            self._leads[subnet] = None
            self._fill(self._tables[subnet])
        return self._tables[subnet]

    def _fill(self, table: int) -> None:
        for lost in (*self._vpc, _ANY):
            self._route(table, lost, type="blackhole")
        for address in self._behind:
            self._reach(table, address)

    def _reach(self, table: int, address: str) -> None:
        self._route(table, f"{address}/32", oif=self._behind[address], scope=_ON_LINK)

    def _route(self, table: int, destination: str, **what: Any) -> None:  # noqa: ANN401 - of netlink
        self._netlink.route("replace", table=table, dst=destination, **what)

    def _index(self, interface: str) -> int:
        return int(self._netlink.link_lookup(ifname=interface)[0])
