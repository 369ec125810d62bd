"""Which addresses the subnets of an Availability Zone have: its letter alone decides.

So a zone can be added, dropped or replaced without a change of another zone's subnets, which EC2
would refuse: a subnet's CIDR cannot be changed, and CloudFormation makes the new subnet before it
deletes the old one, whose addresses are still taken ("InvalidSubnet.Conflict", EC2 API reference).

The lower half of the VPC is for public subnets, the upper half for private ones. Every Region has
zones a and b or others of the first three letters; d is rarer, and e and f are in us-east-1 only
("AWS Regions and Availability Zones"). Their shares go by that: a, b and c have a quarter of each
half, d an eighth, e and f a sixteenth.
"""

from __future__ import annotations

from ipaddress import IPv4Network

_SHARES = {"a": (0, 2), "b": (4, 2), "c": (8, 2), "d": (12, 3), "e": (14, 4), "f": (15, 4)}
"""Where in its half the share of each letter begins, in sixteenths, and by how many bits its
prefix is longer than that of the half."""

LETTERS = "".join(_SHARES)
"""The letters of zones for which there are addresses."""

SMALLEST_SUBNET = 28
"""The longest prefix of a subnet ("Subnet sizing", VPC user guide)."""


def letter_of(zone: str) -> str:
    """Return the letter of an Availability Zone: of its name, or for the number of its id."""
    last = zone[-1]
    return chr(ord("a") + int(last) - 1) if last.isdecimal() else last


def position_of(letter: str) -> int:
    """Return the number of a letter, from 1 for a, by which subnets are called."""
    return LETTERS.index(letter) + 1


def longest_prefix(letters: str) -> int:
    """Return the prefix length of the smallest VPC that has room for the subnets of the letters."""
    return SMALLEST_SUBNET - 1 - max(_SHARES[letter][1] for letter in letters)


def public_cidr(vpc: IPv4Network, letter: str) -> IPv4Network:
    """Return the addresses of a letter's public subnet."""
    lower, _ = vpc.subnets()
    return _share(lower, letter)


def private_cidr(vpc: IPv4Network, letter: str) -> IPv4Network:
    """Return the addresses of a letter's private subnet."""
    _, upper = vpc.subnets()
    return _share(upper, letter)


def _share(half: IPv4Network, letter: str) -> IPv4Network:
    sixteenths, bits = _SHARES[letter]
    first = half.network_address + half.num_addresses // 16 * sixteenths
    return IPv4Network((first, half.prefixlen + bits))
