"""What only AWS can tell of a network that was there before the stack: a sentence for each problem.

CloudFormation asks before it makes or changes the group (`Custom::Network`), so that nothing is
written into a network in which the NATs could not serve. What is refused here would not work: what
may work is let pass.
"""

from __future__ import annotations

from functools import partial
from ipaddress import IPv4Network, collapse_addresses
from typing import TYPE_CHECKING, Any, NamedTuple

from nat_failover.actions import DEFAULT_ROUTE_CIDR
from nat_failover.fleet import is_public
from nat_failover.observe import complete_answers, read_route_tables, read_subnets
from nat_failover.route_tables import RouteTables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nat_failover.clients import Clients
    from nat_failover.contract import Settings
    from nat_failover.triggers import GivenNetwork

    Rules = list[Mapping[str, Any]]

_EVERYWHERE = IPv4Network(DEFAULT_ROUTE_CIDR)

_HTTPS = (443, 443)
_ANY_PORT = (1, 65535)
_ANSWERS = (1024, 65535)
"""Ports to which answers come; what a NAT translates leaves from any of these ("Custom network
ACLs", VPC user guide, "Ephemeral ports")."""
_HEARTBEATS_AND_TUNNELS = (4788, 4789)
"""UDP ports of what NATs say and hand over to each other."""

_ALL, _TCP, _UDP = "-1", "6", "17"


def problems(given: GivenNetwork, clients: Clients, settings: Settings) -> list[str]:
    """Return what is wrong with the network that the stack is given, in the order of mending it.

    Raises:
        IncompleteError: when an answer has not the documented shape.
        botocore.exceptions.BotoCoreError: when a read cannot be made.
        botocore.exceptions.ClientError: when AWS refuses a read.

    """
    read = partial(clients.threads.submit, clients=clients, settings=settings)
    vpcs, subnets, tables = read(_vpcs), read(read_subnets), read(read_route_tables)
    acls = read(_network_acls)
    with complete_answers():
        found = list(_of_the_vpc(given, vpcs.result(), settings))
        if found:
            return found
        network = _Network(given, settings, subnets.result(), tables.result(), acls.result())
        return [*network.of_tables(), *network.of_nat_subnets(), *network.of_zones()]


def _vpcs(clients: Clients, settings: Settings) -> list[Any]:
    answer = clients.ec2.describe_vpcs(Filters=[{"Name": "vpc-id", "Values": [settings.vpc]}])
    return list(answer["Vpcs"])


def _network_acls(clients: Clients, settings: Settings) -> list[Any]:
    pages = clients.ec2.get_paginator("describe_network_acls").paginate(
        Filters=[{"Name": "vpc-id", "Values": [settings.vpc]}]
    )
    return [acl for page in pages for acl in page["NetworkAcls"]]


def _of_the_vpc(given: GivenNetwork, vpcs: list[Any], settings: Settings) -> Iterator[str]:
    _, _, _, region, account, *_ = settings.stack_id.split(":")
    if not vpcs:
        yield f"{settings.vpc} is not a VPC of account {account} in {region}: name one that is"
        return
    (vpc,) = vpcs
    if vpc["OwnerId"] != account:
        yield (
            f"{settings.vpc} is shared by account {vpc['OwnerId']}, and only its owner may write"
            " routes in it: deploy into that account"
        )
        return
    has = {
        IPv4Network(block["CidrBlock"])
        for block in vpc["CidrBlockAssociationSet"]
        if block["CidrBlockState"]["State"] in {"associating", "associated"}
    }
    named = {IPv4Network(cidr) for cidr in given.cidrs}
    if has != named:
        yield (
            f"{settings.vpc} has the IPv4 networks {_list(has)}, but {_list(named)} is named:"
            " name all that it has, since hosts of no other may use the NATs"
        )


class _Network:
    """The VPC as EC2 describes it, beside what the stack is given of it."""

    def __init__(
        self,
        given: GivenNetwork,
        settings: Settings,
        subnets: list[Any],
        tables: list[Any],
        acls: list[Any],
    ) -> None:
        self._given, self._settings = given, settings
        self._subnets = {subnet["SubnetId"]: subnet for subnet in subnets}
        self._answers = {table["RouteTableId"]: table for table in tables}
        self._tables = RouteTables(tables, settings, subnets)
        self._acls = acls

    def of_tables(self) -> Iterator[str]:
        """Yield what is wrong with the private route tables."""
        for table in sorted(self._tables.private(), key=lambda table: table.id):
            gateway = (table.route and table.route.other) or ""
            if not table.exists:
                yield f"{table.id} is not a route table of {self._settings.vpc}: name one that is"
            elif gateway.startswith("igw-"):
                yield (
                    f"{table.id} leads to the internet gateway {gateway}, so it is the table of"
                    " public subnets: name tables of private ones"
                )

    def of_nat_subnets(self) -> Iterator[str]:
        """Yield what is wrong with the subnets in which the NATs are to be."""
        private = {table.id for table in self._settings.tables}
        for subnet in self._given.public_subnets:
            if subnet not in self._subnets:
                yield f"{subnet} is not a subnet of {self._settings.vpc}: name one that is"
                continue
            table = self._tables.used_by(subnet)
            if table in private:
                yield (
                    f"{subnet}, in which NATs are to be, uses {table}, which is to lead to them:"
                    " give it a table of its own that leads to an internet gateway"
                )
                continue
            if (gateway := self._gateway(table)).startswith("nat-"):
                yield (
                    f"{subnet}, in which NATs are to be, is private: {table} leads to the NAT"
                    f" gateway {gateway}: name a subnet whose table leads to an internet gateway"
                )
            elif not self._tables.may_lead_out(subnet):
                yield (
                    f"no route leads from {subnet}, in which NATs are to be, to the internet: add"
                    f" one to an internet gateway to {table}"
                )
            yield from self._returns(subnet, table)
            yield from self._blocked(subnet)

    def of_zones(self) -> Iterator[str]:
        """Yield what is wrong with the zones of the subnets in which the NATs are to be."""
        there = [each for each in self._given.public_subnets if each in self._subnets]
        zones = {each: str(self._subnets[each]["AvailabilityZone"]) for each in there}
        for zone in sorted(set(zones.values())):
            if len(alike := [each for each in there if zones[each] == zone]) > 1:
                yield (
                    f"{' and '.join(alike)}, in which NATs are to be, are both in {zone}: name"
                    " subnets of different zones, or its failure takes several NATs"
                )

    def _gateway(self, table: str) -> str:
        """Return to which NAT gateway a table's default route leads, or nothing."""
        for route in self._answers[table]["Routes"]:
            if route.get("DestinationCidrBlock") == DEFAULT_ROUTE_CIDR:
                return str(route.get("NatGatewayId") or "")
        return ""

    def _returns(self, subnet: str, table: str) -> Iterator[str]:
        """Yield which served networks have no way back from the NATs of a subnet."""
        routes = [route for route in self._answers[table]["Routes"] if _leads_back(route)]
        if any("DestinationPrefixListId" in route for route in routes):
            return  # what a list holds is not read
        cidrs = [r["DestinationCidrBlock"] for r in routes if "DestinationCidrBlock" in r]
        ways = list(collapse_addresses(map(IPv4Network, cidrs)))
        for cidr in map(IPv4Network, self._given.served_cidrs):
            if not any(cidr.subnet_of(way) for way in ways):
                yield (
                    f"no route leads back from {subnet} to {cidr}, which the NATs are to serve: add"
                    f" one to {table}, to the transit gateway that it is behind"
                )

    def _blocked(self, subnet: str) -> Iterator[str]:
        """Yield what a NAT needs of which the subnet's network ACL lets nothing pass."""
        acl = next(
            acl for acl in self._acls if subnet in {a["SubnetId"] for a in acl["Associations"]}
        )
        for need in self._needs(subnet):
            rules = [rule for rule in acl["Entries"] if rule["Egress"] is (need.way == "to")]
            if not _lets_pass(rules, need):
                yield (
                    f"the network ACL {acl['NetworkAclId']} of {subnet} lets nothing pass"
                    f" {need.way} {need.what}: add a rule that does"
                )

    def _needs(self, subnet: str) -> Iterator[_Need]:
        """Yield what must reach a NAT, and what must leave it."""
        yield _Need("to", _TCP, _HTTPS, _EVERYWHERE, "the internet by TCP 443")
        yield _Need("from", _TCP, _ANSWERS, _EVERYWHERE, "the internet to TCP ports 1024 to 65535")
        for cidr in map(IPv4Network, (*self._given.cidrs, *self._given.served_cidrs)):
            yield _Need("from", _TCP, _ANY_PORT, cidr, f"{cidr} by TCP")
            yield _Need("to", _TCP, _ANSWERS, cidr, f"{cidr} by TCP to ports 1024 to 65535")
        for other in self._given.public_subnets:
            if self._settings.watch and other != subnet and other in self._subnets:
                there = IPv4Network(self._subnets[other]["CidrBlock"])
                for way in ("from", "to"):
                    what = f"{other}, where other NATs are, by UDP 4788 and 4789"
                    yield _Need(way, _UDP, _HEARTBEATS_AND_TUNNELS, there, what)


class _Need(NamedTuple):
    """Packets of a protocol, to some ports, from or to a network; what a person calls them."""

    way: str
    protocol: str
    ports: tuple[int, int]
    network: IPv4Network
    what: str


def _leads_back(route: Mapping[str, Any]) -> bool:
    """Say whether a route may lead to a network elsewhere whose hosts can use a NAT.

    Behind a peering they cannot ("How VPC peering connections work", VPC peering guide).
    """
    elsewhere = not route.get("GatewayId", "").startswith(("igw-", "local", "vpce-"))
    return route["State"] == "active" and elsewhere and "VpcPeeringConnectionId" not in route


def _lets_pass(rules: Rules, need: _Need) -> bool:
    """Say whether a network ACL may let any of some packets pass.

    The rule with the lowest number that fits a packet decides ("Network ACL rules", VPC user
    guide).
    """
    first, last = need.ports
    for rule in sorted(rules, key=lambda rule: int(rule["RuleNumber"])):
        if "CidrBlock" not in rule or rule["Protocol"] not in {_ALL, need.protocol}:
            continue
        network = IPv4Network(rule["CidrBlock"], strict=False)
        span = rule.get("PortRange", {"From": 0, "To": 65535})
        meets = _overlap(network, need.network) and span["From"] <= last and first <= span["To"]
        if rule["RuleAction"] == "allow" and meets:
            return True
        covers = need.network.subnet_of(network) and span["From"] <= first and last <= span["To"]
        if rule["RuleAction"] == "deny" and covers:
            return False
    return False


def _overlap(rule: IPv4Network, needed: IPv4Network) -> bool:
    """Say whether a rule is about a needed network; private addresses are none of the internet."""
    return is_public(str(rule)) if needed == _EVERYWHERE else rule.overlaps(needed)


def _list(networks: set[IPv4Network]) -> str:
    return ", ".join(map(str, sorted(networks))) or "none"
