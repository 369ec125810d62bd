"""Which IPv4 CIDR blocks a VPC may have beside others.

The table "IPv4 CIDR block association restrictions" of the VPC user guide, "VPC CIDR blocks": the
range that a block of the VPC is from, and the ranges that no further block may then be from. That
families of private addresses do not mix is disputed (github.com/aws/aws-cdk/issues/36111); what
the guide restricts is restricted here.
"""

from __future__ import annotations

from ipaddress import IPv4Network

TEN = IPv4Network("10.0.0.0/8")
SEVENTEEN = IPv4Network("172.16.0.0/12")
NINETEEN = IPv4Network("192.168.0.0/16")
PRIVATE = (TEN, SEVENTEEN, NINETEEN)
"""RFC 1918."""

AWS_INTERNAL = IPv4Network("198.19.0.0/16")

LINK_LOCAL = IPv4Network("169.254.0.0/16")
"""RFC 5735; no VPC may have it."""

RESTRICTED: tuple[tuple[IPv4Network, tuple[IPv4Network, ...]], ...] = (
    (TEN, (SEVENTEEN, NINETEEN, AWS_INTERNAL)),
    (IPv4Network("10.0.0.0/15"), (IPv4Network("10.0.0.0/16"),)),
    (SEVENTEEN, (TEN, NINETEEN, IPv4Network("172.31.0.0/16"), AWS_INTERNAL)),
    (NINETEEN, (TEN, SEVENTEEN, AWS_INTERNAL)),
    (AWS_INTERNAL, PRIVATE),
)
"""The range that one block is from, and those that no other may be from."""

RESTRICTED_BESIDE_PUBLIC = (*PRIVATE, AWS_INTERNAL)
"""What may not be added to a block from any other range, 100.64.0.0/10 included."""

CODE = "InvalidVpc.Range"


def is_private(cidr: IPv4Network) -> bool:
    """Return whether a block is from a range of RFC 1918."""
    return any(cidr.overlaps(family) for family in PRIVATE)


def restricted(added: IPv4Network, there: IPv4Network) -> IPv4Network | None:
    """Return the range because of which a block may not be added to a VPC that has another one."""
    rows = [ranges for family, ranges in RESTRICTED if there.overlaps(family)]
    ranges = [row for some in rows for row in some] if rows else RESTRICTED_BESIDE_PUBLIC
    return next((row for row in ranges if added.overlaps(row)), None)


def words(cidr: object) -> str:
    """Return what EC2 says of a block that is restricted."""
    return (
        f"The CIDR '{cidr}' is restricted. Use a CIDR from the same private address range as the"
        " current VPC CIDR, or use a publicly-routable CIDR."
    )
