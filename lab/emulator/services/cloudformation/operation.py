"""One operation on one stack: in which order what is done to its resources, and how it ends."""
# ruff: noqa: SLF001 - moto gives no other access to its state

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from moto.cloudformation.models import Stack, cloudformation_backends
from moto.cloudformation.parsing import OutputMap

from lab.emulator.journal import Who
from lab.emulator.services.cloudformation.ledger import Applied, leave, ledger
from lab.emulator.services.cloudformation.order import creation_order, dependencies
from lab.emulator.services.cloudformation.steps import ResourceFailedError, Steps, reason
from lab.emulator.side_tables import Attribute

if TYPE_CHECKING:
    from lab.emulator.behaviour import Emulation

Resources = Mapping[str, Applied]

_STATUS_REASON: Attribute[Stack, str | None] = Attribute("stack_status_reason", None)

_LEFT = "Update successful. One or more resources could not be deleted."


class OnFailure(Enum):
    """What becomes of a stack whose operation fails (CloudFormation API reference, CreateStack)."""

    ROLLBACK = "ROLLBACK"
    DO_NOTHING = "DO_NOTHING"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A template as text, and the value of each parameter that it is given."""

    template: Any
    parameters: Mapping[str, str]


class Operation:
    """One operation on one stack, resource after resource."""

    def __init__(
        self, aws: Emulation, stack: Stack, on_failure: OnFailure = OnFailure.ROLLBACK
    ) -> None:
        self._aws = aws
        self._stack = stack
        self._on_failure = on_failure
        self._map: Any = stack.resource_map  # moto's own code takes it for a plain mapping too
        self._steps = Steps(aws, stack, replaces=on_failure is OnFailure.ROLLBACK)
        self._retained: frozenset[str] = frozenset()
        self._forced = False

    def create(self, wanted: Wanted) -> None:
        """Create the stack; one that fails is rolled back, which deletes what was created."""
        self._report("CREATE_IN_PROGRESS", "User Initiated")
        try:
            self._apply_template(wanted)
        except Exception as error:  # noqa: BLE001 - whatever fails, fails the stack
            self._roll_back_create(reason(error))
        else:
            self._report("CREATE_COMPLETE")

    def update(self, wanted: Wanted) -> None:
        """Update the stack; one that fails is rolled back, which updates it to what it was."""
        before = Wanted(self._stack.template, dict(self._stack.parameters))
        self._report("UPDATE_IN_PROGRESS", "User Initiated")
        try:
            self._apply_template(wanted)
        except Exception as error:  # noqa: BLE001 - whatever fails, fails the stack
            self._roll_back_update(before, reason(error))
        else:
            self._clean_up("UPDATE")

    def delete(self, retained: frozenset[str] = frozenset(), *, forced: bool = False) -> None:
        """Delete every resource, the last created first, except those that are to be retained.

        `forced` retains what cannot be deleted, too.
        """
        self._retained, self._forced = retained, forced
        self._report("DELETE_IN_PROGRESS", "User Initiated")
        if failed := self._remove_all():
            self._report("DELETE_FAILED", failed)
            return
        self._report("DELETE_COMPLETE")
        backend = cloudformation_backends[self._aws.account][self._aws.region]
        backend.deleted_stacks[self._stack.stack_id] = self._stack
        backend.stacks.pop(self._stack.stack_id, None)
        for id_, change_set in list(backend.change_sets.items()):
            if change_set.stack_id == self._stack.stack_id:
                del backend.change_sets[id_]

    def _roll_back_create(self, why: str) -> None:
        if self._on_failure is OnFailure.ROLLBACK:
            self._report("ROLLBACK_IN_PROGRESS", why)
            failed = self._remove_all()
            self._report("ROLLBACK_FAILED" if failed else "ROLLBACK_COMPLETE", failed or why)
            return
        self._report("CREATE_FAILED", why)
        if self._on_failure is OnFailure.DELETE:
            self.delete()

    def _roll_back_update(self, before: Wanted, why: str) -> None:
        if self._on_failure is not OnFailure.ROLLBACK:
            self._report("UPDATE_FAILED", why)
            return
        self._report("UPDATE_ROLLBACK_IN_PROGRESS", why)
        self._steps.restore_replaced()
        try:
            self._apply_template(before)
        except Exception as error:  # noqa: BLE001 - whatever fails, fails the stack
            self._report("UPDATE_ROLLBACK_FAILED", reason(error))
        else:
            self._clean_up("UPDATE_ROLLBACK")

    def _apply_template(self, wanted: Wanted) -> None:
        self._load(wanted)
        there = self._wanted_bodies()
        for name in creation_order(there):
            self._steps.apply(name, there[name])
        outputs = OutputMap(self._map, self._stack.template_dict, self._stack.stack_id)
        list(outputs.values())  # later a look at them would create what is missing
        self._stack.output_map = outputs

    def _clean_up(self, kind: str) -> None:
        """Delete what was replaced and what left the template; that this fails changes nothing."""
        self._report(f"{kind}_COMPLETE_CLEANUP_IN_PROGRESS")
        wanted = self._wanted_bodies()
        leaving = {name: row for name, row in ledger(self._stack).items() if name not in wanted}
        failed = self._remove(leaving, dict(self._steps.superseded))
        for name in leaving:
            leave(self._stack, name)
        self._report(f"{kind}_COMPLETE", _LEFT if failed else None)

    def _remove_all(self) -> str:
        """Delete all that the stack has; return what is to be said of what could not be."""
        failed = self._remove(dict(ledger(self._stack)), {})
        names = ", ".join(sorted(failed))
        return f"The following resource(s) failed to delete: [{names}]." if failed else ""

    def _remove(self, leaving: Resources, superseded: Resources) -> list[str]:
        """Delete in reverse order, but nothing that something depends on which could not be."""
        unwanted = {**leaving, **superseded}
        needs = dependencies({name: applied.body for name, applied in unwanted.items()})
        failed, needed = list[str](), set[str]()
        for name in reversed(creation_order({n: a.body for n, a in unwanted.items()})):
            policy = "UpdateReplacePolicy" if name in superseded else "DeletionPolicy"
            if name not in needed and self._removes(name, unwanted[name], policy):
                continue
            failed += [] if name in needed else [name]
            needed.update(needs[name])
        return failed

    def _removes(self, name: str, applied: Applied, policy: str) -> bool:
        try:
            if name in self._retained:
                self._steps.retain(name, applied)
            else:
                self._steps.remove(name, applied, policy)
        except ResourceFailedError:
            if not self._forced:
                return False
            self._steps.retain(name, applied)
        if ledger(self._stack).get(name) is applied:
            leave(self._stack, name)
        return True

    def _wanted_bodies(self) -> dict[str, dict[str, Any]]:
        """Return the template's resources without those whose condition does not hold."""
        holds = self._map.lazy_condition_map
        given: dict[str, dict[str, Any]] = self._map._resource_json_map
        return {
            name: body
            for name, body in given.items()
            if "Condition" not in body or holds[body["Condition"]]
        }

    def _load(self, wanted: Wanted) -> None:
        stack, resources = self._stack, self._map
        stack.template = wanted.template
        stack._parse_template()
        stack.parameters = given_or_default(stack.template_dict, wanted.parameters)
        stack.description = stack.template_dict.get("Description")
        resources._template = stack.template_dict
        resources._resource_json_map = stack.template_dict["Resources"]
        resources.input_parameters = stack.parameters
        resources.resolved_parameters = {}
        resources.tags = {
            **stack.tags,
            "aws:cloudformation:stack-name": stack.name,
            "aws:cloudformation:stack-id": stack.stack_id,
        }
        resources.load_mapping()
        resources.load_parameters()
        resources.load_conditions()

    def _report(self, status: str, why: str | None = None) -> None:
        self._stack._add_stack_event(status, resource_status_reason=why)
        _STATUS_REASON[self._stack] = why
        self._stack.status = status
        what = f"stack {self._stack.name} is {status}" + (f": {why}" if why else "")
        self._aws.journal.note(Who.CLOUDFORMATION, "stack", what, status=status, why=why or "")


def given_or_default(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """Return the value of each parameter of a template that has one."""
    known: Mapping[str, Mapping[str, Any]] = template.get("Parameters", {})
    defaults = {name: str(row["Default"]) for name, row in known.items() if "Default" in row}
    return {**defaults, **{name: value for name, value in given.items() if name in known}}
