"""Services of a machine that run for real, as their units say: systemd itself is played.

What they say is in a file of the machine. A service has a process group of its own.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from cdk_nat_failover.instances.nat_user_data import FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.packets.machine import Machine

UNITS = "/etc/systemd/system"
WATCH = "nat-failover-watch.service"
"""The unit that runs for real."""

FETCHES = f"""#!/bin/bash
if [[ $1 == s3 ]]; then
    cd {FOLDER.with_name("watch")} && python3 -m zipfile -c "${{@: -1}}" *.py
fi
"""
"""Plays the AWS command line: the archive of the watch's modules is made when it is asked for."""

_END = 3.0
"""Seconds that a service gets to end by itself."""


class Service:
    """What a unit starts, and starts again whenever it ends, until it is stopped."""

    def __init__(self, machine: Machine, unit: str, environment: Mapping[str, str]) -> None:
        self._machine = machine
        self._unit = machine.read(f"{UNITS}/{unit}")
        self._journal = f"/run/lab/journal/{unit}"
        self._environment = [f"{name}={value}" for name, value in environment.items()]
        self._over = Event()
        self._process = self._start()
        Thread(target=self._keep, daemon=True).start()

    @property
    def said(self) -> str:
        """Return what it has said so far."""
        return self._machine.run("cat", self._journal, check=False).stdout

    @property
    def process_id(self) -> int:
        """Return the id of its main process, in whose place comes another when it ends."""
        return self._process.pid

    def stop(self) -> None:
        """End it as systemd does: by SIGTERM, and after a while by SIGKILL."""
        self._over.set()
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_END)
        self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all of its processes: SIGSTOP freezes it, SIGKILL has it restarted."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _keep(self) -> None:
        pause = float(self._set("RestartSec", "0.1"))
        while True:
            self._process.wait()
            if self._over.wait(pause):
                return
            self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        command = ["env", *self._environment, *shlex.split(self._set("ExecStart", ""))]
        steps = (
            f"mkdir -p /run/lab/journal; exec >>{self._journal} 2>&1",
            f"cd {self._set('WorkingDirectory', '/')}",
            self._set("ExecStartPre", ":"),
            'exec "$@"',
        )
        return self._machine.start(
            *("bash", "-ec", "\n".join(steps), "service", *command),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _set(self, name: str, default: str) -> str:
        found = re.findall(rf"^{name}=(.*)$", self._unit, re.MULTILINE)
        return str(found[-1]) if found else default
