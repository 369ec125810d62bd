"""Tables of a stack."""

from __future__ import annotations

from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table

from lab.emulator.behaviour import Behaviour, Patches


class TablesOfStacksExpireItems(Behaviour):
    """A table of a stack has the time to live that its template asks for.

    moto's CloudFormation leaves it out. That an item then goes (within days of its time, says AWS)
    is not played: readers must look at the time anyway.
    """

    source = (
        "CloudFormation template reference, AWS::DynamoDB::Table TimeToLiveSpecification; DynamoDB"
        " developer guide, 'Using time to live'"
    )

    def install(self, patches: Patches) -> None:
        """Set it when the table was created."""
        patches.creation(Table, after=self._set)

    def _set(self, table: Table, properties: dict[str, Any]) -> None:
        if wanted := properties.get("TimeToLiveSpecification"):
            enabled = str(wanted.get("Enabled")).lower() == "true"
            backend = dynamodb_backends[self._aws.account][self._aws.region]
            backend.update_time_to_live(table.name, {**wanted, "Enabled": enabled})
