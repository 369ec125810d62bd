"""What a function's process writes, line by line.

A line is read before time goes on: `catch_up` reads all that the process has written by now.
"""

from __future__ import annotations

import os
import select
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 65536


class Output:
    """Reads a pipe until it is closed; `log` gets each line, and `ended` is called at the end."""

    def __init__(self, pipe: int, log: Callable[[str], None], ended: Callable[[], None]) -> None:
        self._pipe = pipe
        self._log = log
        self._ended = ended
        self._lock = threading.Lock()
        self._begun = b""
        os.set_blocking(pipe, False)
        threading.Thread(target=self._read, daemon=True).start()

    def catch_up(self) -> bool:
        """Log the lines that are there; False once nothing will come any more."""
        with self._lock:
            try:
                while chunk := os.read(self._pipe, _CHUNK):
                    *lines, self._begun = (self._begun + chunk).split(b"\n")
                    for line in lines:
                        self._log(line.decode(errors="replace"))
            except BlockingIOError:
                return True
            if self._begun:
                self._log(self._begun.decode(errors="replace"))
            self._begun = b""
            return False

    def _read(self) -> None:
        while select.select([self._pipe], [], []) and self.catch_up():
            pass
        self._ended()
