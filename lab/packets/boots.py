"""Boots of NATs, with the user data as it was deployed, in the namespaces that play them.

What the script does in its namespace is real. What it asks of AWS is carried out in the emulated
region: it tells its group how its launch went, by its role, and it switches itself off.
"""

from __future__ import annotations

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingMixIn, UnixStreamServer
from threading import Thread
from typing import TYPE_CHECKING

from cdk_nat_failover.options.targets import as_address
from lab.drills.boots.forwarding import switch_off
from lab.drills.boots.launches import LaunchAction, say, setting
from lab.emulator.services.ec2.user_data import script_in
from lab.packets import emulated
from lab.packets.machine import CALLS
from lab.packets.values import SERVER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from moto.ec2.models.instances import Instance

    from lab.emulator.behaviour import Emulation
    from lab.packets.machine import Machine

LIMIT = 400.0
"""Seconds on the wall that a boot may take; its steps have limits of their own."""

_USER_DATA = "/var/lib/cloud/user-data"
_UP = "/etc/nat-failover/up"
_POLL = 0.05  # seconds after which the server notices that it is to stop

# {name} is played by the lab: curl takes the call there, and the answer back.
_PLAYED = """#!/bin/bash
echo "${{0##*/}} $*" >>{calls}
printf '%s\\n' "${{0##*/}}" "$@" |
    curl --silent --show-error --fail-with-body --max-time 60 --unix-socket {socket} \\
        --data-binary @- http://lab/{instance}
"""


class Boots:
    """Boots machines; their calls come in over a socket in a directory until it is closed."""

    def __init__(self, aws: Emulation, directory: Path) -> None:
        self._aws = aws
        self._socket = directory / "calls"
        self._server = _Server(str(self._socket), self._carry_out)
        Thread(target=self._server.serve_forever, args=(_POLL,), daemon=True).start()

    def close(self) -> None:
        """Take no more calls."""
        self._server.shutdown()
        self._server.server_close()

    def prepare(self, machine: Machine, instance: Instance) -> None:
        """Give a machine its user data, and what its calls need."""
        script = _user_data(instance)
        played = _PLAYED.format(calls=CALLS, socket=self._socket, instance=instance.id)
        for name in ("aws", "shutdown"):
            machine.command(name, played)
        names = [target for target in targets(script) if not as_address(target)]
        machine.write("/etc/hosts", "".join(f"{SERVER} {name}\n" for name in names))
        machine.write(_USER_DATA, script, mode="755")

    def boot(self, machine: Machine) -> None:
        """Boot a machine: for the first time with its user data, later as its unit does."""
        again = machine.run("test", "-e", _UP, check=False).returncode == 0
        machine.run(_UP if again else _USER_DATA, check=False, limit=LIMIT)

    def _carry_out(self, name: str, call: Sequence[str]) -> str:
        """Carry a call of an instance out; return what went wrong, or an empty text."""
        instance = emulated.instances().get(name)
        if instance is None:
            return "the instance is gone"
        if call[0] == "shutdown":
            switch_off(instance)
            return ""
        if call[1:3] != ["autoscaling", "complete-lifecycle-action"]:
            return f"the lab plays no such call: {' '.join(call)}"
        given = dict(zip(call[3::2], call[4::2], strict=False))
        action = LaunchAction(given["--auto-scaling-group-name"], given["--lifecycle-hook-name"])
        return say(self._aws, instance, action, given["--lifecycle-action-result"])


def targets(script: str) -> list[str]:
    """Return the targets of the self-test that a boot script names."""
    return setting(script, "targets").split()


def addresses(instance: Instance) -> list[str]:
    """Return the targets of an instance's self-test that are addresses."""
    return [target for target in targets(_user_data(instance)) if as_address(target)]


def _user_data(instance: Instance) -> str:
    return script_in(str(instance.user_data or ""))


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True

    def __init__(self, path: str, carry_out: Callable[[str, Sequence[str]], str]) -> None:
        super().__init__(path, _Handler)
        self.carry_out = carry_out


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        """Take a call: its words a line each, the instance in the path."""
        call = self.rfile.read(int(self.headers["Content-Length"])).decode().splitlines()
        wrong = self.server.carry_out(self.path.removeprefix("/"), call)
        self.send_response(HTTPStatus.BAD_REQUEST if wrong else HTTPStatus.OK)
        self.send_header("Content-Length", str(len(wrong.encode())))
        self.end_headers()
        if wrong:  # a client that gets no more than headers hangs up after them
            self.wfile.write(wrong.encode())

    def log_message(self, *_: object) -> None:
        """Stay silent."""
