"""Hands flows over to the NAT that knows them: tells the kernel peers, tunnels, and who is next.

`HandOver().apply` has the shape that the loop calls: each second, and at once when what it is given
differs. What it says of the next NAT lives for five seconds (peers.nft): a busy NAT may be late.

A tunnel (VXLAN) is named after the NAT that received a packet first. A NAT that does not know it
either passes it on through the same tunnel, to a living NAT between itself and that first one in
the order of the ring. So no packet goes around, whatever each NAT believes of the others.
"""

from __future__ import annotations

import os
import socket
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .said import Peer

PORT = 4789
"""Of VXLAN (RFC 7348)."""

LIMIT_S = 5
"""Of a command."""

_ROUTES = "/proc/net/route"
_INTERFACES = "/sys/class/net"

_TABLE = "ip nat_failover_peers"
_PREFIX = "peer-"
_INSIDE = "240"


class HandOver:
    """What the kernel was told of the tunnels; the rest is told anew each time."""

    def __init__(self) -> None:
        """Know nothing yet: an earlier watch may have left tunnels."""
        self._ring: tuple[str, ...] = ()
        self._ready = False

    def apply(self, successors: Sequence[Peer], members: Sequence[Peer], me: str) -> None:
        """Hand over to the first of the successors, and take in what the members hand over.

        `members` is the whole ring in its order, `successors` those of it after this NAT that live.

        Raises:
            OSError, subprocess.SubprocessError: when the kernel was not told.

        """
        ring = from_me(members, me)
        uplink = _uplink()
        changed = ring != self._ring
        if changed:
            # Meanwhile the rules have what they had: a ring that changes resets no flow.
            self._ring, self._ready = ring, False
            self._ready = _build(ring, uplink)
        following = successors[0].address if successors and self._ready else None
        if changed or len(ring) > 1:
            _run("nft", "--file", "-", said=elements(ring, following, uplink))


def from_me(members: Sequence[Peer], me: str) -> tuple[str, ...]:
    """Return the addresses of the ring, from this NAT on; none, if it is not in the ring."""
    at = next((at for at, peer in enumerate(members) if peer.instance == me), None)
    return () if at is None else tuple(peer.address for peer in (*members[at:], *members[:at]))


def elements(ring: Sequence[str], following: str | None, uplink: str) -> str:
    """Return the transaction after which the rules know the peers, and who follows this NAT."""
    lines = [f"flush set {_TABLE} peers", f"flush map {_TABLE} next", f"flush map {_TABLE} through"]
    if peers := ", ".join(ring[1:]):
        lines.append(f"add element {_TABLE} peers {{ {peers} }}")
    for interface, tunnel in _ways(ring, following, uplink):
        assert following  # noqa: S101 - there is a way
        lines.append(f"add element {_TABLE} next {{ {interface} : {_inside(following)} }}")
        lines.append(f"add element {_TABLE} through {{ {interface} : {tunnel} }}")
    return "\n".join(lines) + "\n"


def _ways(ring: Sequence[str], following: str | None, uplink: str) -> Iterator[tuple[str, str]]:
    """Yield the interfaces from which packets go on, and the tunnel that they go through.

    From the tunnel of each NAT that comes after the following one: those before it have been
    passed, and what they began has gone through all that live.
    """
    if following not in ring[1:]:
        return
    yield uplink, tunnel_of(ring[0])
    for first in ring[ring.index(following) + 1 :]:
        yield tunnel_of(first), tunnel_of(first)


def tunnel_of(address: str) -> str:
    """Return the tunnel of what a NAT received first; its number is the end of the address."""
    return f"{_PREFIX}{socket.inet_aton(address)[1:].hex()}"


def _build(ring: Sequence[str], uplink: str) -> bool:
    """Have the tunnels of this ring and no others; return whether the kernel has them all."""
    wanted = {tunnel_of(address): address for address in ring}
    there = {name for name in os.listdir(_INTERFACES) if name.startswith(_PREFIX)}  # noqa: PTH208 - pathlib is a megabyte
    # Two addresses with one end are in two networks of the VPC: rare, and nothing goes over.
    if len(wanted) < len(ring):
        wanted = {}
    lines = [f"link delete {name}" for name in sorted(there - wanted.keys())]
    for name in wanted:
        if name not in there:
            lines.append(_link(name, ring[0], uplink))
        lines += _set_up(name, ring[0])
        lines += (
            f"neighbor replace {_inside(ip)} lladdr {_mac(ip)} nud permanent dev {name}"
            for ip in ring[1:]
        )
    try:
        _run("ip", "-batch", "-", said="\n".join(lines) + "\n")
        _run("bridge", "-batch", "-", said="".join(_ends(wanted, ring[1:])))
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or error
        print(f"there is no tunnel to the peers, so no flow is handed over: {said}", flush=True)  # noqa: T201 - the journal takes it
        return False
    return bool(wanted)


def _link(name: str, mine: str, uplink: str) -> str:
    # The range has one port, so that all is one flow to the security groups.
    return (
        f"link add {name} address {_mac(mine)} type vxlan id {int(name[len(_PREFIX) :], 16)}"
        f" local {mine} dev {uplink} dstport {PORT} srcport {PORT} {PORT + 1} nolearning"
    )


def _set_up(name: str, mine: str) -> Iterator[str]:
    """Yield what a tunnel needs beside its link, which an earlier watch may not have come to."""
    # The kernel takes nothing from an interface without an address where it looks at sources.
    yield f"address replace {_inside(mine)}/32 dev {name}"
    yield f"link set {name} up"
    # Without a route the kernel would ask the tunnel for the packet's own destination. All tunnels
    # have this one: a copy says which it is for.
    yield f"route replace {_INSIDE}.0.0.0/8 dev {name} metric {int(name[len(_PREFIX) :], 16)}"


def _ends(tunnels: Iterable[str], peers: Sequence[str]) -> Iterator[str]:
    for name in tunnels:
        for ip in peers:
            yield f"fdb replace {_mac(ip)} dev {name} dst {ip} self permanent\n"


def _inside(address: str) -> str:
    """Return the address of a NAT in the tunnels, of a network that nobody has (RFC 1112)."""
    return f"{_INSIDE}.{address.split('.', 1)[1]}"


def _mac(address: str) -> str:
    """Return the address of a NAT on each tunnel, which need not be asked for."""
    return "02:00:" + socket.inet_aton(address).hex(":")


def _uplink() -> str:
    """Return the interface of the default route."""
    with open(_ROUTES, encoding="ascii") as routes:  # noqa: PTH123 - pathlib is a megabyte
        for route in routes:
            interface, destination, *_ = route.split()
            if destination == "00000000":
                return interface
    message = "no default route"
    raise OSError(message)


def _run(*command: str, said: str) -> None:
    subprocess.run(  # noqa: S603 - no shell
        command,
        input=said,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=LIMIT_S,
        check=True,
    )
