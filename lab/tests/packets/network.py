"""The VPC that the tests of the fabric play in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.packets.values import INTERNET_GATEWAY, Host, Ingress, Nat, Subnet, Wanted

if TYPE_CHECKING:
    from lab.packets.machine import Machine

VPC = ("10.0.0.0/16",)
PUBLIC = Subnet("public", "10.0.0.0/24")
HOSTS = (
    Host("a", Subnet("private-a", "10.0.1.0/24"), "10.0.1.10"),
    Host("b", Subnet("private-b", "10.0.2.0/24"), "10.0.2.10"),
)
NATS = (
    Nat("nat-a", PUBLIC, "10.0.0.4", "203.0.113.4"),
    Nat("nat-b", PUBLIC, "10.0.0.5", "203.0.113.5", uplink="enX0"),
)
FROM_THE_VPC = (Ingress("10.0.0.0/16"),)


def everything_works() -> Wanted:
    """Return the state in which each host leaves through its own NAT."""
    return Wanted(
        default_routes={
            "public": INTERNET_GATEWAY,
            "private-a": "nat-a",
            "private-b": "nat-b",
        },
        ingress={nat.name: FROM_THE_VPC for nat in NATS},
    )


def masquerade(machine: Machine) -> None:
    """Make an instance a NAT in the plainest way."""
    machine.run("sysctl", "--quiet", "--write", "net.ipv4.ip_forward=1")
    machine.rules("""
        table ip plain {
            chain postrouting {
                type nat hook postrouting priority srcnat; policy accept;
                ip daddr != 10.0.0.0/16 masquerade
            }
        }
    """)
