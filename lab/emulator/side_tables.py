"""What the lab knows of moto's objects and their types do not, each fact declared once.

A fact that only the lab reads stands in a table beside the objects; one that moto's answers show is
an attribute of theirs. Both are read and written as `FACT[owner]`, so that mypy knows owner, value
and spelling.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Owner = TypeVar("_Owner")
_Value = TypeVar("_Value")


class SideTable(Generic[_Owner, _Value]):
    """One fact of each object of a kind, which ends with the object or with the region.

    Objects are told apart by identity: some of moto's are equal to others, or have no hash. A copy
    of an object has none of its facts. `first` makes the value of an object that has none yet;
    without it, reading one is a KeyError.
    """

    _all: ClassVar[list[SideTable[Any, Any]]] = []

    def __init__(self, first: Callable[[], _Value] | None = None) -> None:
        self._first = first
        self._facts: dict[int, tuple[weakref.ref[Any], _Value]] = {}
        self._all.append(self)

    def __getitem__(self, owner: _Owner) -> _Value:
        if owner not in self and self._first:
            self[owner] = self._first()
        return self._facts[id(owner)][1]

    def __setitem__(self, owner: _Owner, value: _Value) -> None:
        key, facts = id(owner), self._facts
        facts[key] = weakref.ref(owner, lambda _: facts.pop(key, None)), value

    def __contains__(self, owner: object) -> bool:
        return id(owner) in self._facts

    @classmethod
    def forget(cls) -> None:
        """Empty all tables: a value that leads to its owner would keep both for ever."""
        for table in cls._all:
            table._facts.clear()  # noqa: SLF001 - its own class's


class Attribute(Generic[_Owner, _Value]):
    """An attribute of moto's objects of a kind, by its name, which their type does not have.

    `otherwise` is the value of an object without it.
    """

    def __init__(self, name: str, otherwise: _Value) -> None:
        self._name, self._otherwise = name, otherwise

    def __getitem__(self, owner: _Owner) -> _Value:
        value: _Value = vars(owner).get(self._name, self._otherwise)
        return value

    def __setitem__(self, owner: _Owner, value: _Value) -> None:
        vars(owner)[self._name] = value
