"""What something was, for those who learn of each change later than it was made."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

_Owner_contra = TypeVar("_Owner_contra", contravariant=True)
_Value = TypeVar("_Value")


class History(Generic[_Value]):
    """Values of one thing, each from a moment on; none overtakes the one written before it."""

    def __init__(self, first: _Value) -> None:
        self._values = [(0.0, first)]

    def write(self, moment: float, value: _Value) -> None:
        """Let a value count from a moment on, or from that of the value before it if later."""
        self._values.append((max(moment, self._values[-1][0]), value))

    def at(self, now: float) -> _Value:
        """Return the value that counts now; what is older is forgotten."""
        counting = sum(moment <= now for moment, _ in self._values)
        del self._values[: max(counting - 1, 0)]
        return self._values[0][1]


class Histories(Protocol[_Owner_contra, _Value]):
    """The histories of one fact, by what it is a fact of."""

    def __contains__(self, owner: object, /) -> bool: ...

    def __getitem__(self, owner: _Owner_contra, /) -> History[_Value]: ...

    def __setitem__(self, owner: _Owner_contra, history: History[_Value], /) -> None: ...


def history_of(
    histories: Histories[_Owner_contra, _Value], owner: _Owner_contra, first: _Value
) -> History[_Value]:
    """Return the history of an owner; a new one if it has none."""
    if owner not in histories:
        histories[owner] = History(first)
    return histories[owner]


def value_of(
    histories: Histories[_Owner_contra, _Value], owner: _Owner_contra, now: float, otherwise: _Value
) -> _Value:
    """Return what counts now by the history of an owner, if it has one."""
    return histories[owner].at(now) if owner in histories else otherwise
