"""Work that may take seconds, beside the loop that may not wait: a thread for each kind."""

from __future__ import annotations

import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

RETRY_S = 1.0


class Background:
    """Does one thing at a time, with the newest that it was given, and logs when it fails.

    What fails is tried again where it `insists`, unless something newer is there.
    """

    def __init__(
        self,
        work: Callable[[Any], Any],
        take: Callable[[Any, float], None] = lambda *_: None,
        *,
        insists: bool = False,
    ) -> None:
        """Begin to wait for something to do; `take` gets what came of it, None of what failed."""
        self._work, self._taken, self._insists = work, take, insists
        self._given: SimpleQueue[Any] = SimpleQueue()
        self._done: SimpleQueue[Any] = SimpleQueue()
        self._failed = ""
        threading.Thread(target=self._run, daemon=True).start()

    def give(self, value: Any = None) -> None:  # noqa: ANN401 - what the work takes
        """Have something done; what waits and is older is forgotten."""
        self._given.put(value)

    def take(self, now: float) -> None:
        """Let the loop have what is done."""
        while not self._done.empty():
            self._taken(self._done.get(), now)

    def _run(self) -> None:
        while True:
            value = self._given.get()
            while not self._given.empty():
                value = self._given.get()
            failed, result = "", None
            try:
                result = self._work(value)
            except Exception as error:  # noqa: BLE001 - no thread ends, whatever happens
                failed = repr(error)
            if failed != self._failed:
                self._failed = failed
                print(failed or "well again")  # noqa: T201 - the journal takes it
            self._done.put(result)
            if failed and self._insists:
                time.sleep(RETRY_S)
                if self._given.empty():
                    self._given.put(value)
