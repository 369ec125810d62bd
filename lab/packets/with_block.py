"""Things that are built when a `with` block begins and taken down when it ends.

A forked process that leaves the block, by an inherited signal handler for instance, takes nothing
down: what was built is its parent's.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


class WithBlock(ABC):
    """Takes down what it has built, in reverse, at the end of the block or when building fails."""

    def __init__(self) -> None:
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        self._owner = os.getpid()
        self._closing = ExitStack()
        try:
            self._begin(self._closing)
        except BaseException:
            self._take_down()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._take_down()

    def _take_down(self) -> None:
        if os.getpid() == self._owner:
            self._closing.close()

    @abstractmethod
    def _begin(self, stack: ExitStack) -> None:
        """Build; what is to be taken down goes on the stack as soon as it is there."""
