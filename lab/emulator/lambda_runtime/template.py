"""The process that functions' processes are forked from: Python with boto3 takes long to start.

Requests go over a pair of sockets, each with the pipe that the function writes to and a socket for
the answers. So forks of the lab may ask as well, and whoever asks hears of its own process alone.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from lab.emulator.isolation import CREDENTIALS, end_process_group

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROGRAM = Path(__file__).with_name("virtual_time.py")
_KILLED = -9


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a process is told: which function it is, and as whom and where it asks for the time."""

    handler: str
    directory: str
    environment: Mapping[str, str]
    name: str
    address: str
    seed: int


class FunctionProcess:
    """A process as `subprocess.Popen` shows one, whose parent is the template."""

    def __init__(self, output: int, answers: socket.socket) -> None:
        self.stdout = os.fdopen(output)
        self.returncode: int | None = None
        self._answers = answers.makefile("rb")
        self._lock = threading.Lock()
        self.pid = int(self._answers.readline())

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status when it has ended.

        Raises:
            subprocess.TimeoutExpired: when it has not, after `timeout` seconds.

        """
        ready, _, _ = select.select([self._answers], [], [], timeout)
        with self._lock:
            if ready and self.returncode is None:
                self.returncode = int(self._answers.readline() or _KILLED)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return self.returncode


@cache
def template() -> Template:
    """Return the template of this process and its forks, for one region after the other."""
    made = Template()
    atexit.register(made.close)
    return made


class Template:
    """The process; it ends with the one that made it, or when that one closes it."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._requests, theirs = socket.socketpair(type=socket.SOCK_DGRAM)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
                [sys.executable, str(_PROGRAM), str(theirs.fileno())],
                env={
                    **CREDENTIALS,
                    "HOME": tempfile.gettempdir(),
                    "LANG": "en_US.UTF-8",
                    "PATH": os.defpath,
                    "PYTHONDONTWRITEBYTECODE": "1",
                },
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                text=True,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def start(self, function: Start) -> FunctionProcess:
        """Start a function's process."""
        output, writes = os.pipe()
        answers, theirs = socket.socketpair()
        with theirs:
            fds = [writes, theirs.fileno()]
            socket.send_fds(self._requests, [json.dumps(asdict(function)).encode()], fds)
        os.close(writes)
        return FunctionProcess(output, answers)

    def close(self) -> None:
        """End the process, unless this is a fork of the one that made it."""
        if self._owner == os.getpid():
            self._requests.close()
            end_process_group(self._process)
