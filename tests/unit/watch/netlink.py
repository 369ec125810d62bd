"""The kernel's side of a question for the connections, which only root may ask."""

from __future__ import annotations

import socket
import struct
from types import SimpleNamespace

ESTABLISHED, TIME_WAIT = 3, 7
"""States of TCP (linux/netfilter/nf_conntrack_tcp.h)."""

DONE = struct.pack("=IHHIII", 20, 3, 2, 1, 0, 0)
REFUSED = struct.pack("=IHHIIi", 20, 2, 0, 1, 0, -1)


def flow(source: str, state: int = ESTABLISHED) -> bytes:
    """Return what the kernel says of a TCP flow: its first direction, and TCP's state."""
    addresses = _attribute(1, socket.inet_aton(source)) + _attribute(2, bytes([192, 0, 2, 1]))
    ports = _attribute(1, b"\6") + _attribute(2, b"\xc0\0") + _attribute(3, b"\1\xbb")
    first = _attribute(0x8001, _attribute(0x8001, addresses) + _attribute(0x8002, ports))
    tcp = _attribute(0x8001, _attribute(1, bytes([state])))
    content = struct.pack("=BBH", socket.AF_INET, 0, 0) + first + _attribute(0x8004, tcp)
    return struct.pack("=IHHII", 16 + len(content), 0x0100, 2, 1, 0) + content


def _attribute(kind: int, content: bytes) -> bytes:
    size = 4 + len(content)
    return struct.pack("=HH", size, kind) + content + bytes(-size % 4)


class Netlink(SimpleNamespace):
    """The module `socket` for those who ask the kernel: each socket has its answers already."""

    def __init__(self, *answers: bytes) -> None:
        """Have nothing asked yet."""
        super().__init__(**{**vars(socket), "socket": self._socket})
        self._answers = answers
        self._ends: list[socket.socket] = []

    def asked(self) -> bytes:
        """Return what was asked last."""
        return self._ends[-1].recv(1 << 16)

    def end(self) -> None:
        """Close the kernel's end of each socket."""
        for end in self._ends:
            end.close()

    def _socket(self, family: int, kind: int, protocol: int) -> socket.socket:
        assert (socket.AF_NETLINK, socket.SOCK_RAW, 12) == (family, kind, protocol)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ends.append(theirs)
        for answer in self._answers:
            theirs.send(answer)
        return ours
