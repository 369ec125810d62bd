"""How long a run goes on trying, and how it backs off meanwhile."""

from __future__ import annotations

import time

_PAUSES_S = (0.25, 0.5, 1.0, 2.0, 5.0)
"""How long to wait after an observation that failed, or that found again what was just written; the
last one repeats."""


class Deadline:
    """The end of a run, and pauses until then that grow."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._pauses = list(_PAUSES_S)

    @property
    def seconds_left(self) -> float:
        """How much time is left."""
        return self._end - time.monotonic()

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return time.monotonic() >= self._end

    def wait(self, seconds: float) -> bool:
        """Wait, or say that there is no time for it."""
        if seconds > self.seconds_left:
            return False
        time.sleep(max(seconds, 0.0))
        return True

    def pause(self) -> bool:
        """Wait before the next observation, or say that there is no time for it."""
        pause = self._pauses.pop(0) if len(self._pauses) > 1 else self._pauses[0]
        if time.monotonic() + pause > self._end:
            return False
        time.sleep(pause)
        return True
