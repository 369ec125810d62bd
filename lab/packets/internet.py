"""The internet as a VPC sees it: the internet gateway, a stateful firewall, and a server behind it.

The gateway maps private addresses to public ones and back, packet by packet and without a memory,
and loses what has no mapping. What an ICMP error quotes is not mapped. The firewall is in front of
the server alone: it loses a TCP segment in the middle of a flow that it does not know, which is how
clients come to wait for minutes after their NAT died.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.packets.namespace_setup import configure, set_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lab.packets.namespaces import Namespace, Namespaces

UPLINK = "igw"
"""What the router's interface to the internet gateway is called."""

GATEWAY = "192.0.2.2"
"""The internet gateway's address on the link to the router."""

# The other ends of links: the router's, those between gateway and firewall, firewall and server.
_ROUTER, _INNER, _OUTER, _FRONT, _SERVER = (f"192.0.2.{number}" for number in (1, 5, 6, 9, 10))

_MAPPING = """
table ip igw {
    map outward {
        type ipv4_addr : ipv4_addr
    }
    map inward {
        type ipv4_addr : ipv4_addr
    }
    chain prerouting {
        type filter hook prerouting priority raw; policy drop;
        iifname "vpc" ip saddr @outward ip saddr set ip saddr map @outward accept
        iifname "internet" ip daddr @inward ip daddr set ip daddr map @inward accept
    }
}
"""

# A segment of an unknown flow would begin one that passes for established, except by the flags.
_FIREWALL = """
table ip firewall {
    chain forward {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        ct state new tcp flags & (fin | syn | rst | ack) == syn accept
        ct state new meta l4proto { udp, icmp } accept
    }
}
"""


class Internet:
    """What is beyond the VPC's router, which it is joined to.

    The server has all of the addresses that are given, and sends from the first.
    """

    def __init__(
        self,
        namespaces: Namespaces,
        router: Namespace,
        vpc: Iterable[str],
        servers: Sequence[str],
    ) -> None:
        self._gateway = namespaces.add("igw")
        self.firewall = namespaces.add("firewall")
        self.server = namespaces.add("server")
        set_up(self._gateway, forwards=True)
        set_up(self.firewall, forwards=True)
        set_up(self.server, forwards=False)
        namespaces.join(router, UPLINK, self._gateway, "vpc")
        namespaces.join(self._gateway, "internet", self.firewall, "igw")
        namespaces.join(self.firewall, "server", self.server, "eth0")
        self._gateway.rules(_MAPPING)
        self.firewall.rules(_FIREWALL)
        configure(router, f"address add {_ROUTER}/30 dev {UPLINK}")
        self._connect(vpc, servers)

    def _connect(self, vpc: Iterable[str], servers: Sequence[str]) -> None:
        configure(
            self._gateway,
            f"address add {GATEWAY}/30 dev vpc",
            f"address add {_INNER}/30 dev internet",
            f"route add default via {_OUTER}",
            *(f"route add {cidr} via {_ROUTER}" for cidr in vpc),
        )
        configure(
            self.firewall,
            f"address add {_OUTER}/30 dev igw",
            f"address add {_FRONT}/30 dev server",
            f"route add default via {_INNER}",
            *(f"route add {address}/32 via {_SERVER}" for address in servers),
        )
        configure(
            self.server,
            f"address add {_SERVER}/30 dev eth0",
            *(f"address add {address}/32 dev lo" for address in servers),
            f"route add default via {_FRONT} src {servers[0]}",
        )

    def map(self, associations: Mapping[str, str]) -> None:
        """Map private addresses to public ones, and back."""
        self._gateway.rules("".join(_change("add", associations)))

    def unmap(self, associations: Mapping[str, str]) -> None:
        """Map these addresses no longer."""
        self._gateway.rules("".join(_change("delete", associations)))


def _change(verb: str, associations: Mapping[str, str]) -> Iterable[str]:
    for private, public in associations.items():
        yield f"{verb} element ip igw outward {{ {private} : {public} }}\n"
        yield f"{verb} element ip igw inward {{ {public} : {private} }}\n"
