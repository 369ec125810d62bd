"""Which table a subnet is associated with."""
# ruff: noqa: SLF001 - moto gives no other access to a table's associations

from __future__ import annotations

from typing import Any

from moto.ec2.models.route_tables import RouteBackend
from moto.ec2.models.subnets import SubnetBackend

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.ec2.dependencies import UsedIsNotDeleted
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
            if subnet_id and other and subnet_id in table._associations.values():
                message = (
                    f"the specified association for route table {route_table_id} conflicts with an"
                    " existing association"
                )
                refuse("Resource.AlreadyAssociated", message)
        return self._moto_associate(ec2, route_table_id, gateway_id, subnet_id)


class SubnetsTakeTheirAssociations(Behaviour):
    """A subnet that is deleted is in no route table any more, so that its table can be deleted.

    moto goes on showing the association, and refuses to delete the table for it.
    """

    source = (
        "EC2 API reference, DeleteSubnet, which asks for no disassociation, and DeleteRouteTable, "
        "which refuses a table that is associated with a subnet"
    )
    after = (UsedIsNotDeleted,)

    def install(self, patches: Patches) -> None:
        """Take the associations away after moto has deleted."""
        self._delete = SubnetBackend.delete_subnet
        patches.method(SubnetBackend, "delete_subnet", self._delete_with_associations)

    def _delete_with_associations(self, ec2: Any, subnet_id: str) -> Any:  # noqa: ANN401 - moto's
        deleted = self._delete(ec2, subnet_id)
        for table in ec2.route_tables.values():
            for id_ in [id_ for id_, subnet in table._associations.items() if subnet == subnet_id]:
                del table._associations[id_]
        return deleted
