"""How stacks are asked to be created, updated and deleted."""
# ruff: noqa: ANN401 - moto types little of its state

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import ChangeSet, CloudFormationBackend, Stack

from lab.aws.behaviour import Behaviour, Patches
from lab.aws.cloudformation.operation import Operation, made

if TYPE_CHECKING:
    from collections.abc import Callable

_HOLD = 20.0  # seconds on the wall that a request waits for the operation which it started


class StacksFail(Behaviour):
    """A stack operation works in dependency order and fails with its first failing resource.

    A failed creation is rolled back: what it created is deleted again. Deletion runs in the reverse
    order and stops, DELETE_FAILED, at what AWS refuses to delete. The operation goes on when the
    request that started it has returned; here the request waits a while first, which spares the
    caller the polling. moto ignores DependsOn in change sets, reports success whatever happens,
    skips what it cannot create or delete, and creates a failed resource again when it is described.
    """

    source = "CloudFormation user guide, 'Stack failure options' and 'DependsOn attribute'"

    def install(self, patches: Patches) -> None:
        """Replace moto's operations on stacks."""
        patches.method(CloudFormationBackend, "execute_change_set", self._execute_change_set)
        patches.method(CloudFormationBackend, "delete_stack", self._delete_stack)
        patches.method(Stack, "create_resources", self._create_resources)
        patches.method(Stack, "update", self._update)
        patches.replace(Stack, "stack_resources", property(made))

    def _execute_change_set(
        self, backend: CloudFormationBackend, change_set_name: str, stack_name: str | None = None
    ) -> None:
        change_set = _find(backend, change_set_name, stack_name)
        if change_set.execution_status != "AVAILABLE":
            message = f"ChangeSet [{change_set_name}] cannot be executed in its current status"
            raise ValidationError(change_set_name, message)
        change_set.execution_status = "EXECUTE_COMPLETE"
        self._deploy(
            change_set.stack,
            change_set.change_set_type,
            change_set.template,
            change_set.parameters,
        )

    def _create_resources(self, stack: Stack) -> None:
        self._deploy(stack, "CREATE", stack.template, stack.parameters)

    def _update(
        self,
        stack: Stack,
        template: str,
        role_arn: str | None = None,
        parameters: dict[str, Any] | None = None,
        tags: dict[str, str] | None = None,
    ) -> None:
        stack.role_arn = role_arn
        stack.tags = stack.tags if tags is None else tags
        self._deploy(stack, "UPDATE", template, parameters or stack.parameters)

    def _delete_stack(self, backend: CloudFormationBackend, name_or_stack_id: str) -> None:
        for stack in list(backend.stacks.values()):
            if name_or_stack_id in (stack.name, stack.stack_id):
                self._start(Operation(self._aws, stack).delete)

    def _deploy(self, stack: Stack, kind: str, template: object, parameters: Any) -> None:
        operation = Operation(self._aws, stack)
        self._start(lambda: operation.deploy(kind, template, parameters))

    def _start(self, operation: Callable[[], None]) -> None:
        over = threading.Event()

        def work() -> None:
            try:
                operation()
            finally:
                over.set()

        self._aws.clock.act(work, drives=True)
        over.wait(_HOLD)


class ChangeSetsMayBeGone(Behaviour):
    """Deleting a change set that does not exist succeeds, as long as its stack exists.

    The CDK leans on it before each change set. moto crashes on a name that it does not know.
    """

    source = "github.com/aws/aws-cdk-cli, cleanupOldChangeset"

    def install(self, patches: Patches) -> None:
        """Delete only what exists."""
        self._delete = CloudFormationBackend.delete_change_set
        patches.method(CloudFormationBackend, "delete_change_set", self._delete_if_there)

    def _delete_if_there(self, backend: CloudFormationBackend, change_set_name: str) -> None:
        known = {row.change_set_name for row in backend.change_sets.values()}
        if change_set_name in known | backend.change_sets.keys():
            self._delete(backend, change_set_name)


def _find(backend: CloudFormationBackend, name: str, stack_name: str | None) -> ChangeSet:
    for change_set in backend.change_sets.values():
        same_stack = stack_name in (None, change_set.stack_name, change_set.stack_id)
        if change_set.change_set_id == name or (change_set.change_set_name == name and same_stack):
            return change_set
    raise ValidationError(name, f"ChangeSet [{name}] does not exist")
