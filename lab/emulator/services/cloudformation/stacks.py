"""How stacks are asked to be created, updated and deleted."""
# ruff: noqa: SLF001, ANN401 - moto gives no other access to its state, and types little of it

from __future__ import annotations

import threading
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

from moto.cloudformation.exceptions import CloudFormationError, ValidationError
from moto.cloudformation.models import ChangeSet, Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import EmptyResult

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.cloudformation.change_set_creation import (
    ON_STACK_FAILURE,
    is_changed,
    refuse_unless_updatable,
)
from lab.emulator.services.cloudformation.change_sets import find
from lab.emulator.services.cloudformation.ledger import made
from lab.emulator.services.cloudformation.operation import OnFailure, Operation, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from moto.cloudformation.models import CloudFormationBackend

_HOLD = 20.0  # seconds on the wall that a request waits for the operation which it started
_on_failure = ContextVar("on_failure", default=OnFailure.ROLLBACK)
"""What the request that is being answered says of a failure."""


class StacksFail(Behaviour):
    """A stack operation works in dependency order and fails with its first failing resource.

    An update touches only what differs, changes in place what the type's schema lets it, and
    replaces the rest: the new one is created first, the old one deleted when all else is done. A
    group with a rolling update policy replaces its instances batch by batch. A failed creation is
    rolled back by deleting what it created, a failed update by going back to the former template,
    unless the request disables that. Deletion goes on with what nothing depends on, and ends
    DELETE_FAILED when something could not be deleted; then a deletion may retain what is named,
    or all that cannot be deleted. Each step takes its time. The operation goes
    on when the request that started it has returned; here the request waits a while first, which
    spares the caller the polling. moto ignores DependsOn in change sets, reports success whatever
    happens, skips what it cannot create or delete, deletes and creates again what it is to update,
    and creates a failed resource again when it is described.
    """

    source = (
        "CloudFormation user guide, 'Stack failure options', 'DependsOn attribute', 'Update"
        " behaviors of stack resources' and 'UpdatePolicy attribute'; API reference, DeleteStack"
    )

    def install(self, patches: Patches) -> None:
        """Replace moto's operations on stacks."""
        api = CloudFormationResponse
        patches.method(api, "execute_change_set", self._execute_change_set)
        for name in ("create_stack", "update_stack"):
            patches.method(api, name, _with_failure_option(vars(api)[name]))
        patches.method(api, "delete_stack", self._delete_stack)
        patches.method(Stack, "create_resources", self._create)
        patches.method(Stack, "update", self._update)
        patches.replace(Stack, "stack_resources", property(made))

    def _execute_change_set(self, response: CloudFormationResponse) -> EmptyResult:
        name = response._get_param("ChangeSetName")
        backend = response.cloudformation_backend
        change_set = find(backend, name, response._get_param("StackName"))
        if change_set.execution_status != "AVAILABLE":
            message = f"ChangeSet [{name}] cannot be executed in its current status"
            raise InvalidChangeSetStatusError(message)
        change_set.execution_status = "EXECUTE_COMPLETE"
        _forget_others(backend, change_set)
        asked = ON_STACK_FAILURE[change_set] or OnFailure.ROLLBACK.value
        if response._get_param("DisableRollback"):
            asked = OnFailure.DO_NOTHING.value
        wanted = Wanted(change_set.template, change_set.parameters)
        self._deploy(change_set.stack, change_set.change_set_type, wanted, OnFailure(asked))
        return EmptyResult()

    def _create(self, stack: Stack) -> None:
        wanted = Wanted(stack.template, stack.parameters)
        self._deploy(stack, "CREATE", wanted, _on_failure.get())

    def _update(
        self,
        stack: Stack,
        template: str,
        role_arn: str | None = None,
        parameters: Mapping[str, str] | None = None,
        tags: dict[str, str] | None = None,
    ) -> None:
        refuse_unless_updatable(stack)
        wanted = Wanted(template, parameters or {})
        if tags not in (None, stack.tags) or not is_changed(stack, wanted):
            message = "No updates are to be performed."
            raise ValidationError(stack.name, message)
        stack.role_arn = role_arn
        self._deploy(stack, "UPDATE", wanted, _on_failure.get())

    def _delete_stack(self, response: CloudFormationResponse) -> EmptyResult:
        """Delete a stack; what is to be retained is named only after a deletion has failed."""
        named = response._get_param("StackName")
        retained = frozenset(response._get_param("RetainResources") or ())
        forced = response._get_param("DeletionMode") == "FORCE_DELETE_STACK"
        for stack in list(response.cloudformation_backend.stacks.values()):
            if named not in (stack.name, stack.stack_id):
                continue
            if (retained or forced) and stack.status != "DELETE_FAILED":
                message = f"Invalid operation on stack [{stack.stack_id}]: not in DELETE_FAILED"
                raise ValidationError(stack.name, message)
            operation = Operation(self._aws, stack)
            self._start(partial(operation.delete, retained, forced=forced))
        return EmptyResult()

    def _deploy(self, stack: Stack, kind: str, wanted: Wanted, on_failure: OnFailure) -> None:
        stack.disable_rollback = on_failure is not OnFailure.ROLLBACK
        operation = Operation(self._aws, stack, on_failure)
        run = operation.create if kind == "CREATE" else operation.update
        self._start(lambda: run(wanted))

    def _start(self, operation: Callable[[], None]) -> None:
        over = threading.Event()

        def work() -> None:
            try:
                operation()
            finally:
                over.set()

        self._aws.clock.act(work, drives=True)
        over.wait(_HOLD)


def _forget_others(backend: CloudFormationBackend, executed: ChangeSet) -> None:
    """Delete the other change sets of a stack: they are not valid any more."""
    for id_, row in list(backend.change_sets.items()):
        if row is not executed and row.stack_id == executed.stack_id:
            del backend.change_sets[id_]


def _with_failure_option(answer: Callable[..., Any]) -> Callable[..., Any]:
    """Let a request be answered knowing what it says of a failure."""

    def answer_knowing(response: CloudFormationResponse) -> Any:
        asked = response._get_param("OnFailure") or OnFailure.ROLLBACK.value
        if response._get_param("DisableRollback"):
            asked = OnFailure.DO_NOTHING.value
        token = _on_failure.set(OnFailure(asked))
        try:
            return answer(response)
        finally:
            _on_failure.reset(token)

    return answer_knowing


class InvalidChangeSetStatusError(CloudFormationError):
    """A change set is in no status in which it could be executed."""

    code = "InvalidChangeSetStatus"
