"""What a fabric consists of and what is wanted of it: values, without a trace of moto.

Names are the caller's own: of subnets, hosts and NATs, each unique among its kind.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

INTERNET_GATEWAY = "igw"
"""The target of a default route that leads to the internet gateway; no NAT has this name."""

ANY_PROTOCOL = "-1"
SERVER = "198.51.100.10"


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet of the VPC, with a route table of its own."""

    name: str
    cidr: str

    @property
    def gateway(self) -> str:
        """Return the address of the VPC's router, which AWS puts at the base plus one."""
        return str(IPv4Network(self.cidr)[1])

    @property
    def length(self) -> int:
        """Return the length of the prefix."""
        return IPv4Network(self.cidr).prefixlen


@dataclass(frozen=True, slots=True)
class Host:
    """A private host."""

    name: str
    subnet: Subnet
    address: str


@dataclass(frozen=True, slots=True)
class Secondary:
    """A further private address of a NAT, with the public one associated with it, if any."""

    address: str
    public: str | None = None


@dataclass(frozen=True, slots=True)
class Nat:
    """A NAT instance: its addresses, and what its only interface is called."""

    name: str
    subnet: Subnet
    address: str
    public: str | None
    uplink: str = "ens5"
    secondary: tuple[Secondary, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return its private addresses, the primary one first."""
        return (self.address, *(row.address for row in self.secondary))

    @property
    def associations(self) -> dict[str, str]:
        """Return the public address of each private address that has one."""
        pairs = (Secondary(self.address, self.public), *self.secondary)
        return {row.address: row.public for row in pairs if row.public}


@dataclass(frozen=True, slots=True)
class Ingress:
    """What a security group lets in: a protocol (or any), from a CIDR, to these ports (or all).

    For ICMP the ports mean nothing.
    """

    cidr: str
    protocol: str = ANY_PROTOCOL
    ports: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How packets are to flow. What a field does not name is off, or lost.

    `default_routes` has the target of a subnet's default route: a NAT, the internet gateway, or
    None for a route that is missing or a blackhole. `checked` are NATs whose source/destination
    check is on, `silent` those that let nothing through, dead or hung, `offline` those behind
    which the internet is gone; NATs that are `apart` and the others do not reach each other.
    `ingress` is what the security groups of a NAT let in besides answers, `public` the address that
    packets of its primary one have outside, if that is not what it was launched with.
    """

    default_routes: Mapping[str, str | None] = field(default_factory=dict)
    checked: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    offline: frozenset[str] = frozenset()
    apart: frozenset[str] = frozenset()
    ingress: Mapping[str, tuple[Ingress, ...]] = field(default_factory=dict)
    public: Mapping[str, str | None] = field(default_factory=dict)
