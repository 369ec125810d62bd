"""The options of a new VPC."""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from itertools import combinations
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from aws_constraints.cidrs import is_private, restricted
from aws_constraints.regions import EDGE_ZONE, ZONE, ZONE_ID
from cdk_nat_failover.network.address_plan import (
    LETTERS,
    SMALLEST_SUBNET,
    letter_of,
    longest_prefix,
)
from cdk_nat_failover.options.section import Section, setting
from cdk_nat_failover.options.validators import each_once, id_of

ZONES = 2
"""Availability Zones of a network whose options name none."""

# "VPC CIDR blocks", VPC user guide: a VPC, and a subnet, has between 16 and 65,536 addresses.
LARGEST_VPC = 16

# "IPv4 CIDR blocks per VPC", Amazon VPC quotas: five unless AWS grants more.
MOST_CIDRS = 5

# Ranges whose addresses never leave a host or never reach one (RFC 6890, RFC 5771).
NOT_FOR_HOSTS = tuple(
    map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"))
)


MOST_TABLES = 30
"""Private route tables of a network: what the function is told of them fits its environment of 4 KB
("Lambda quotas", Lambda guide), and what it may do to them its role's 10 240 characters ("IAM and
STS quotas", IAM user guide), with the longest names that there are."""

MOST_PUBLIC_SUBNETS = 10
"""More than a Region has zones; the role names each of them."""

MOST_SERVED = 50
"""Networks elsewhere: with those of the VPC they fit into a security group, which takes 60 rules
("Amazon VPC quotas", VPC user guide)."""

LARGEST_SERVED = 8


def _network(value: object) -> object:
    """Return the value; raise where `IPv4Network` would complain in the language of sockets."""
    if isinstance(value, IPv4Network):
        return value
    try:
        network = IPv4Network(value if isinstance(value, str) else "", strict=False)
    except ValueError:
        message = "it is not an IPv4 network"
        raise ValueError(message) from None
    if str(network.network_address) != str(value).partition("/")[0]:
        message = f"it has bits set after the prefix: write {network}"
        raise ValueError(message)
    if "/" in str(value) and value != str(network):
        message = f"its prefix is no plain number: write {network}"
        raise ValueError(message)
    return value


def _for_hosts(network: IPv4Network) -> IPv4Network:
    if not LARGEST_VPC <= network.prefixlen <= SMALLEST_SUBNET:
        message = f"a VPC is between /{LARGEST_VPC} and /{SMALLEST_SUBNET}"
        raise ValueError(message)
    return _for_unicast(network)


def _for_unicast(network: IPv4Network) -> IPv4Network:
    for reserved in NOT_FOR_HOSTS:
        if network.overlaps(reserved):
            message = f"it overlaps {reserved}, whose addresses hosts cannot have"
            raise ValueError(message)
    return network


def _two_or_more(items: tuple[str, ...]) -> tuple[str, ...]:
    if len(items) < ZONES:
        message = "the NATs of one zone cannot stand in for each other when the zone fails"
        raise ValueError(message)
    return items


def _of_a_network(network: IPv4Network) -> IPv4Network:
    if network.prefixlen < LARGEST_SERVED:
        message = f"it is larger than a /{LARGEST_SERVED}: name the networks in it that are served"
        raise ValueError(message)
    return _for_unicast(network)


def each_network_once(networks: tuple[IPv4Network, ...]) -> tuple[IPv4Network, ...]:
    """Return the networks; raise where one is there twice."""
    each_once(tuple(map(str, networks)))
    return networks


def _apart(networks: tuple[IPv4Network, ...]) -> tuple[IPv4Network, ...]:
    for one, other in combinations(networks, 2):
        if one.overlaps(other):
            message = f"{one} and {other} overlap: name networks without a common address"
            raise ValueError(message)
    return networks


def _not_at_the_edge(zone: str) -> str:
    """Return the zone; raise where NAT instances would have other addresses and other types."""
    if re.fullmatch(EDGE_ZONE, zone):
        message = "it is a Local Zone or a Wavelength Zone: name Availability Zones of its Region"
        raise ValueError(message)
    if not re.fullmatch(rf"{ZONE}|{ZONE_ID}", zone):
        message = "it is neither the name nor the id of an Availability Zone"
        raise ValueError(message)
    return zone


class NetworkOptions(Section):
    """The VPC."""

    cidr: Annotated[IPv4Network, BeforeValidator(_network), AfterValidator(_for_hosts)] = setting(
        default=IPv4Network("10.0.0.0/16"),
        decides="the VPC's addresses, with vpc those that it has; a change makes another VPC and"
        " fails",
        allowed="an IPv4 network from /16 to /25 that hosts can use, such as '10.0.0.0/16'",
    )
    additional_cidrs: Annotated[
        tuple[Annotated[IPv4Network, BeforeValidator(_network), AfterValidator(_for_hosts)], ...],
        Field(max_length=MOST_CIDRS - 1),
        AfterValidator(_apart),
    ] = setting(
        default=(),
        decides="more addresses of the VPC, with vpc all others that it has",
        allowed=f"a list of up to {MOST_CIDRS - 1} more networks of the VPC whose hosts may use"
        " the NATs, such as ['100.64.0.0/16']",
    )
    zones: (
        Annotated[
            tuple[Annotated[str, AfterValidator(_not_at_the_edge)], ...],
            AfterValidator(each_once),
            AfterValidator(_two_or_more),
        ]
        | None
    ) = setting(
        default=None,
        decides="the Availability Zones, each with a public and a private subnet",
        allowed="null for the first two of the Region, or a list of two or more Availability"
        " Zones of one Region, each once, such as ['eu-west-1a', 'eu-west-1b'] or by their ids"
        " ['euw1-az1', 'euw1-az2']",
    )

    served_cidrs: Annotated[
        tuple[
            Annotated[IPv4Network, BeforeValidator(_network), AfterValidator(_of_a_network)], ...
        ],
        Field(max_length=MOST_SERVED),
        AfterValidator(each_network_once),
    ] = setting(
        default=(),
        decides="networks elsewhere whose hosts may use the NATs, by a transit gateway or a VPN;"
        " their routes are not made",
        allowed=f"a list of up to {MOST_SERVED} IPv4 networks from /{LARGEST_SERVED}, such as"
        " ['10.1.0.0/16']",
    )
    vpc: Annotated[str, Field(pattern=rf"^{id_of('vpc')}$")] | None = setting(
        default=None,
        decides="the VPC that the NATs serve, if it is there already: then nothing is made in it"
        " but what the NATs need",
        allowed="null for a new VPC, or the id of one in the account and Region, such as"
        " 'vpc-0123456789abcdef0'",
    )
    public_subnets: Annotated[
        tuple[Annotated[str, Field(pattern=rf"^{id_of('subnet')}$")], ...],
        Field(max_length=MOST_PUBLIC_SUBNETS),
        AfterValidator(each_once),
    ] = setting(
        default=(),
        decides="the subnets of an existing VPC in which the NATs are",
        allowed=f"a list of up to {MOST_PUBLIC_SUBNETS} ids of public subnets, one for each NAT and"
        " in different zones, such as ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'];"
        " with vpc only",
    )
    route_tables: Annotated[
        tuple[Annotated[str, Field(pattern=rf"^{id_of('rtb')}$")], ...],
        Field(max_length=MOST_TABLES),
        AfterValidator(each_once),
    ] = setting(
        default=(),
        decides="the private route tables of an existing VPC whose default routes lead to the NATs",
        allowed=f"a list of up to {MOST_TABLES} ids of route tables, such as"
        " ['rtb-0123456789abcdef0', 'rtb-0123456789abcdef1']; with vpc only",
    )

    @property
    def cidrs(self) -> tuple[IPv4Network, ...]:
        """All IPv4 networks of the VPC."""
        return (self.cidr, *self.additional_cidrs)

    @property
    def nat_subnet_count(self) -> int:
        """How many subnets the NATs are in: one in each zone of a new VPC."""
        return len(self.public_subnets or self.zones or ()) or ZONES

    @property
    def letters(self) -> str:
        """The letters of the Availability Zones; those that are not named stand for a and b."""
        return "".join(map(letter_of, self.zones)) if self.zones else LETTERS[:ZONES]


def _zones_are_of_one_region(network: NetworkOptions, at: str) -> str | None:
    zones = network.zones or ()
    regions = sorted({zone[:-1].removesuffix("-az") for zone in zones})
    if len(regions) <= 1:
        return None
    return (
        f"{at}zones is {list(zones)}, zones of {' and '.join(regions)};"
        " allowed: zones of one Region, all by their names or all by their ids"
    )


def _zones_have_addresses(network: NetworkOptions, at: str) -> str | None:
    zones = [zone for zone in network.zones or () if letter_of(zone) not in LETTERS]
    if not zones:
        return None
    return (
        f"{at}zones has {', '.join(zones)}, for which the address plan has no room;"
        f" allowed: zones with the letters {LETTERS[0]} to {LETTERS[-1]}, or the numbers 1 to"
        f" {len(LETTERS)}"
    )


def _existing_vpc_is_whole(network: NetworkOptions, at: str) -> str | None:
    named = {"public_subnets": network.public_subnets, "route_tables": network.route_tables}
    if network.vpc and (missing := [name for name, ids in named.items() if not ids]):
        return (
            f"{at}vpc is {network.vpc!r}, but {at}{missing[0]} is empty; allowed: its public"
            " subnets for the NATs, and its private route tables"
        )
    if not network.vpc and (stray := [name for name, ids in named.items() if ids]):
        return (
            f"{at}{stray[0]} is {list(named[stray[0]])}, but {at}vpc is null; allowed: both, for a"
            " VPC that is there, or neither, for a new one"
        )
    return None


def _zones_are_of_a_new_vpc(network: NetworkOptions, at: str) -> str | None:
    if not network.vpc or not network.zones:
        return None
    return (
        f"{at}zones is {list(network.zones)}, but the zones of {network.vpc} are those of its"
        f" subnets; allowed: null with {at}vpc"
    )


def _subnets_have_room(network: NetworkOptions, at: str) -> str | None:
    if network.vpc or not set(network.letters) <= set(LETTERS):
        return None
    longest = longest_prefix(network.letters)
    if network.cidr.prefixlen <= longest:
        return None
    letters = " and ".join(sorted(network.letters))
    return (
        f"{at}cidr is '{network.cidr}', too small for two subnets in each of the zones"
        f" {letters} (each letter has its own share, so that a zone can be added, dropped or"
        f" replaced later); allowed: /{LARGEST_VPC} to /{longest}"
    )


def _cidrs_are_apart(network: NetworkOptions, at: str) -> str | None:
    for cidr in network.additional_cidrs:
        if cidr.overlaps(network.cidr):
            return (
                f"{at}additional_cidrs has '{cidr}', which overlaps {at}cidr,"
                f" '{network.cidr}'; allowed: networks without a common address"
            )
    return None


def _cidrs_may_be_together(network: NetworkOptions, at: str) -> str | None:
    """Look both ways, since a block may be added to the settings, and so to the VPC, at any time.

    Except where the order decides: the stack adds private blocks before others.
    """
    for cidr in () if network.vpc else network.additional_cidrs:
        for there in network.cidrs:
            later = there != network.cidr and is_private(cidr) and not is_private(there)
            reserved = None if cidr.overlaps(there) or later else restricted(cidr, there)
            if reserved:
                return (
                    f"{at}additional_cidrs has '{cidr}', which EC2 refuses beside '{there}'"
                    f" (nothing of {reserved}); allowed: networks that the table 'IPv4 CIDR block"
                    " association restrictions' of the VPC user guide permits, such as"
                    " '100.64.0.0/16'"
                )
    return None


NetworkOptions.rules = (
    (("vpc", "public_subnets", "route_tables"), _existing_vpc_is_whole),
    (("vpc", "zones"), _zones_are_of_a_new_vpc),
    (("zones",), _zones_are_of_one_region),
    (("zones",), _zones_have_addresses),
    (("vpc", "cidr", "zones"), _subnets_have_room),
    (("cidr", "additional_cidrs"), _cidrs_are_apart),
    (("vpc", "cidr", "additional_cidrs"), _cidrs_may_be_together),
)
