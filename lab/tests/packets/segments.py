"""Packets made by hand, and what leaves an interface: for what no socket would send."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

from pyroute2 import netns

from lab.tests.packets.sockets import LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from lab.packets.namespaces import Namespace

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
UNREACHABLE, TIME_EXCEEDED, PARAMETER_PROBLEM = 3, 11, 12
IPV4 = 0x0800
_ALL = 0x0003
_OUTGOING = 4  # linux/if_packet.h


class End(NamedTuple):
    """An address and a port."""

    address: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A TCP segment."""

    source: End
    destination: End
    flags: int
    sequence: int = 1000
    acknowledges: int = 0
    data: bytes = b""

    @property
    def seen(self) -> Seen:
        """Return what is seen of it."""
        return Seen(self.source, self.destination, self.flags)

    @property
    def packet(self) -> bytes:
        """Return it as it travels, in an IPv4 packet."""
        addresses = socket.inet_aton(self.source.address) + socket.inet_aton(
            self.destination.address
        )
        blank = self._tcp(0)
        pseudo = addresses + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(blank))
        tcp = self._tcp(_checksum(pseudo + blank))
        return _in_ipv4(socket.IPPROTO_TCP, addresses, tcp)

    def _tcp(self, checksum: int) -> bytes:
        ports = (self.source.port, self.destination.port)
        return (
            struct.pack("!HHLL", *ports, self.sequence % 2**32, self.acknowledges % 2**32)
            + struct.pack("!BBHHH", 5 << 4, self.flags, 64240, checksum, 0)
            + self.data
        )


class Seen(NamedTuple):
    """What was seen of a packet; ports and flags are 0 where it is not TCP."""

    source: End
    destination: End
    flags: int


def datagram(source: End, destination: End, data: bytes = b"") -> bytes:
    """Return a UDP datagram."""
    addresses = socket.inet_aton(source.address) + socket.inet_aton(destination.address)
    return _in_ipv4(socket.IPPROTO_UDP, addresses, _udp(source, destination, data))


def port_unreachable(source: str, near: End, far: End) -> bytes:
    """Return what a router says to the near end of a datagram that cannot go on to the far one."""
    addresses = socket.inet_aton(near.address) + socket.inet_aton(far.address)
    quoted = _in_ipv4(socket.IPPROTO_UDP, addresses, _udp(near, far))
    back = socket.inet_aton(source) + socket.inet_aton(near.address)
    return _in_ipv4(socket.IPPROTO_ICMP, back, icmp_error(UNREACHABLE, 3, 0, quoted))


def fragmentation_needed(source: str, quoted: bytes, mtu: int) -> bytes:
    """Return what a router says to the source of a packet that is larger than so many bytes."""
    back = socket.inet_aton(source) + quoted[12:16]
    return _in_ipv4(socket.IPPROTO_ICMP, back, icmp_error(UNREACHABLE, 4, mtu, quoted))


def icmp_error(kind: int, code: int, rest: int, quoted: bytes) -> bytes:
    """Return an ICMP error that quotes a packet, without the IPv4 header of its own."""
    checksum = _checksum(struct.pack("!BBHL", kind, code, 0, rest) + quoted)
    return struct.pack("!BBHL", kind, code, checksum, rest) + quoted


def fragment(  # noqa: PLR0913 - what a fragment is, each thing by name
    source: str, destination: str, *, identity: int, at: int, more: bool, content: bytes
) -> bytes:
    """Return a piece of a UDP datagram: its content from `at` on, and whether more follows."""
    addresses = socket.inet_aton(source) + socket.inet_aton(destination)
    place = int(more) << 13 | at // 8
    return _in_ipv4(socket.IPPROTO_UDP, addresses, content, identity=identity, place=place)


def link_socket(namespace: Namespace, interface: str) -> socket.socket:
    """Return a socket that sends and sees the packets of an interface."""
    netns.pushns(namespace.name)
    try:
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ALL))
    finally:
        netns.popns()
    opened.bind((interface, _ALL))
    opened.settimeout(LIMIT)
    return opened


class Wire:
    """What leaves and enters an interface while the `with` block lasts."""

    def __init__(self, namespace: Namespace, interface: str) -> None:
        self._socket = link_socket(namespace, interface)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def before(self, last: Segment, port: int) -> list[Seen]:
        """Return what left from or to a port before a segment that is known to leave.

        Raises TimeoutError when that does not leave.
        """
        left: list[Seen] = []
        for seen in self._leaving():
            if seen == last.seen:
                break
            left.append(seen)
        return [seen for seen in left if port in (seen.source.port, seen.destination.port)]

    def _leaving(self) -> Iterator[Seen]:
        while True:
            packet, (_, protocol, direction, *_) = self._socket.recvfrom(65535)
            if protocol == IPV4 and direction == _OUTGOING:
                yield _read(packet)


def _udp(source: End, destination: End, data: bytes = b"") -> bytes:
    sizes = (8 + len(data), 0)  # without a checksum
    return struct.pack("!HHHH", source.port, destination.port, *sizes) + data


def _in_ipv4(
    protocol: int, addresses: bytes, content: bytes, *, identity: int = 1, place: int = 0
) -> bytes:
    sizes = (0x45, 0, 20 + len(content))
    head = struct.pack("!BBHHHBBH", *sizes, identity, place, 64, protocol, 0) + addresses
    return head[:10] + struct.pack("!H", _checksum(head)) + head[12:] + content


def _read(packet: bytes) -> Seen:
    addresses = [socket.inet_ntoa(packet[at : at + 4]) for at in (12, 16)]
    ports, flags = (0, 0), 0
    if packet[9] == socket.IPPROTO_TCP:
        ports = struct.unpack("!HH", packet[20:24])
        flags = packet[33]
    source, destination = map(End, addresses, ports)
    return Seen(source, destination, flags)


def _checksum(data: bytes) -> int:
    data += bytes(len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


ECHO_REQUEST = struct.pack("!BBHHH", 8, 0, _checksum(struct.pack("!BBHHH", 8, 0, 0, 1, 1)), 1, 1)
"""A ping, in ICMP."""

ECHO_REPLY = 0
"""The type of the message that answers it."""
