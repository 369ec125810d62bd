"""VPC routes: their state, what they say of their target, and when they may be created."""
# ruff: noqa: SLF001, ANN401 - moto gives no other access to its state, and types little of it

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING, Any

from moto.ec2.exceptions import RouteAlreadyExistsError
from moto.ec2.models import ec2_backends
from moto.ec2.models.route_tables import Route, RouteBackend, RouteTable
from moto.ec2.responses.route_tables import RouteTables
from moto.ec2.utils import generate_route_id

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.isolation import ACCOUNT, REGION
from lab.emulator.services.ec2.eventual_consistency.history import History, value_of
from lab.emulator.services.ec2.instances import FORGOTTEN
from lab.emulator.side_tables import SideTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from moto.ec2.models.instances import Instance


FOLLOWED_ROUTES: SideTable[RouteTable, History[Mapping[str, Route]]] = SideTable()
"""The routes of a table that packets follow, by their ids."""

FOLLOWED_TABLES: SideTable[RouteBackend, dict[str, History[str | None]]] = SideTable(dict)
"""Which table the packets of a subnet follow."""

PROPAGATED = "propagated "
"""What the id of a route begins with that a gateway propagates: static ones win against it."""


def target_instance(route: Route) -> Instance | None:
    """Return the instance that a route leads to, directly or through its interface."""
    return route.instance or (route.interface.instance if route.interface else None)


def effective_table(subnet: str, now: float) -> RouteTable | None:
    """Return the table that a subnet's packets follow now, with the routes that they follow.

    A subnet that no table is associated with follows the VPC's main one ("Subnet route tables", VPC
    user guide). None where that leads nowhere.
    """
    ec2 = ec2_backends[ACCOUNT][REGION]
    written = (id_ for id_, row in ec2.route_tables.items() if subnet in _subnets(row))
    followed_id = value_of(FOLLOWED_TABLES[ec2], subnet, now, next(written, None))
    table = ec2.route_tables.get(followed_id or "") or _main_table(ec2, subnet)
    if table is None:
        return None
    followed = copy.copy(table)
    routes = value_of(FOLLOWED_ROUTES, table, now, table._routes)
    static_first = sorted(routes, key=lambda id_: id_.startswith(PROPAGATED))
    followed._routes = {id_: routes[id_] for id_ in static_first}
    return followed


def _main_table(ec2: Any, subnet: str) -> RouteTable | None:
    """Return the main table of a subnet's VPC, unless it leads nowhere."""
    vpc = next((row.vpc_id for row in ec2.describe_subnets() if row.id == subnet), None)
    tables = (row for row in ec2.route_tables.values() if row.vpc_id == vpc)
    return next(
        (
            row
            for row in tables
            if row.main_association_id and any(not route.local for route in row._routes.values())
        ),
        None,
    )


def _subnets(table: RouteTable) -> list[str]:
    return list(table._associations.values())


class RoutesTurnBlackhole(Behaviour):
    """A route is blackhole once its target instance is stopped or terminated or its interface gone.

    Not yet while the instance is stopping or shutting down. moto's routes are always active.
    """

    source = "EC2 API reference, Route.State; VPC user guide, 'Route tables'"

    def install(self, patches: Patches) -> None:
        """Compute the state from the target."""
        patches.replace(Route, "state", property(self._state))

    @staticmethod
    def _state(route: Route) -> str:
        instance, interface = target_instance(route), route.interface
        gone = interface is not None and (
            instance is None or interface.id not in interface.ec2_backend.enis
        )
        dead = instance is not None and instance.state in ("stopped", "terminated")
        return "blackhole" if gone or dead else "active"


class RoutesNameBothTargets(Behaviour):
    """A route to an instance names instance and interface, whichever of them it was created with.

    The instance id vanishes some time after the instance was terminated. moto names only what the
    route was created with, and for ever.
    """

    source = "EC2 API reference, Route; github.com/bobtfish/AWSnycast/issues/21"

    def install(self, patches: Patches) -> None:
        """Derive each id from the other."""
        patches.replace(Route, "instance_id", property(self._instance_id))
        patches.replace(Route, "network_interface_id", property(self._interface_id))

    @staticmethod
    def _instance_id(route: Route) -> str | None:
        instance = target_instance(route)
        if instance is None or FORGOTTEN[instance]:
            return None
        return instance.id

    @staticmethod
    def _interface_id(route: Route) -> str | None:
        if route.interface:
            return route.interface.id
        return route.instance.nics[0].id if route.instance and route.instance.nics else None


class CreateRouteNeverReplaces(Behaviour):
    """CreateRoute for a destination that has a route is refused with RouteAlreadyExists.

    moto refuses it too, but not when the target is a network interface: it overwrites the route.
    """

    source = "EC2 API reference, error codes"

    def install(self, patches: Patches) -> None:
        """Look before moto writes."""
        self._create = RouteBackend.create_route
        patches.method(RouteBackend, "create_route", self._create_route)

    def _create_route(
        self,
        ec2: RouteBackend,
        route_table_id: str,
        destination_cidr_block: str | None,
        *args: Any,
        **target: Any,
    ) -> Route:
        if destination_cidr_block and target.get("interface_id"):
            routes = ec2.get_route_table(route_table_id)._routes
            if generate_route_id(route_table_id, destination_cidr_block) in routes:
                raise RouteAlreadyExistsError(destination_cidr_block)
        return self._create(ec2, route_table_id, destination_cidr_block, *args, **target)


class DryRunsChangeNothing(Behaviour):
    """CreateRoute and DeleteRoute with DryRun change nothing and answer DryRunOperation.

    moto's calls that concern instances do that too; those that concern routes write.
    """

    source = "EC2 API reference, DryRun"

    def install(self, patches: Patches) -> None:
        """Ask before moto writes."""
        for name in ("create_route", "delete_route"):
            write = getattr(RouteTables, name)
            patches.method(RouteTables, name, partial(self._unless_dry, write))

    @staticmethod
    def _unless_dry(write: Callable[[RouteTables], Any], response: RouteTables) -> Any:
        response.error_on_dryrun()
        return write(response)
