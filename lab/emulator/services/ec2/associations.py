"""Which table a subnet is associated with."""

from __future__ import annotations

from typing import Any

from moto.ec2.models.route_tables import RouteBackend

from lab.aws.behaviour import Behaviour, Patches
from lab.emulator.services.ec2.refusals import refuse


class SubnetsHaveOneTable(Behaviour):
    """AssociateRouteTable refuses a subnet that is associated with another table.

    With Resource.AlreadyAssociated; the same association again is answered with its id. moto
    answers with the id of the other table's association, and changes nothing.
    """

    source = (
        "EC2 API reference, AssociateRouteTable; EC2's error in github.com/hashicorp/"
        "terraform-provider-aws/issues/38960"
    )

    def install(self, patches: Patches) -> None:
        """Look for another table before moto writes."""
        self._moto_associate = RouteBackend.associate_route_table
        patches.method(RouteBackend, "associate_route_table", self._associate)

    def _associate(
        self,
        ec2: RouteBackend,
        route_table_id: str,
        gateway_id: str | None = None,
        subnet_id: str | None = None,
    ) -> Any:  # noqa: ANN401 - moto's
        for table in list(ec2.route_tables.values()):
            other = table.id != route_table_id
            if subnet_id and other and subnet_id in table._associations.values():  # noqa: SLF001 - moto gives no other access
                message = (
                    f"the specified association for route table {route_table_id} conflicts with an"
                    " existing association"
                )
                refuse("Resource.AlreadyAssociated", message)
        return self._moto_associate(ec2, route_table_id, gateway_id, subnet_id)
