"""Routes that a virtual private gateway propagates into a table."""
# ruff: noqa: SLF001, ANN401 - moto gives no other access to its state, and types little of it

from __future__ import annotations

from typing import Any

from moto.core.responses import EmptyResult
from moto.ec2.models.route_tables import Route, RouteBackend
from moto.ec2.responses.route_tables import RouteTables

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.ec2.routes import PROPAGATED

_DEFAULT = "0.0.0.0/0"


class GatewaysPropagateRoutes(Behaviour):
    """EnableVgwRoutePropagation adds a propagated route beside a static one of its destination.

    Both are shown, and packets follow the static one. Which destinations the other side of the
    gateway announces is not played: here it announces 0.0.0.0/0. In what order the two are shown
    is not documented: the propagated one comes first here. moto lacks the call, and keeps one route
    for each destination.
    """

    source = (
        "VPC user guide, 'Route priority and propagated routes'; EC2 API reference, Route.Origin"
    )

    def install(self, patches: Patches) -> None:
        """Add the call, and what tells such a route from others."""
        patches.method(RouteBackend, "propagate_route", _propagate)
        patches.method(RouteTables, "enable_vgw_route_propagation", self._enable)
        self._origin = vars(Route)["origin"].fget
        patches.replace(Route, "origin", property(self._shown_origin))

    @staticmethod
    def _enable(response: RouteTables) -> EmptyResult:
        table, gateway = response._get_param("RouteTableId"), response._get_param("GatewayId")
        ec2: Any = response.ec2_backend
        ec2.propagate_route(table, gateway)
        return EmptyResult()

    def _shown_origin(self, route: Route) -> str:
        if route.id.startswith(PROPAGATED):
            return "EnableVgwRoutePropagation"
        return str(self._origin(route))


def _propagate(ec2: Any, route_table_id: str, gateway_id: str) -> None:
    table = ec2.get_route_table(route_table_id)
    make: Any = Route  # moto's own type for CloudFormation, which it leaves abstract
    route = make(table, _DEFAULT, None, gateway=ec2.get_vpn_gateway(gateway_id))
    route.id = f"{PROPAGATED}{route.id}"
    table._routes = {route.id: route, **table._routes}
