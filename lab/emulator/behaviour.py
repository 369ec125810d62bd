"""What a restored AWS behaviour is, and how it gets into moto and out of it again.

Each behaviour changes moto in its `install`, only through `Patches`, so that the whole emulation
can be taken back, and so that a test can leave one behaviour out and see what moto does alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, MutableMapping
    from contextlib import ExitStack

    from lab.emulator.iam.permissions import Permissions
    from lab.emulator.journal import Journal
    from lab.emulator.lambda_runtime.calls import Calls
    from lab.emulator.lambda_runtime.service import Functions
    from lab.emulator.readings import Readings
    from lab.emulator.services.messaging.delivery import Delivery
    from lab.emulator.throttling import Throttling
    from lab.emulator.time.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulation:
    """What behaviours share: one account in one region, its time, its journal, its functions.

    `delivery`, `throttling` and `permissions` are for faults to trouble; `readings` says how what
    AWS leaves open is played.
    `client` returns a boto3 client of the region, for what AWS itself does through an API.
    """

    account: str
    region: str
    clock: Clock
    journal: Journal
    functions: Functions
    calls: Calls
    delivery: Delivery
    throttling: Throttling
    permissions: Permissions
    readings: Readings
    client: Callable[[str], Any]
    closing: ExitStack


class Behaviour(ABC):
    """An AWS behaviour that moto lacks: the docstring is the fact, `source` says who states it.

    `after` names those that are installed before it. Of behaviours that change the same thing of
    moto, each wraps what it finds there, so that the one that is installed last is asked first.
    """

    source: ClassVar[str]
    after: ClassVar[tuple[type[Behaviour], ...]] = ()

    def __init__(self, aws: Emulation) -> None:
        self._aws = aws

    @abstractmethod
    def install(self, patches: Patches) -> None:
        """Teach moto this behaviour."""


def in_order(behaviours: Iterable[type[Behaviour]]) -> tuple[type[Behaviour], ...]:
    """Return behaviours in an order in which they can be installed, and otherwise as they stand.

    Raises:
        CycleError: some are each to be installed after the other.

    """
    place = {behaviour: number for number, behaviour in enumerate(behaviours)}
    sorter = TopologicalSorter(_predecessors(place))
    sorter.prepare()
    ready: list[type[Behaviour]] = []
    ordered = []
    while sorter.is_active():
        ready.extend(sorter.get_ready())
        first = min(ready, key=lambda row: place.get(row, -1))
        ready.remove(first)
        sorter.done(first)
        ordered.append(first)
    return tuple(row for row in ordered if row in place)


def _predecessors(
    behaviours: Iterable[type[Behaviour]],
) -> dict[type[Behaviour], tuple[type[Behaviour], ...]]:
    """Return what each is installed after: also of those that only stand between two others."""
    known: dict[type[Behaviour], tuple[type[Behaviour], ...]] = {}
    left = list(behaviours)
    while left:
        behaviour = left.pop()
        if behaviour not in known:
            known[behaviour] = behaviour.after
            left.extend(behaviour.after)
    return known


class HalfMadeError(Exception):
    """A resource of a stack exists, but is not as it should be; `reason` is what went wrong."""

    def __init__(self, resource: object, reason: Exception) -> None:
        super().__init__(str(reason))
        self.resource = resource
        self.reason = reason


class Patches:
    """Changes made to moto, which `undo` takes back in reverse order."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def replace(self, owner: Any, name: str, new: object) -> None:  # noqa: ANN401 - class or module
        """Set an attribute of a class or module of moto."""
        if name in vars(owner):
            old = vars(owner)[name]
            self._undo.append(lambda: setattr(owner, name, old))
        else:
            self._undo.append(lambda: delattr(owner, name))
        setattr(owner, name, new)

    def method(self, owner: type, name: str, new: Callable[..., Any]) -> None:
        """Let a callable stand in for a method: it gets the object as its first argument."""

        def method(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passed on
            return new(*args, **kwargs)

        self.replace(owner, name, method)

    def creation(
        self,
        owner: type[Any],
        *,
        before: Callable[[dict[str, Any]], None] | None = None,
        after: Callable[[Any, dict[str, Any]], None] | None = None,
    ) -> None:
        """Do more when CloudFormation creates a resource; the callables get its properties."""
        create = owner.create_from_cloudformation_json.__func__

        def create_and_more(
            cls: type,
            /,
            resource_name: str,
            cloudformation_json: dict[str, Any],
            *where: str,
            **facts: Any,  # noqa: ANN401 - passed on
        ) -> Any:  # noqa: ANN401 - whatever moto creates
            if before:
                before(cloudformation_json["Properties"])
            resource = create(cls, resource_name, cloudformation_json, *where, **facts)
            if after:
                try:
                    after(resource, cloudformation_json["Properties"])
                except Exception as error:
                    raise HalfMadeError(resource, error) from error
            return resource

        self.replace(owner, "create_from_cloudformation_json", classmethod(create_and_more))

    def put(self, mapping: MutableMapping[str, Any], key: str, value: object) -> None:
        """Set an entry of one of moto's registries."""
        if key in mapping:
            old = mapping[key]
            self._undo.append(lambda: mapping.__setitem__(key, old))
        else:
            self._undo.append(lambda: mapping.pop(key, None))
        mapping[key] = value

    def undo(self) -> None:
        """Take every change back."""
        while self._undo:
            self._undo.pop()()
