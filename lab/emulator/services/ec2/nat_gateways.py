"""NAT gateways: how long they take to come and go, and what becomes of routes that lead to them."""
# ruff: noqa: ANN401 - moto types little of its state

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from moto.ec2.models.nat_gateways import NatGateway, NatGatewayBackend
from moto.ec2.models.route_tables import Route, RouteBackend

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.journal import Who
from lab.emulator.services.ec2.eventual_consistency.tables import WritesTakeEffectLate
from lab.emulator.services.ec2.refusals import refuse
from lab.emulator.services.ec2.routes import RoutesTurnBlackhole
from lab.emulator.time import delays

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.emulator.behaviour import Emulation

NAT_GATEWAY = "nat gateway"
"""The kind of the journal's entry that says that a NAT gateway entered a state."""


class NatGatewaysTakeTime(Behaviour):
    """A NAT gateway is pending before it is available, and deleting before it is deleted.

    With its end its Elastic IP and its place in the subnet are free. It is described as deleted for
    an hour. moto's are available at once and deleted at once, keep address and interface, and are
    described for ever.
    """

    source = (
        "EC2 API reference, NatGateway and DeleteNatGateway; VPC user guide, 'Work with NAT"
        " gateways': visible for about an hour"
    )

    def install(self, patches: Patches) -> None:
        """Put the second half of each change on the timeline."""
        self._create = NatGatewayBackend.create_nat_gateway
        patches.method(NatGatewayBackend, "create_nat_gateway", self._begin)
        patches.method(NatGatewayBackend, "delete_nat_gateway", self._end)

    def _begin(self, ec2: Any, *given: Any, **named: Any) -> NatGateway:
        gateway: NatGateway = self._create(ec2, *given, **named)
        _enter(self._aws, gateway, "pending")
        self._aws.clock.after(delays.NAT_GATEWAY_CREATION, lambda: self._is_there(gateway))
        return gateway

    def _is_there(self, gateway: NatGateway) -> None:
        if gateway.state == "pending":
            _enter(self._aws, gateway, "available")

    def _end(self, ec2: Any, nat_gateway_id: str) -> NatGateway:
        gateway: NatGateway | None = ec2.nat_gateways.get(nat_gateway_id)
        if gateway is None:
            refuse("NatGatewayNotFound", f"NAT gateway {nat_gateway_id} was not found")
        if gateway.state not in ("deleting", "deleted"):
            _enter(self._aws, gateway, "deleting")
            self._aws.clock.after(delays.NAT_GATEWAY_DELETION, lambda: self._is_gone(gateway))
        return gateway

    def _is_gone(self, gateway: NatGateway) -> None:
        ec2 = gateway.ec2_backend
        for row in gateway.address_set:
            if association := row.get("associationId"):
                ec2.disassociate_address(association_id=association)
            ec2.enis.pop(row["networkInterfaceId"], None)
        _enter(self._aws, gateway, "deleted")
        self._aws.clock.after(
            delays.NAT_GATEWAY_VANISHES, lambda: ec2.nat_gateways.pop(gateway.id, None)
        )


def _enter(aws: Emulation, gateway: NatGateway, state: str) -> None:
    gateway.state = state
    aws.journal.note(
        Who.EC2, NAT_GATEWAY, f"{gateway.id} is {state}", gateway=gateway.id, state=state
    )


class RoutesLeadToNatGateways(Behaviour):
    """A route to a NAT gateway that is deleted stays, as a blackhole.

    AWS leaves open from which moment of the deletion on, and whether one may be written to a
    gateway that is deleted and still described. Here it is a blackhole as late as may be, from the
    end of the deletion, and may be written. One to a gateway that EC2 does not know is refused
    (InvalidNatGatewayID.NotFound). moto's are active for ever, and lead nowhere if there is none.
    """

    source = (
        "EC2 API reference, DeleteNatGateway and 'Error codes'; VPC user guide, 'Work with NAT"
        " gateways': routes remain in a blackhole status"
    )
    after = (RoutesTurnBlackhole, WritesTakeEffectLate)

    def install(self, patches: Patches) -> None:
        """Look before moto writes, and derive the state from the gateway too."""
        former: Callable[[Route], str] = vars(Route)["state"].fget
        patches.replace(Route, "state", property(partial(_state, former)))
        for name in ("create_route", "replace_route"):
            patches.method(RouteBackend, name, partial(_write, getattr(RouteBackend, name)))


def _state(former: Callable[[Route], str], route: Route) -> str:
    gateway = route.nat_gateway
    return "blackhole" if gateway and gateway.state == "deleted" else former(route)


def _write(write: Callable[..., Any], ec2: Any, *given: Any, **named: Any) -> Any:
    for value in (*given, *named.values()):  # moto names it in one call, and not in the other
        if str(value).startswith("nat-") and value not in ec2.nat_gateways:
            message = f"The natGateway ID '{value}' does not exist"
            refuse("InvalidNatGatewayID.NotFound", message)
    return write(ec2, *given, **named)


class StacksWaitForNatGateways(Behaviour):
    """CloudFormation waits until a NAT gateway is available, and in the end until it is deleted.

    One that is gone already counts as deleted. moto waits for neither, and deletes none.
    """

    source = (
        "CloudFormation's resource schema of AWS::EC2::NatGateway, whose handlers poll"
        " DescribeNatGateways; resource type handler contract"
    )
    after = (NatGatewaysTakeTime,)

    def install(self, patches: Patches) -> None:
        """Wait after creation, and add what deletes them."""
        patches.creation(NatGateway, after=lambda gateway, _: self._wait(gateway, "pending"))
        patches.method(NatGateway, "delete", self._delete)

    def _wait(self, gateway: NatGateway, state: str) -> None:
        limit = delays.NAT_GATEWAY_CREATION.high + delays.NAT_GATEWAY_DELETION.high
        self._aws.clock.wait_until(lambda: gateway.state != state, limit)

    def _delete(self, gateway: NatGateway, *_: str) -> None:
        if gateway.id in gateway.ec2_backend.nat_gateways:
            gateway.ec2_backend.delete_nat_gateway(gateway.id)
            self._wait(gateway, "deleting")
