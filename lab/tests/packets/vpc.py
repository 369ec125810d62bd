"""The VPC in which the boot files are tried, and NATs that boot from them.

It has networks of its own, two of them side by side, and a private host in each.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from cdk_nat_failover.instances.nat_user_data import Boot, user_data
from cdk_nat_failover.instances.packing import pack, unpack
from lab.packets.fabric import Fabric
from lab.packets.values import INTERNET_GATEWAY, SERVER, Host, Ingress, Nat, Subnet, Wanted
from lab.tests.packets.segments import IPV4, link_socket
from lab.tests.packets.sockets import listen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lab.packets.machine import Machine

CIDRS = ("10.0.0.0/16", "100.64.0.0/16", "10.1.0.0/16")
PUBLIC = Subnet("public", "10.0.0.0/24")
HOSTS = (
    Host("a", Subnet("a", "10.0.1.0/24"), "10.0.1.10"),
    Host("b", Subnet("b", "100.64.1.0/24"), "100.64.1.10"),
    Host("c", Subnet("c", "10.1.1.0/24"), "10.1.1.10"),
)
A, B = (
    Nat(f"nat-{name}", PUBLIC, f"10.0.0.{number}", f"203.0.113.{number}", uplink=uplink)
    for name, number, uplink in (("a", 4, "ens5"), ("b", 5, "eth0"))
)
TESTED = 443
"""The port that the self-test connects to."""

CLOSED = "198.51.100.11"
"""An address on the internet that refuses connections to that port, without a delay."""

SCRIPT = "/root/user-data"
BOOT = "/etc/nat-failover/boot"
FILTER = "/etc/nat-failover/filter.nft"
_GROUP, _HOOK = "any-group", "any-hook"


@contextmanager
def any_vpc() -> Iterator[Fabric]:
    """Give a VPC without a NAT, and a server that the self-test can reach."""
    with (
        Fabric(vpc=CIDRS, hosts=HOSTS, servers=(SERVER, CLOSED)) as fabric,
        listen(fabric.server, TESTED, address=SERVER),
    ):
        yield fabric


def script(targets: Sequence[str] = (SERVER,), served: Sequence[str] = ()) -> str:
    """Return the user data of a NAT in this VPC, which may serve networks elsewhere."""
    return user_data(
        Boot(
            targets=targets,
            group=_GROUP,
            hook=_HOOK,
            stack="any",
            resource="Any",
            session_manager=False,
            served=served,
        )
    )


def script_with(old: str, new: str, path: str = BOOT) -> str:
    """Return the user data with something else, by a regular expression, in one of its files."""
    whole = script()
    files = unpack(whole)
    edited = [
        replace(file, text=re.sub(old, new, file.text)) if file.path == path else file
        for file in files
    ]
    return whole.replace(pack(files), pack(edited))


def booted(fabric: Fabric, nat: Nat) -> Machine:
    """Launch a NAT and let it boot."""
    machine = fabric.launch(nat)
    lead(fabric, nat)
    machine.write(SCRIPT, script())
    machine.run("bash", SCRIPT)
    return machine


def lead(
    fabric: Fabric,
    nat: Nat,
    *,
    checked: Sequence[Nat] = (),
    silent: Sequence[Nat] = (),
    instead: Mapping[str, Nat] = MappingProxyType({}),
) -> None:
    """Let all private hosts use a NAT, except those that have another one instead.

    The security groups admit the VPC, as the app's do.
    """
    admitted = tuple(Ingress(cidr) for cidr in CIDRS)
    fabric.apply(
        Wanted(
            default_routes={
                PUBLIC.name: INTERNET_GATEWAY,
                **{host.subnet.name: instead.get(host.name, nat).name for host in HOSTS},
            },
            checked=frozenset(one.name for one in checked),
            silent=frozenset(one.name for one in silent),
            ingress=dict.fromkeys(fabric.nats, admitted),
        )
    )


def hand_over(fabric: Fabric, nat: Nat, *packets: bytes) -> None:
    """Let a NAT receive packets, whatever the routes and security groups of the VPC say of them."""
    router, port = fabric.router, fabric._ports[nat.name]
    mac = fabric.machines[nat.name].read(f"/sys/class/net/{nat.uplink}/address")
    address = bytes.fromhex(mac.strip().replace(":", ""))
    with link_socket(router, port) as sender:
        for packet in packets:
            sender.sendto(packet, (port, IPV4, 0, 0, address))


def resets(fabric: Fabric, nat: Nat) -> int:
    """Return how many segments a NAT has answered with a reset since its filter was loaded."""
    return counted(fabric, nat, "filter", "resets")


def counted(fabric: Fabric, nat: Nat, table: str, counter: str) -> int:
    """Return how many packets a counter of a NAT's rules has counted."""
    listed = fabric.machines[nat.name].run(
        "nft", "list", "counter", "ip", f"nat_failover_{table}", counter
    )
    return int(listed.stdout.split("packets ")[1].split()[0])
