"""What an operation does to one resource: make it, change it in place, replace it, remove it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from moto.cloudformation.models import Event
from moto.cloudformation.parsing import resource_name_property_from_type

from lab.emulator.behaviour import HalfMadeError
from lab.emulator.journal import Who
from lab.emulator.services.cloudformation.custom import CustomResource
from lab.emulator.services.cloudformation.deletion import delete
from lab.emulator.services.cloudformation.durations import duration
from lab.emulator.services.cloudformation.in_place import update
from lab.emulator.services.cloudformation.in_place.update import Update
from lab.emulator.services.cloudformation.ledger import Applied, leave, ledger, resolved, stand
from lab.emulator.services.cloudformation.schemas import schema
from lab.emulator.services.cloudformation.signals import begin, creating

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from moto.cloudformation.models import Stack

    from lab.emulator.behaviour import Emulation


class ResourceFailedError(Exception):
    """A resource could not be created, updated or deleted; the message says which and why."""


class Steps:
    """The steps of one operation.

    What was replaced is in `superseded`: it still exists. Where nothing is to be rolled back
    (`replaces` is False), nothing is replaced.
    """

    def __init__(self, aws: Emulation, stack: Stack, *, replaces: bool = True) -> None:
        self.superseded: list[tuple[str, Applied]] = []
        self._aws = aws
        self._stack = stack
        self._map: Any = stack.resource_map  # moto's own code takes it for a plain mapping too
        self._replaces = replaces

    def apply(self, name: str, body: Mapping[str, Any]) -> None:
        """Let a resource be as the template says; nothing happens if it is already."""
        there = ledger(self._stack).get(name)
        if there is None:
            self._step(name, body["Type"], "CREATE", lambda: self._make(name, body))
            return
        wanted = Applied(there.resource, body, resolved(body, self._map))
        if wanted.properties == there.properties:
            stand(self._stack, name, wanted)
        else:
            self._step(name, there.kind, "UPDATE", lambda: self._change(name, there, wanted))

    def remove(self, name: str, applied: Applied, policy: str = "DeletionPolicy") -> None:
        """Delete a resource, unless its policy says to retain it."""
        if str(applied.body.get(policy, "Delete")).startswith("Retain"):
            self.retain(name, applied)
        else:
            self._step(name, applied.kind, "DELETE", lambda: delete(self._aws, applied), applied)

    def retain(self, name: str, applied: Applied) -> None:
        """Leave a resource alone that leaves the stack."""
        self._event(name, applied.kind, "DELETE_SKIPPED", applied.physical_id)

    def restore_replaced(self) -> None:
        """Let what was replaced stand again, and supersede what replaced it.

        A custom resource is rolled back by itself: its function is asked for another update.
        """
        replaced, self.superseded = self.superseded, []
        for name, applied in replaced:
            if isinstance(applied.resource, CustomResource):
                continue
            if there := ledger(self._stack).get(name):
                self.superseded.append((name, there))
            stand(self._stack, name, applied)

    def _make(self, name: str, body: Mapping[str, Any]) -> None:
        properties = resolved(body, self._map)
        try:
            with creating(self._stack, name, body):
                resource = self._map[name]
        except HalfMadeError as error:
            stand(self._stack, name, Applied(error.resource, body, properties))
            raise error.reason from error
        stand(self._stack, name, Applied(resource, body, properties))

    def _change(self, name: str, there: Applied, wanted: Applied) -> None:
        if schema(there.kind).recreates(there.properties, wanted.properties):
            self._replace(name, there, wanted)
            return
        stand(self._stack, name, wanted)  # also if it fails: a rollback changes it back
        try:
            resource = update(self._update(name, there, wanted))
        except NotImplementedError:  # nothing was changed
            stand(self._stack, name, there)
            raise
        stand(self._stack, name, replace(wanted, resource=resource))
        if (
            resource is not there.resource
            and ledger(self._stack)[name].physical_id != there.physical_id
        ):
            self.superseded.append((name, there))

    def _update(self, name: str, there: Applied, wanted: Applied) -> Update:
        def say(what: str) -> None:
            self._event(name, there.kind, "UPDATE_IN_PROGRESS", there.physical_id, what)

        return Update(
            aws=self._aws,
            there=there,
            wanted=wanted,
            say=say,
            signals=lambda: begin(self._stack, name),
        )

    def _replace(self, name: str, there: Applied, wanted: Applied) -> None:
        self._refuse_to_replace(there, wanted)
        said = (
            "Requested update requires the creation of a new physical resource; hence creating one."
        )
        self._event(name, there.kind, "UPDATE_IN_PROGRESS", there.physical_id, said)
        if schema(there.kind).deletes_first:
            delete(self._aws, there)
        else:
            self.superseded.append((name, there))
        leave(self._stack, name)
        self._make(name, wanted.body)

    def _refuse_to_replace(self, there: Applied, wanted: Applied) -> None:
        message = ""
        if isinstance(there.resource, CustomResource):
            message = "Modifying service token is not allowed."
        elif not self._replaces:
            message = "Replacement type updates not supported on stack with disable-rollback."
        elif _keeps_its_name(there, wanted):
            message = (
                "CloudFormation cannot update a stack when a custom-named resource requires"
                f" replacing. Rename {there.physical_id} and update the stack again."
            )
        if message:
            raise ValueError(message)

    def _step(
        self, name: str, kind: str, verb: str, action: Callable[[], None], on: Applied | None = None
    ) -> None:
        def physical_id() -> str:
            there = on or ledger(self._stack).get(name)
            return there.physical_id if there else ""

        self._event(name, kind, f"{verb}_IN_PROGRESS", physical_id())
        try:
            action()
        except Exception as error:
            self._event(name, kind, f"{verb}_FAILED", physical_id(), reason(error))
            message = f"{name} ({kind}): {reason(error)}"
            raise ResourceFailedError(message) from error
        self._take_time(kind, verb)
        self._event(name, kind, f"{verb}_COMPLETE", physical_id())

    def _take_time(self, kind: str, verb: str) -> None:
        """Let time pass; by the clock on the wall, the lab's own work takes its time."""
        delay = duration(kind, verb)
        if delay and self._aws.clock.virtual:
            self._aws.clock.wait(delay)

    def _event(
        self, name: str, kind: str, status: str, physical_id: str, why: str | None = None
    ) -> None:
        self._stack.events.append(
            Event(
                stack_id=self._stack.stack_id,
                stack_name=self._stack.name,
                logical_resource_id=name,
                physical_resource_id=physical_id,
                resource_type=kind,
                resource_status=status,
                resource_status_reason=why,
                resource_properties=None,
            )
        )
        what = f"{name} ({kind}) is {status}" + (f": {why}" if why else "")
        self._aws.journal.note(Who.CLOUDFORMATION, "resource", what, status=status, type=kind)


def _keeps_its_name(there: Applied, wanted: Applied) -> bool:
    """Return whether the template gives a resource its name, and the same as before."""
    name = resource_name_property_from_type(there.kind) or ""
    given = wanted.properties.get(name)
    return (given is not None and given == there.properties.get(name)) or schema(
        there.kind
    ).keeps_its_name(there.properties, wanted.properties)


def reason(error: BaseException) -> str:
    """Return what an exception of moto or of the lab says."""
    said = getattr(error, "message", None) or getattr(error, "description", None) or str(error)
    return str(said) if not isinstance(error, KeyError) else f"property {error} is missing"
