"""The AWS behaviours that moto lacks and that these tests need; the only place that changes moto.

Each function's docstring is the fact of AWS that it restores.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from moto.autoscaling.models import AutoScalingBackend
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.exceptions import RouteAlreadyExistsError
from moto.ec2.models.instances import Instance
from moto.ec2.models.route_tables import Route, RouteBackend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moto.ec2.models.elastic_network_interfaces import NetworkInterface

_create_route = RouteBackend.create_route


def _carrier(route: Route) -> Instance | None:
    """Return the instance that a route leads to, by its id or through its interface."""
    return route.instance or (route.interface.instance if route.interface else None)


def _state(route: Route) -> str:
    """Show a route as blackhole while its instance is stopped or terminated (VPC user guide)."""
    carrier = _carrier(route)
    dead = carrier is not None and carrier.state in {"stopped", "terminated"}
    return "blackhole" if dead else "active"


def _instance_id(route: Route) -> str | None:
    """Name the instance beside the interface that a route targets (EC2 API, data type Route).

    After the instance's termination the name vanishes from the route.
    """
    carrier = _carrier(route)
    return carrier.id if carrier and carrier.state != "terminated" else None


def _interfaces(instance: Instance) -> list[NetworkInterface]:
    """Describe a terminated instance without interfaces: they went with it (EC2 user guide)."""
    return [] if instance.state == "terminated" else list(instance.nics.values())


def _refuse_second_route(backend: RouteBackend, *arguments: Any, **options: Any) -> Route:  # noqa: ANN401 - moto's signature
    """Refuse to create a route whose destination has one (EC2 API, CreateRoute)."""
    table, destination = backend.get_route_table(arguments[0]), arguments[1]
    taken = {route.destination_cidr_block for route in table.routes if not route.local}
    if destination and destination in taken:
        raise RouteAlreadyExistsError(destination)
    return _create_route(backend, *arguments, **options)


def _notice_later(backend: AutoScalingBackend, instance_ids: list[str]) -> None:
    """Leave an instance in its group that was killed from outside.

    The group notices at its next health check (EC2 Auto Scaling user guide).
    """
    del backend, instance_ids


def _complete_lifecycle_action(responses: AutoScalingResponse) -> ActionResult:
    """Take CompleteLifecycleAction, which answers with nothing (EC2 Auto Scaling API)."""
    del responses
    return EmptyResult()


@contextmanager
def filled() -> Iterator[None]:
    """Make moto behave like AWS in these respects for a while."""
    with ExitStack() as patches:
        for owner, name, behaviour in (
            (Instance, "network_interfaces", property(_interfaces)),
            (Route, "state", property(_state)),
            (Route, "instance_id", property(_instance_id)),
            (RouteBackend, "create_route", _refuse_second_route),
            (AutoScalingBackend, "notify_terminate_instances", _notice_later),
            (AutoScalingResponse, "complete_lifecycle_action", _complete_lifecycle_action),
        ):
            patches.enter_context(patch.object(owner, name, behaviour, create=True))
        yield
