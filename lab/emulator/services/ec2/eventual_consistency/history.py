"""What something was, for those who learn of each change later than it was made."""

from __future__ import annotations

from typing import Generic, TypeVar

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


def history_of(owner: object, what: str, first: _Value) -> History[_Value]:
    """Return the history that an object of moto carries; a new one if it has none."""
    history: History[_Value] = vars(owner).setdefault(what, History(first))
    return history


def value_of(owner: object, what: str, now: float, otherwise: _Value) -> _Value:
    """Return what counts now by the history of an object of moto, if it has one."""
    history: History[_Value] | None = vars(owner).get(what)
    return history.at(now) if history else otherwise
