"""The lab's time: one thread runs what is due, in the order in which it is due.

Everything that AWS would do later goes through `Clock.after`, so that one timeline decides the
order. What is due runs on the clock's own thread and must be short: it changes state and hands
longer work (running a function) to somebody else.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.delays import Delay

_log = logging.getLogger(__name__)


class Clock:
    """Seconds since the lab started, and a timeline of what is still to happen.

    With a pace of 2 every delay is half as long as its row says.
    """

    def __init__(self, pace: float = 1.0) -> None:
        self._pace = pace
        self._start = time.monotonic()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="lab clock", daemon=True)
        self._thread.start()

    def now(self) -> float:
        """Return the seconds since the lab started."""
        return time.monotonic() - self._start

    def after(self, delay: Delay, action: Callable[[], None], *, times: float = 1) -> None:
        """Run `action` once `delay`, as long as it is in the lab, has passed (`times` over)."""
        with self._changed:
            due = self.now() + delay.lab * times / self._pace
            heapq.heappush(self._due, (due, next(self._numbers), action))
            self._changed.notify_all()

    def wait_until(self, condition: Callable[[], bool], limit: float) -> bool:
        """Wait until `condition` holds, looking often; False when `limit` seconds pass first."""
        end = self.now() + limit
        while not condition():
            if self.now() >= end or self._stopped:
                return condition()
            time.sleep(0.01)
        return True

    def stop(self) -> None:
        """Drop what has not happened yet; nothing happens any more."""
        with self._changed:
            self._stopped = True
            self._due.clear()
            self._changed.notify_all()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while action := self._next():
            try:
                action()
            except Exception:  # noqa: BLE001 - one failure must not stop the time
                _log.exception("the lab's timeline: %r failed", action)

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._stopped:
                wait = self._due[0][0] - self.now() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait)
            return None
