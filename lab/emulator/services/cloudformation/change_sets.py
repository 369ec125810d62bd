"""Change sets: what they say of a deployment before it is executed."""
# ruff: noqa: SLF001 - moto gives no other access to a request

from __future__ import annotations

import copy
from typing import Any

from moto.cloudformation.exceptions import CloudFormationError
from moto.cloudformation.models import ChangeSet, CloudFormationBackend, Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult, EmptyResult

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.cloudformation.change_set_creation import CHANGES, create
from lab.emulator.services.cloudformation.listing import without_values


class ChangeSetNotFoundError(CloudFormationError):
    """A change set does not exist."""

    code = "ChangeSetNotFound"


class ChangeSetsSayWhatChanges(Behaviour):
    """A change set lists what it would add, modify, replace and remove, and why.

    One that would change nothing fails. A parameter can keep its previous value. What does not
    exist is not found. moto compares templates without their values, lists no details, takes the
    resolved value of a parameter for its previous one, knows a change set by its name whichever
    stack it belongs to, and says of an unknown one that the stack does not exist.
    """

    source = "CloudFormation API reference, CreateChangeSet and DescribeChangeSet"

    def install(self, patches: Patches) -> None:
        """Replace moto's change sets as far as they are asked for."""
        api = CloudFormationResponse
        patches.method(api, "create_change_set", create)
        patches.method(api, "describe_change_set", _describe)
        patches.replace(Stack, "parameter_list", property(_parameters))


class ChangeSetsMayBeGone(Behaviour):
    """Deleting a change set that does not exist succeeds, as long as its stack exists.

    The CDK leans on it before each change set. moto crashes on a name that it does not know.
    """

    source = "github.com/aws/aws-cdk-cli, cleanupOldChangeset"

    def install(self, patches: Patches) -> None:
        """Delete only what exists."""
        patches.method(CloudFormationResponse, "delete_change_set", _delete)


def find(backend: CloudFormationBackend, name: str, stack_name: str | None) -> ChangeSet:
    """Return a change set by its id, or by its name and its stack.

    Raises:
        ChangeSetNotFoundError: there is none.

    """
    for change_set in backend.change_sets.values():
        same_stack = stack_name in (None, change_set.stack_name, change_set.stack_id)
        if change_set.change_set_id == name or (change_set.change_set_name == name and same_stack):
            return change_set
    message = f"ChangeSet [{name}] does not exist"
    raise ChangeSetNotFoundError(message)


def _describe(response: CloudFormationResponse) -> ActionResult:
    get = response._get_param
    found = find(response.cloudformation_backend, get("ChangeSetName"), get("StackName"))
    shown = copy.copy(found)
    if not get("IncludePropertyValues"):
        CHANGES[shown] = [without_values(row) for row in CHANGES[found]]
    return ActionResult(shown)


def _delete(response: CloudFormationResponse) -> EmptyResult:
    backend, get = response.cloudformation_backend, response._get_param
    if get("StackName"):
        backend.get_stack(get("StackName"))
    try:
        found = find(backend, get("ChangeSetName"), get("StackName"))
    except ChangeSetNotFoundError:
        return EmptyResult()
    del backend.change_sets[found.change_set_id]
    return EmptyResult()


def _parameters(stack: Stack) -> list[dict[str, Any]]:
    """Return a stack's parameters: the value that each was given, and what was found under it."""
    resolved = stack.resource_map.resolved_parameters
    return [
        {
            "ParameterKey": key,
            "ParameterValue": value,
            **({"ResolvedValue": resolved[key]} if _is_looked_up(stack, key) else {}),
        }
        for key, value in stack.parameters.items()
    ]


def _is_looked_up(stack: Stack, key: str) -> bool:
    kind = str(stack.template_dict["Parameters"][key]["Type"])
    return kind.startswith("AWS::SSM::Parameter::Value")
