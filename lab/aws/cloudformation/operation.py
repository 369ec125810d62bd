"""One operation on one stack: what is done to which resource, in which order, and how it ends."""
# ruff: noqa: SLF001, ANN401 - moto gives no other access to its state, and types little of it

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from moto.cloudformation.models import Event, Stack, cloudformation_backends
from moto.cloudformation.parsing import OutputMap, clean_json, parse_and_update_resource

from lab.aws.cloudformation.order import creation_order
from lab.journal import Who

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lab.aws.behaviour import Emulation


def made(stack: Stack) -> list[Any]:
    """Return the resources that a stack has now; asking moto's map would create what is missing."""
    known, created = stack.resource_map._resource_json_map, stack.resource_map._parsed_resources
    return [created[name] for name in known if name in created]


class ResourceFailedError(Exception):
    """A resource could not be created, updated or deleted; the message says which and why."""


class Operation:
    """One operation on one stack.

    An update that fails stays as it is, UPDATE_FAILED, as AWS does with rollback disabled.
    """

    def __init__(self, aws: Emulation, stack: Stack) -> None:
        self._aws = aws
        self._stack = stack
        self._map: Any = stack.resource_map  # moto's own code takes it for a plain mapping too

    def deploy(self, kind: str, template: Any, parameters: dict[str, Any]) -> None:
        """Bring the stack to a template; `kind` is CREATE or UPDATE."""
        before = dict(self._bodies)
        self._report(f"{kind}_IN_PROGRESS")
        try:
            self._load(template, parameters)
            for name in creation_order(self._bodies):
                self._create_or_update(name, before.get(name))
            self._delete(name for name in creation_order(before) if name not in self._bodies)
            outputs = OutputMap(self._map, self._stack.template_dict, self._stack.stack_id)
            self._stack.output_map = outputs
        except Exception as error:  # noqa: BLE001 - whatever fails, fails the stack
            self._fail(kind, reason(error))
        else:
            self._report(f"{kind}_COMPLETE")

    def delete(self) -> None:
        """Delete every resource, the last created first."""
        self._report("DELETE_IN_PROGRESS")
        try:
            self._delete(creation_order(self._bodies))
        except ResourceFailedError as error:
            self._report("DELETE_FAILED", reason(error))
            return
        self._report("DELETE_COMPLETE")
        backend = cloudformation_backends[self._aws.account][self._aws.region]
        backend.deleted_stacks[self._stack.stack_id] = self._stack
        backend.stacks.pop(self._stack.stack_id, None)

    @property
    def _bodies(self) -> dict[str, dict[str, Any]]:
        bodies: dict[str, dict[str, Any]] = self._map._resource_json_map
        return bodies

    @property
    def _made(self) -> dict[str, Any]:
        made: dict[str, Any] = self._map._parsed_resources
        return made

    def _body(self, name: str) -> dict[str, Any]:
        """Return a resource's body; one that left the template has only a type."""
        return self._bodies.get(name) or {"Type": self._made[name].cf_resource_type}

    def _load(self, template: Any, parameters: dict[str, Any]) -> None:
        stack, resources = self._stack, self._map
        stack.template, stack.parameters = template, parameters
        stack._parse_template()
        stack.description = stack.template_dict.get("Description")
        resources._template = stack.template_dict
        resources._resource_json_map = stack.template_dict["Resources"]
        resources.input_parameters = parameters
        resources.tags = {
            **stack.tags,
            "aws:cloudformation:stack-name": stack.name,
            "aws:cloudformation:stack-id": stack.stack_id,
        }
        resources.load_mapping()
        resources.load_parameters()
        resources.load_conditions()

    def _create_or_update(self, name: str, before: Mapping[str, Any] | None) -> None:
        body = self._bodies[name]
        condition = body.get("Condition")
        if condition and not self._map.lazy_condition_map[condition]:
            return
        if name not in self._made:
            self._step(name, "CREATE", lambda: self._map[name])
        elif before != body:
            self._step(name, "UPDATE", lambda: self._update(name, body))

    def _update(self, name: str, body: dict[str, Any]) -> None:
        resource: Any = parse_and_update_resource(
            name, body, self._map, self._aws.account, self._aws.region
        )
        if resource is None:
            message = f"the lab cannot update a resource of type {body['Type']}"
            raise NotImplementedError(message)
        self._made[name] = resource

    def _delete(self, created: Iterable[str]) -> None:
        for name in reversed(list(created)):
            if name not in self._made:
                continue
            body = self._body(name)
            if str(body.get("DeletionPolicy", "Delete")).startswith("Retain"):
                self._event(name, body["Type"], "DELETE_SKIPPED")
            else:
                self._step(name, "DELETE", partial(self._unmake, name, body))
            del self._made[name]

    def _unmake(self, name: str, body: dict[str, Any]) -> None:
        resource = self._made[name]
        if callable(getattr(resource, "delete", None)):
            resource.delete(self._aws.account, self._aws.region)
            return
        delete = type(resource).delete_from_cloudformation_json
        if hasattr(delete, "__isabstractmethod__"):
            message = f"the lab cannot delete a resource of type {body['Type']}"
            raise NotImplementedError(message)
        known = clean_json({"Properties": {}, **body}, self._map)
        delete(resource.physical_resource_id, known, self._aws.account, self._aws.region)

    def _step(self, name: str, verb: str, action: Callable[[], object]) -> None:
        kind = self._body(name)["Type"]
        self._event(name, kind, f"{verb}_IN_PROGRESS")
        try:
            action()
        except Exception as error:
            self._event(name, kind, f"{verb}_FAILED", reason(error))
            message = f"{name} ({kind}): {reason(error)}"
            raise ResourceFailedError(message) from error
        self._event(name, kind, f"{verb}_COMPLETE")

    def _fail(self, kind: str, why: str) -> None:
        if kind == "UPDATE":
            self._report("UPDATE_FAILED", why)
            return
        self._report("ROLLBACK_IN_PROGRESS", why)
        try:
            self._delete(creation_order(self._bodies))
        except ResourceFailedError as error:
            self._report("ROLLBACK_FAILED", reason(error))
        else:
            self._report("ROLLBACK_COMPLETE", why)

    def _report(self, status: str, why: str | None = None) -> None:
        self._stack._add_stack_event(status, resource_status_reason=why)
        vars(self._stack)["stack_status_reason"] = why
        self._stack.status = status
        what = f"stack {self._stack.name} is {status}" + (f": {why}" if why else "")
        self._aws.journal.note(Who.CLOUDFORMATION, "stack", what, status=status, why=why or "")

    def _event(self, name: str, kind: str, status: str, why: str | None = None) -> None:
        made = self._made.get(name)
        self._stack.events.append(
            Event(
                stack_id=self._stack.stack_id,
                stack_name=self._stack.name,
                logical_resource_id=name,
                physical_resource_id=str(getattr(made, "physical_resource_id", "") or ""),
                resource_type=kind,
                resource_status=status,
                resource_status_reason=why,
                resource_properties=None,
            )
        )
        what = f"{name} ({kind}) is {status}" + (f": {why}" if why else "")
        self._aws.journal.note(Who.CLOUDFORMATION, "resource", what, status=status, type=kind)


def reason(error: BaseException) -> str:
    """Return what an exception of moto or of the lab says."""
    said = getattr(error, "message", None) or getattr(error, "description", None) or str(error)
    return str(said) if not isinstance(error, KeyError) else f"property {error} is missing"
