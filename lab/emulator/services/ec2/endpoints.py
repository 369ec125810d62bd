"""Gateway endpoints, and the routes that they keep in route tables."""
# ruff: noqa: ANN401 - moto types little of its state

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.vpcs import VPCBackend

from lab.emulator.behaviour import Behaviour, Patches

if TYPE_CHECKING:
    from moto.ec2.models.vpcs import VPCEndPoint


class EndpointsKeepTheirRoutes(Behaviour):
    """A gateway endpoint has a route in each of its tables, and in no other.

    A table that is added to it gets the route, one that is taken away loses it, and the endpoint is
    deleted although a table of its own is gone. moto writes and removes no routes when the tables
    change, and so fails to delete an endpoint that was given another table.
    """

    source = "VPC user guide, 'Gateway endpoints': routing"

    def install(self, patches: Patches) -> None:
        """Let routes come and go with the tables."""
        self._moto_modify = VPCBackend.modify_vpc_endpoint
        self._moto_delete = VPCBackend.delete_vpc_endpoints
        patches.method(VPCBackend, "modify_vpc_endpoint", self._modify)
        patches.method(VPCBackend, "delete_vpc_endpoints", self._delete)

    def _modify(self, ec2: Any, vpc_id: str, *given: Any, **named: Any) -> None:
        endpoint = ec2.describe_vpc_endpoints(vpc_end_point_ids=[vpc_id])[0]
        before = set(endpoint.route_table_ids or [])
        self._moto_modify(ec2, vpc_id, *given, **named)
        after = set(endpoint.route_table_ids or [])
        for table in sorted(after - before):
            _add(ec2, endpoint, table)
        for table in sorted(before - after):
            _remove(ec2, endpoint, table)

    def _delete(self, ec2: Any, vpce_ids: list[str] | None = None) -> None:
        for id_ in vpce_ids or []:
            if endpoint := ec2.vpc_end_points.get(id_):
                for table in endpoint.route_table_ids or []:
                    _remove(ec2, endpoint, table)
                endpoint.route_table_ids = []
        self._moto_delete(ec2, vpce_ids)


def _add(ec2: Any, endpoint: VPCEndPoint, table: str) -> None:
    if endpoint.destination_prefix_list_id:
        ec2.create_route(
            table,
            None,
            gateway_id=endpoint.id,
            destination_prefix_list_id=endpoint.destination_prefix_list_id,
        )


def _remove(ec2: Any, endpoint: VPCEndPoint, table: str) -> None:
    with suppress(EC2ClientError):  # the table is gone, and its routes with it
        ec2.delete_route(table, endpoint.destination_prefix_list_id)
