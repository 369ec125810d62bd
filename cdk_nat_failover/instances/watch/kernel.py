"""What the watch asks of the kernel: whether it forwards, and how many flows it knows."""

from __future__ import annotations

import socket
import struct
import subprocess
import time

AGAIN_S = 0.5
"""Between two looks at rules that differ: they are loaded before what they are is noted."""

LOOK_S = 10
"""Of a look. One that takes longer says nothing."""

_FORWARD = "/proc/sys/net/ipv4/ip_forward"
_LOADED = "/run/nat-failover/rules"
_TABLES = ("nat_failover_nat", "nat_failover_filter")

# linux/netlink.h, linux/netfilter/nfnetlink.h, nfnetlink_conntrack.h, nf_conntrack_tcp.h
_NETLINK_NETFILTER = 12
_DUMP_CONNECTIONS = struct.pack("=IHHIIBBH", 20, 0x0101, 0x0301, 1, 0, socket.AF_INET, 0, 0)
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_ESTABLISHED = b"\5\0\1\0\3\0\0\0"
"""CTA_PROTOINFO_TCP_STATE with 3; an attribute of this type and length elsewhere is a protocol, and
3 is none that conntrack follows."""


def forwards() -> bool:
    """Return whether the rules are those that were loaded, and the kernel forwards.

    Raises:
        OSError, subprocess.SubprocessError: when that cannot be seen.

    """
    if _as_loaded():
        return True
    time.sleep(AGAIN_S)
    return _as_loaded()


def _as_loaded() -> bool:
    rules = b"".join(_listed(table) for table in _TABLES)
    return rules.split() == _read(_LOADED).split() and _read(_FORWARD) == b"1\n"


def _listed(table: str) -> bytes:
    """Return the rules of a table; nft 1.0.6 lists none where one command asks for two tables."""
    command = ["nft", "--stateless", "--terse", "list", "table", "ip", table]
    run = subprocess.run(command, stdout=subprocess.PIPE, timeout=LOOK_S, check=False)  # noqa: S603 - no shell
    return run.stdout


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib is a megabyte
        return file.read()


def established(address: str) -> int:
    """Return how many established TCP flows there are that are not this host's own.

    Raises:
        OSError: when the kernel does not say.

    """
    # CTA_IP_V4_SRC with the address: the host itself is a source in its own flows alone.
    own = b"\x08\0\1\0" + socket.inet_aton(address)
    count = 0
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as kernel:
        kernel.settimeout(LOOK_S)
        kernel.send(_DUMP_CONNECTIONS)
        while True:
            received = kernel.recv(1 << 16)
            while received:
                size, kind = struct.unpack_from("=IH", received)
                if kind == _NLMSG_DONE:
                    return count
                if kind == _NLMSG_ERROR:
                    raise OSError(received)
                message, received = received[:size], received[(size + 3) & ~3 :]
                count += _ESTABLISHED in message and own not in message
