"""The entries of a namespace's connection table: filled as traffic would leave it, and emptied.

This file runs alone, by its path, in the namespace: it speaks netlink to the kernel, since the
`conntrack` command may be missing and needs a minute for what is done here in one second.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys

_SOURCE = socket.inet_aton("10.0.3.10")
_DESTINATION = socket.inet_aton("203.0.113.10")
_NETLINK_NETFILTER = 12
# include/uapi/linux/netfilter/nfnetlink.h and nfnetlink_conntrack.h
_NEW, _DELETE = 0x100, 0x102
_REQUEST, _ACK, _CREATE = 0x1, 0x4, 0x400
_NESTED = 0x8000
_TUPLE_ORIG, _TUPLE_REPLY, _STATUS, _PROTOINFO, _TIMEOUT = 1, 2, 3, 4, 7
_TUPLE_IP, _TUPLE_PROTO = 1, 2
_SEEN_REPLY_ASSURED_CONFIRMED = 0x2 | 0x4 | 0x8
_TIME_WAIT = 7  # include/uapi/linux/netfilter/nf_conntrack_tcp.h
# No entry is left, or the bucket has more of them than the kernel allows: as full as it gets.
_FULL = (errno.ENOMEM, errno.ENOSPC)
_BATCH = 100
_PORTS = 60_000


def fill(count: int, seconds: int) -> None:
    """Add closed TCP connections, of which the last is forgotten in so many seconds.

    They are of all ages in equal parts, as a steady rate of connections would leave them.
    """
    with _open() as kernel:
        for first in range(0, count, _BATCH):
            numbers = range(first, min(first + _BATCH, count))
            for number in numbers:
                entry = _entry(number, left(number, count, seconds))
                kernel.send(_message(_NEW, _CREATE, entry))
            for _ in numbers:
                _check(kernel.recv(4096))


def left(number: int, count: int, seconds: int) -> int:
    """Return for how long one of the connections is remembered, from 1 to so many seconds."""
    return 1 + number * seconds // count


def empty() -> None:
    """Forget all connections of the namespace."""
    with _open() as kernel:
        kernel.send(_message(_DELETE, 0, b""))
        _check(kernel.recv(4096))


def _open() -> socket.socket:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)


def _message(kind: int, flags: int, attributes: bytes) -> bytes:
    body = struct.pack("BBH", socket.AF_INET, 0, 0) + attributes
    return struct.pack("=IHHII", 16 + len(body), kind, _REQUEST | _ACK | flags, 0, 0) + body


def _entry(number: int, remembered: int) -> bytes:
    """Return the attributes of a closed connection, with its own ports."""
    row, port = divmod(number, _PORTS)
    there, back = (_SOURCE, 1024 + port), (_DESTINATION, 8000 + row)
    return (
        _tuple(_TUPLE_ORIG, there, back)
        + _tuple(_TUPLE_REPLY, back, there)
        + _attribute(_STATUS, struct.pack(">I", _SEEN_REPLY_ASSURED_CONFIRMED))
        + _attribute(_TIMEOUT, struct.pack(">I", remembered))
        + _nest(_PROTOINFO, _nest(1, _attribute(1, bytes([_TIME_WAIT]))))
    )


def _tuple(kind: int, source: tuple[bytes, int], destination: tuple[bytes, int]) -> bytes:
    addresses = _attribute(1, source[0]) + _attribute(2, destination[0])
    ports = (
        _attribute(1, bytes([socket.IPPROTO_TCP]))
        + _attribute(2, struct.pack(">H", source[1]))
        + _attribute(3, struct.pack(">H", destination[1]))
    )
    return _nest(kind, _nest(_TUPLE_IP, addresses) + _nest(_TUPLE_PROTO, ports))


def _nest(kind: int, attributes: bytes) -> bytes:
    return _attribute(kind | _NESTED, attributes)


def _attribute(kind: int, value: bytes) -> bytes:
    size = 4 + len(value)
    return struct.pack("=HH", size, kind) + value + bytes(-size % 4)


def _check(answer: bytes) -> None:
    (code,) = struct.unpack_from("=i", answer, 16)
    if code and -code not in _FULL:
        raise OSError(-code, os.strerror(-code))


if __name__ == "__main__":
    if sys.argv[1] == "fill":
        fill(int(sys.argv[2]), int(sys.argv[3]))
    else:
        empty()
