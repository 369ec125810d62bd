"""Starts and ends the processes that probe, and reads what they print."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lab.emulator.isolation import PROJECT
from lab.packets.probes import client as client_module
from lab.packets.probes import server as server_module
from lab.packets.probes.record import Record, read
from lab.packets.probes.talk import LISTENING, READY
from lab.packets.requirements import PacketsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from lab.packets.namespaces import Namespace

_START = 30.0
_END = 60.0
"""Seconds for a start and for an end, on the busiest of machines."""


@contextmanager
def serving(namespace: Namespace) -> Iterator[None]:
    """Serve on every address of a namespace.

    Raises:
        PacketsError: when the server does not start.

    """
    process = _start(namespace, server_module)
    try:
        _wait_for(process, LISTENING, "the server on the internet does not listen")
        yield
    finally:
        _end(process)


class Client:
    """The client of a private host, which probes a server from its start until `stop`."""

    def __init__(self, namespace: Namespace, server: str) -> None:
        self._namespace = namespace
        self._server = server
        self._process = _start(namespace, client_module, server)

    def wait_until_ready(self, limit: float = _START) -> None:
        """Wait until each kind of probe and each flow has worked once.

        Raises:
            PacketsError: when one of them does not within `limit` seconds.

        """
        trouble = f"{self._namespace.name} gets no answers from {self._server}"
        _wait_for(self._process, READY, trouble, limit)

    def stop(self) -> Record:
        """End the client; return what it saw.

        Raises:
            PacketsError: when it had ended before.

        """
        self._process.terminate()
        told, complaint = self._process.communicate(timeout=_END)
        if self._process.returncode != 0:
            message = f"the client in {self._namespace.name} ended early: {complaint.strip()}"
            raise PacketsError(message)
        return read(json.loads(told))

    def end(self) -> None:
        """End the client, whatever it saw."""
        _end(self._process)


def _start(namespace: Namespace, module: ModuleType, *arguments: str) -> subprocess.Popen[str]:
    return namespace.start(
        *(sys.executable, "-m", module.__name__, *arguments),
        cwd=PROJECT,
        env={"PATH": os.environ.get("PATH", os.defpath)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _wait_for(
    process: subprocess.Popen[str], line: str, trouble: str, limit: float = _START
) -> None:
    """Wait for a line; where it does not come, say the trouble and what the process complains of.

    Nothing is read beyond the line: until then the process says nothing else.
    """
    assert process.stdout  # noqa: S101 - a pipe was asked for
    assert process.stderr  # noqa: S101 - a pipe was asked for
    readable, _, _ = select.select([process.stdout], [], [], limit)
    if readable and process.stdout.readline().strip() == line:
        return
    _end(process)
    complaint = process.stderr.read().strip()
    message = f"{trouble}: {complaint or f'nothing for {limit:g} s'}"
    raise PacketsError(message)


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait(timeout=_END)
