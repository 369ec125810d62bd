"""How a change set is created: for which stack, with which template and values, and for what."""
# ruff: noqa: SLF001, ANN401 - moto gives no other access to a request, and types little

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import ChangeSet, Stack
from moto.cloudformation.utils import generate_changeset_id, generate_stack_id
from moto.core.responses import ActionResult

from lab.emulator.services.cloudformation.operation import Wanted
from lab.emulator.services.cloudformation.preview import Preview
from lab.emulator.services.cloudformation.steps import reason
from lab.emulator.side_tables import Attribute

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moto.cloudformation.responses import CloudFormationResponse

CHANGES: Attribute[ChangeSet, list[dict[str, Any]]] = Attribute("changes", [])
"""What a change set would do, in the form of the API: moto's own are not."""

ON_STACK_FAILURE: Attribute[ChangeSet, str | None] = Attribute("on_stack_failure", None)
"""What is to be done when the execution fails, if the request says it."""

_NOTHING = (
    "The submitted information didn't contain changes. Submit different information to create a"
    " change set."
)
_UPDATABLE = (
    "CREATE_COMPLETE",
    "CREATE_FAILED",
    "UPDATE_COMPLETE",
    "UPDATE_FAILED",
    "UPDATE_ROLLBACK_COMPLETE",
)


def create(response: CloudFormationResponse) -> ActionResult:
    """Answer a CreateChangeSet."""
    get, backend = response._get_param, response.cloudformation_backend
    kind, name = get("ChangeSetType") or "UPDATE", get("ChangeSetName")
    stack = _new_stack(response) if kind == "CREATE" else _updatable(response)
    wanted = Wanted(_template(response, stack), _values(get("Parameters", []), stack.parameters))
    change_set = ChangeSet(
        change_set_type=kind,
        change_set_id=generate_changeset_id(name, backend.region_name, backend.account_id),
        change_set_name=name,
        stack=stack,
        template=wanted.template,
        parameters=dict(wanted.parameters),
        description=get("Description"),
        notification_arns=get("NotificationARNs", []),
        tags={row["Key"]: row["Value"] for row in get("Tags", [])},
        role_arn=get("RoleARN"),
    )
    ON_STACK_FAILURE[change_set] = get("OnStackFailure")
    _look_ahead(change_set, wanted)
    backend.change_sets[change_set.change_set_id] = change_set
    return ActionResult({"Id": change_set.change_set_id, "StackId": stack.stack_id})


def _look_ahead(change_set: ChangeSet, wanted: Wanted) -> None:
    """Fill in what the change set would do, and whether it can be executed."""
    stack, why = change_set.stack, ""
    try:
        rows = Preview(stack, change_set.template_dict, wanted.parameters).changes()
        CHANGES[change_set] = rows
        if change_set.change_set_type == "UPDATE" and not (rows or is_changed(stack, wanted)):
            why = _NOTHING
        if change_set.change_set_type == "UPDATE" and change_set.tags != stack.tags:
            why = "the lab cannot change the tags of a stack"
    except Exception as error:  # noqa: BLE001 - whatever is wrong, the change set says it
        CHANGES[change_set], why = [], reason(error)
    change_set.status = "FAILED" if why else "CREATE_COMPLETE"
    change_set.execution_status = "UNAVAILABLE" if why else "AVAILABLE"
    change_set.status_reason = why or None


def is_changed(stack: Stack, wanted: Wanted) -> bool:
    """Return whether an update of a stack would change resources, outputs or a failed status."""
    template = Stack.parse_template(wanted.template)
    outputs = template.get("Outputs")
    if stack.status.endswith("_FAILED") or stack.template_dict.get("Outputs") != outputs:
        return True
    return bool(Preview(stack, template, wanted.parameters).changes())


def refuse_unless_updatable(stack: Stack) -> None:
    """Raise ValidationError if a stack cannot be updated as it is."""
    if stack.status not in _UPDATABLE:
        message = f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated."
        raise ValidationError(stack.stack_id, message)


def _new_stack(response: CloudFormationResponse) -> Stack:
    """Return a stack in review: one that was not created yet, or another one."""
    get, backend = response._get_param, response.cloudformation_backend
    name = get("StackName")
    for stack in backend.stacks.values():
        if stack.name == name and stack.status == "REVIEW_IN_PROGRESS":
            return stack
        if stack.name == name:
            message = f"Stack [{name}] already exists and cannot be created again"
            raise ValidationError(name, message)
    stack = Stack(  # type: ignore[abstract]  # moto makes its stacks just so
        stack_id=generate_stack_id(name, backend.region_name, backend.account_id),
        name=name,
        template={},
        parameters={},
        account_id=backend.account_id,
        region_name=backend.region_name,
        notification_arns=get("NotificationARNs", []),
        tags={row["Key"]: row["Value"] for row in get("Tags", [])},
        role_arn=get("RoleARN"),
    )
    stack.status = "REVIEW_IN_PROGRESS"
    stack._add_stack_event("REVIEW_IN_PROGRESS", resource_status_reason="User Initiated")
    backend.stacks[stack.stack_id] = stack
    return stack


def _updatable(response: CloudFormationResponse) -> Stack:
    stack: Stack = response.cloudformation_backend.get_stack(response._get_param("StackName"))
    refuse_unless_updatable(stack)
    return stack


def _template(response: CloudFormationResponse, stack: Stack) -> Any:
    get = response._get_param
    if get("UsePreviousTemplate"):
        return stack.template
    url = get("TemplateURL")
    return response._get_stack_from_s3_url(url) if url else get("TemplateBody")


def _values(given: list[dict[str, Any]], previous: Mapping[str, str]) -> dict[str, str]:
    values = {}
    for row in given:
        key = row["ParameterKey"]
        if row.get("UsePreviousValue") and key not in previous:
            message = f"Invalid input for parameter key {key}: it has no previous value"
            raise ValidationError(key, message)
        values[key] = previous[key] if row.get("UsePreviousValue") else row["ParameterValue"]
    return values
