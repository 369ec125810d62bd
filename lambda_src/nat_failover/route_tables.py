"""From EC2's answer to the route tables, and to the one that each private subnet uses."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

from nat_failover.actions import DEFAULT_ROUTE_CIDR
from nat_failover.contract import HomeTable
from nat_failover.fleet import may_lead_out
from nat_failover.model import BLACKHOLE, Association, DefaultRoute, Subnet, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nat_failover.contract import Settings

_TARGETS = (
    "NetworkInterfaceId",
    "InstanceId",
    "NatGatewayId",
    "TransitGatewayId",
    "GatewayId",
    "VpcPeeringConnectionId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
    "EgressOnlyInternetGatewayId",
    "OdbNetworkArn",
    "IpAddress",
)
"""The fields of a route that can name its target (EC2 API reference, data type Route)."""

_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


_DYNAMIC = frozenset({"EnableVgwRoutePropagation", "Advertisement"})
"""Origins of routes that nobody wrote into the table: from a virtual private gateway, or from a VPC
Route Server (EC2 API reference, Route)."""

_IN_FORCE = (None, "associating", "associated")
"""Association states that hold or are about to (EC2 API reference, RouteTableAssociationState)."""


class IncompleteError(Exception):
    """The API answered, but not with everything that was asked for."""


class RouteTables:
    """Every route table of the VPC as EC2 described it."""

    def __init__(
        self, answered: list[Any], settings: Settings, subnets: Iterable[Mapping[str, Any]] = ()
    ) -> None:
        self._answers: dict[str, Any] = {table["RouteTableId"]: table for table in answered}
        self._main = self._find_main(settings.vpc)
        self._uses = self._associations(settings.tables)
        zones = {subnet["SubnetId"]: str(subnet["AvailabilityZone"]) for subnet in subnets}
        self._homes = tuple(
            home if home.zone else self._observed(home, zones) for home in settings.tables
        )
        self._zones = {s: home.zone for home in self._homes for s in home.subnets} | zones

    def private(self) -> frozenset[Table]:
        """Return the stack's tables; one that EC2 does not describe is not there."""
        return frozenset(
            _table(self._answers[home.id], home) if home.id in self._answers else _missing(home)
            for home in self._homes
        )

    def subnets(self) -> frozenset[Subnet]:
        """Return the private subnets; one that no table names uses the VPC's main table."""
        return frozenset(
            self._subnet(subnet, home) for home in self._homes for subnet in home.subnets
        )

    def used_by(self, subnet: str) -> str:
        """Return the table that any subnet uses; one that no table names uses the main one."""
        return self._uses.get(subnet, (self._main,))[0]

    def _subnet(self, id_: str, home: HomeTable) -> Subnet:
        table, association = self._uses.get(id_, (self._main, None))
        return Subnet(
            id=id_, zone=self._zones[id_], home=home.id, table=table, association=association
        )

    def _observed(self, home: HomeTable, zones: Mapping[str, str]) -> HomeTable:
        """Return a table with the subnets that use it, and the zone or zones that they are in."""
        users = tuple(subnet for subnet in sorted(zones) if self.used_by(subnet) == home.id)
        zone = " and ".join(sorted({zones[subnet] for subnet in users})) or "no zone"
        return HomeTable(id=home.id, zone=zone, subnets=users)

    def foreign(self) -> frozenset[Table]:
        """Return the tables that private subnets use though they are not the stack's."""
        ours = {home.id for home in self._homes}
        used = {subnet.table for subnet in self.subnets()} - ours
        return frozenset(_table(self._answers[table], None) for table in used)

    def may_lead_out(self, subnet: str) -> bool:
        """Say whether a subnet of NATs may reach the internet; in a private table it does not.

        Of two tables, which only a lag can show, one is enough.
        """
        private = {home.id for home in self._homes}
        used = {
            id_
            for id_, table in self._answers.items()
            if any(row.subnet == subnet for row in _in_force(table["Associations"]))
        }
        tables = (used or {self._main}) - private
        return any(may_lead_out(_table(self._answers[id_], None)) for id_ in tables)

    def _find_main(self, vpc: str) -> str:
        for id_, table in sorted(self._answers.items()):
            if _is_main(table):
                return id_
        message = f"EC2 did not describe the main route table of {vpc}"
        raise IncompleteError(message)

    def _associations(self, tables: tuple[HomeTable, ...]) -> dict[str, tuple[str, str]]:
        """Return table and association by subnet; of two, which only a lag can show, the home's."""
        homes = {(home.id, subnet) for home in tables for subnet in home.subnets}
        found = [
            ((id_, row.subnet) in homes, row.subnet, id_, row.id)
            for id_, table in self._answers.items()
            for row in _in_force(table["Associations"])
        ]
        return {subnet: (table, id_) for _, subnet, table, id_ in sorted(found)}


def _is_main(table: Mapping[str, Any]) -> bool:
    return any(row.get("Main") for row in table["Associations"])


def _missing(home: HomeTable) -> Table:
    return Table(
        id=home.id,
        zone=home.zone,
        home_subnets=frozenset(home.subnets),
        route=None,
        exists=False,
    )


def _table(answer: Mapping[str, Any], home: HomeTable | None) -> Table:
    routes = [
        route
        for route in answer["Routes"]
        if route.get("GatewayId") != "local" and route["State"] != "filtered"
    ]
    default = [route for route in routes if route.get("DestinationCidrBlock") == DEFAULT_ROUTE_CIDR]
    return Table(
        id=answer["RouteTableId"],
        zone=home.zone if home else "",
        home_subnets=frozenset(home.subnets if home else ()),
        route=_winner(default),
        associations=frozenset(_in_force(answer["Associations"])),
        other_routes=frozenset(
            (_destination(route), _target(route)) for route in routes if route not in default
        ),
        main=_is_main(answer),
    )


def _in_force(rows: Iterable[Mapping[str, Any]]) -> list[Association]:
    return [
        Association(id=row["RouteTableAssociationId"], subnet=row["SubnetId"])
        for row in rows
        if "SubnetId" in row and row.get("AssociationState", {}).get("State") in _IN_FORCE
    ]


def _winner(default: Iterable[Mapping[str, Any]]) -> DefaultRoute | None:
    """Return the default route that counts: of several the written one, whatever its state.

    A written route wins over a propagated one with the same destination, and a list of prefixes
    over a propagated one too ("How route priority works", VPC user guide).
    """
    routes = sorted(map(_default_route, default), key=lambda route: (route.dynamic, repr(route)))
    return routes[0] if routes else None


def _default_route(route: Mapping[str, Any]) -> DefaultRoute:
    return DefaultRoute(
        interface=route.get("NetworkInterfaceId"),
        instance=route.get("InstanceId"),
        other=_first(route, _TARGETS[2:]),
        blackhole=route["State"] != "active",
        dynamic=route.get("Origin") in _DYNAMIC,
    )


def _destination(route: Mapping[str, Any]) -> str:
    cidr = route.get(_DESTINATIONS[0])
    return str(IPv4Network(cidr, strict=False)) if cidr else _first(route, _DESTINATIONS[1:]) or ""


def _target(route: Mapping[str, Any]) -> str:
    return BLACKHOLE if route["State"] != "active" else _first(route, _TARGETS) or ""


def _first(route: Mapping[str, Any], fields: tuple[str, ...]) -> str | None:
    return next((route[field] for field in fields if route.get(field)), None)
