"""Values that AWS refuses although no schema says so: calls, and resources of stacks."""
# ruff: noqa: SLF001 - moto gives no other access to a request, nor the lab to a step of a stack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse

from aws_constraints.table import breaches
from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.cloudformation.ledger import resolved
from lab.emulator.services.cloudformation.steps import Steps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_constraints.table import Breach
    from lab.emulator.services.cloudformation.ledger import Applied


class _Refused(ServiceException):
    """AWS's answer to a call; a class of moto's would be looked up in a service's model."""


class RefusedValueError(Exception):
    """A value of a resource's properties breaks a documented constraint; the message is AWS's."""


class ValuesAreConstrained(Behaviour):
    """A call or a resource with a value that breaks a documented constraint is refused.

    The table of constraints says which, with AWS's error and the source of each. moto takes an
    apostrophe in the description of a rule, a subject with a line break, a heartbeat of 5 seconds.
    """

    source = "the row of aws_constraints.table that a value breaks names its own"

    def install(self, patches: Patches) -> None:
        """Look at the values before moto, or a step of a stack, uses them."""
        self._call = BaseResponse.call_action
        self._make = Steps._make
        self._change = Steps._change
        patches.method(BaseResponse, "call_action", self._answer)
        patches.method(Steps, "_make", self._make_allowed)
        patches.method(Steps, "_change", self._change_allowed)

    def _answer(self, response: BaseResponse) -> Any:  # noqa: ANN401 - what moto's server takes
        """Answer a call, with AWS's error where a parameter breaks a row."""
        broken = _of_call(response)
        if not broken:
            return self._call(response)
        error = _Refused(broken[0].row.code, broken[0].says)
        return response.serialized(ActionResult(error))

    def _make_allowed(self, steps: Steps, name: str, body: Mapping[str, Any]) -> None:
        _insist(body["Type"], resolved(body, steps._map))
        self._make(steps, name, body)

    def _change_allowed(self, steps: Steps, name: str, there: Applied, wanted: Applied) -> None:
        _insist(there.kind, wanted.properties)
        self._change(steps, name, there, wanted)


def _of_call(response: BaseResponse) -> list[Breach]:
    """Return what breaks a row in a request, as far as moto has parsed it by the API's model."""
    parameters: object = getattr(response, "params", None)
    if not isinstance(parameters, dict):
        return []
    return breaches(f"{response.boto3_service_name}.{response._get_action()}", parameters)


def _insist(kind: str, properties: Mapping[str, Any]) -> None:
    if broken := breaches(kind, properties):
        raise RefusedValueError(broken[0].says)
