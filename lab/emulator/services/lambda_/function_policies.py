"""Lambda: functions' own policies, which say who may invoke them."""

from __future__ import annotations

import string
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.awslambda.exceptions import UnknownPolicyException
from moto.awslambda.models import Permission

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.lambda_.functions import find
from lab.emulator.side_tables import SideTable

if TYPE_CHECKING:
    from lab.emulator.behaviour import Emulation


@dataclass(frozen=True, slots=True)
class _Statement:
    """A statement of a function's policy, by the name or the ARN of the function and its id."""

    function: str
    sid: str


_STATEMENTS: SideTable[Permission, _Statement] = SideTable()
"""The statement that a permission of a stack has made."""


def may_invoke(aws: Emulation, name_or_arn: str, service: str, source_arn: str) -> bool:
    """Return whether the function's resource policy lets a service invoke it for this source."""
    function = find(aws, name_or_arn)
    return function is not None and any(
        _permits(row, service, source_arn) for row in function.policy.statements
    )


def _permits(statement: dict[str, Any], service: str, source_arn: str) -> bool:
    principal = statement.get("Principal", {})
    condition = statement.get("Condition", {})
    wanted = condition.get("ArnLike", {}).get("AWS:SourceArn", source_arn)
    return bool(principal.get("Service") == service and wanted == source_arn)


def _sid(permission: Permission) -> str:
    return _STATEMENTS[permission].sid


class DeletesPermissions(Behaviour):
    """Deleting a permission removes its statement from the function's policy.

    moto keeps the statement, and gives the permission no id.
    """

    source = "CloudFormation template reference, AWS::Lambda::Permission"

    def install(self, patches: Patches) -> None:
        """Remember the statement with the permission."""
        patches.creation(Permission, after=self._name)
        patches.replace(Permission, "physical_resource_id", property(_sid))
        patches.method(Permission, "delete", self._delete)

    def _name(self, permission: Permission, properties: dict[str, Any]) -> None:
        function = find(self._aws, properties["FunctionName"])
        sid = self._aws.clock.chance.text(string.ascii_letters, 12, "statement of a policy")
        _STATEMENTS[permission] = _Statement(properties["FunctionName"], sid)
        if function:
            function.policy.statements[-1]["Sid"] = sid

    def _delete(self, permission: Permission, *_: str) -> None:
        statement = _STATEMENTS[permission]
        function = find(self._aws, statement.function)
        if function:
            with suppress(UnknownPolicyException):
                function.policy.del_statement(statement.sid)
