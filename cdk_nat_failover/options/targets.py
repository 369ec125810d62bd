"""The targets of a self-test: addresses and names of hosts on the internet."""

from __future__ import annotations

import re
from ipaddress import IPv4Address

# "Preferred name syntax", RFC 1123 section 2.1, with two labels or more, the last one not beginning
# with a digit: some resolvers take 0x7f.0x1 for an address.
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"({_LABEL}\.)+(?!\d){_LABEL}")
LONGEST_NAME = 253

# RFC 6761, RFC 6762; "internal" is reserved by ICANN, and EC2 names instances in it.
_NOT_PUBLIC = ("localhost", "localdomain", "local", "internal", "invalid", "test")


def as_address(target: str) -> IPv4Address | None:
    """Return the address that a target is; None if it is a name."""
    try:
        return IPv4Address(target)
    except ValueError:
        return None


def on_the_internet(target: str) -> str:
    """Return the target; raise where a connection to it would prove nothing, or cannot be made."""
    address = as_address(target)
    if address is None:
        if not _NAME.fullmatch(target) or len(target) > LONGEST_NAME:
            message = f"{target!r} is neither an IPv4 address nor a host name"
            raise ValueError(message)
        if target.casefold().endswith(tuple(f".{name}" for name in _NOT_PUBLIC)):
            message = f"{target!r} is not the name of a host on the internet"
            raise ValueError(message)
        return target
    if not address.is_global or address.is_multicast:
        message = f"{target} is not an address of a host on the internet"
        raise ValueError(message)
    return target
