"""The own way to the internet: a connection to one target after another, opened and closed.

Nothing waits: a connection that is under way is a socket for the loop's `select`. It shows the
uplink alone: whether this NAT forwards is another question.
"""

from __future__ import annotations

import errno
import re
import socket
from typing import TYPE_CHECKING

from .judgement import PROBE_TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Sequence

PORT = 443


_INSIDE = r"^(10|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\."
"""As in self-test.sh: private addresses, and the shared ones (RFC 1918, RFC 6598)."""


def resolve(targets: Sequence[str]) -> list[str]:
    """Return an address of each target.

    Names that are not found are left out, and those that lead into the VPC: an interface endpoint
    proves nothing.
    """
    return [address for target in targets if (address := _resolve(target))]


def _resolve(target: str) -> str | None:
    try:
        found = socket.getaddrinfo(target, PORT, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        return None
    address = str(found[0][4][0])
    return None if address != target and re.match(_INSIDE, address) else address


class Egress:
    """One attempt at a time, at the next address each time."""

    def __init__(self) -> None:
        """Have no addresses, and no attempt under way."""
        self.addresses: Sequence[str] = ()
        self.socket: socket.socket | None = None
        self._turn = 0
        self._until = 0.0

    def begin(self, now: float) -> bool | None:
        """Begin an attempt; return False if it fails at once, None if there is no target."""
        if not self.addresses:
            return None
        self._turn += 1
        self._until = now + PROBE_TIMEOUT_S
        attempt = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        attempt.settimeout(0)
        address = self.addresses[self._turn % len(self.addresses)]
        if attempt.connect_ex((address, PORT)) in {0, errno.EINPROGRESS}:
            self.socket = attempt
            return True
        attempt.close()
        return False

    def ended(self, now: float, *, writable: bool) -> bool | None:
        """Return how the attempt ended; None while it is under way."""
        if self.socket is None or not (writable or now >= self._until):
            return None
        with self.socket as attempt:
            error = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self.socket = None
        return writable and not error
