"""What a route may lead to, and when an instance stands for its network interface."""

# ruff: noqa: ANN401 - moto types little of its state

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from moto.ec2.models import EC2Backend
from moto.ec2.models.route_tables import RouteBackend

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.ec2.eventual_consistency.instances import InstancesAreDescribedLate
from lab.emulator.services.ec2.refusals import refuse
from lab.emulator.services.ec2.routes import CreateRouteNeverReplaces

if TYPE_CHECKING:
    from collections.abc import Callable

_WRITES = ("create_route", "replace_route")


class RoutesStayInTheirVpc(Behaviour):
    """A route to an instance or interface of another VPC is refused (InvalidParameterValue).

    moto writes it.
    """

    source = "EC2's error in github.com/saltstack/salt/issues/38791"
    after = (CreateRouteNeverReplaces,)

    def install(self, patches: Patches) -> None:
        """Compare the networks before moto writes."""
        for name in _WRITES:
            write = getattr(RouteBackend, name)
            patches.method(RouteBackend, name, partial(self._write, write))

    @staticmethod
    def _write(
        write: Callable[..., Any],
        ec2: Any,
        route_table_id: str,
        *given: Any,
        **named: Any,
    ) -> Any:
        interface = _interface(ec2, named.get("interface_id"), named.get("instance_id"))
        if interface and interface.subnet.vpc_id != ec2.get_route_table(route_table_id).vpc_id:
            message = (
                f"route table {route_table_id} and interface"
                f" {interface.id.replace('eni', 'interface')} belong to different networks"
            )
            refuse("InvalidParameterValue", message)
        return write(ec2, route_table_id, *given, **named)


class SeveralInterfacesAreNamed(Behaviour):
    """An instance with several interfaces does not stand for one of them (InvalidInstanceID).

    So ModifyInstanceAttribute refuses to set its source/destination check, and CreateRoute and
    ReplaceRoute refuse to lead to it: the interface must be named. moto takes the first one.
    """

    source = (
        "EC2's error in github.com/hashicorp/terraform/issues/3205 and"
        " github.com/hashicorp/terraform-provider-aws/issues/684"
    )
    after = (InstancesAreDescribedLate, RoutesStayInTheirVpc)

    def install(self, patches: Patches) -> None:
        """Count the interfaces before moto writes."""
        self._moto_modify = EC2Backend.modify_instance_attribute
        patches.method(EC2Backend, "modify_instance_attribute", self._modify)
        for name in _WRITES:
            write = getattr(RouteBackend, name)
            patches.method(RouteBackend, name, partial(self._write, write))

    def _modify(self, ec2: Any, instance_id: str, key: str, value: object) -> Any:
        if key == "source_dest_check":
            _refuse_several(ec2, instance_id)
        return self._moto_modify(ec2, instance_id, key, value)

    @staticmethod
    def _write(write: Callable[..., Any], ec2: Any, *given: Any, **named: Any) -> Any:
        if (instance := named.get("instance_id")) and not named.get("interface_id"):
            _refuse_several(ec2, instance)
        return write(ec2, *given, **named)


def _refuse_several(ec2: Any, instance_id: str) -> None:
    if len(ec2.get_instance(instance_id).nics) > 1:
        message = (
            f"There are multiple interfaces attached to instance '{instance_id}'. Please specify an"
            " interface ID for the operation instead."
        )
        refuse("InvalidInstanceID", message)


def _interface(ec2: Any, interface_id: str | None, instance_id: str | None) -> Any:
    """Return the interface that a route is to lead to, if it is to lead to one."""
    if interface_id:
        return ec2.enis.get(interface_id)
    instance = ec2.get_instance_by_id(instance_id) if instance_id else None
    return instance.nics.get(0) if instance else None
