"""Boots of NATs, with the user data as it was deployed, in the namespaces that play them.

What the script does in its namespace is real. What it asks of AWS is carried out in the emulated
region: it tells its group how its launch went, by its role, and it switches itself off. Of its
units the watch runs for real.
"""

from __future__ import annotations

import signal
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingMixIn, UnixStreamServer
from threading import Thread
from typing import TYPE_CHECKING, Any

from cdk_nat_failover.options.targets import as_address
from lab.drills.boots.forwarding import switch_off
from lab.drills.boots.launches import LaunchAction, say, setting
from lab.drills.boots.peers import WatchState
from lab.drills.boots.watch_calls import refused
from lab.emulator.services.ec2.user_data import script_in
from lab.packets import emulated
from lab.packets.endpoints import ENVIRONMENT
from lab.packets.machine import CALLS
from lab.packets.services import WATCH
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
        self._machines: dict[str, Machine] = {}
        self._frozen: set[str] = set()
        self._enabled: set[str] = set()
        self._directory = directory
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
        self._machines[instance.id] = machine
        played = _PLAYED.format(calls=CALLS, socket=self._socket, instance=instance.id)
        for name in ("aws", "shutdown", "systemctl"):
            machine.command(name, played)
        names = [target for target in targets(script) if not as_address(target)]
        machine.write("/etc/hosts", "".join(f"{SERVER} {name}\n" for name in names))
        machine.write(_USER_DATA, script, mode="755")

    def boot(self, machine: Machine) -> None:
        """Boot a machine: for the first time with its user data, later as its unit does."""
        again = machine.run("test", "-e", _UP, check=False).returncode == 0
        machine.run(_UP if again else _USER_DATA, check=False, limit=LIMIT)

    def follow(self, instance: Instance) -> None:
        """Let the watch of an instance that has booted run, stop or hang, as the region has it."""
        name, machine = str(instance.id), self._machines[str(instance.id)]
        state = emulated.watch_state(instance)
        if name not in self._enabled:
            return
        if state is WatchState.FROZEN and name not in self._frozen:
            self._frozen.add(name)
            machine.services[WATCH].signal(signal.SIGSTOP)
        elif state is WatchState.RUNS and (name in self._frozen or WATCH not in machine.services):
            self._frozen.discard(name)
            machine.serve(WATCH, ENVIRONMENT)
        elif state is WatchState.STOPPED:
            machine.end(WATCH)

    def forget(self, name: str) -> None:
        """Forget a machine that is about to end."""
        self._enabled.discard(name)
        del self._machines[name]

    def _carry_out(self, name: str, call: Sequence[str]) -> str:
        """Carry a call of an instance out; return what went wrong, or an empty text."""
        instance = emulated.instances().get(name)
        if instance is None:
            return "the instance is gone"
        if call[0] == "shutdown":
            switch_off(instance)
            return ""
        if call[0] == "systemctl":
            self._switch_units(name, call)
            return ""
        if call[1:3] == ["s3", "cp"]:
            return self._fetch(instance, *call[-2:])
        if call[1:3] != ["autoscaling", "complete-lifecycle-action"]:
            return f"the lab plays no such call: {' '.join(call)}"
        given = dict(zip(call[3::2], call[4::2], strict=False))
        action = LaunchAction(given["--auto-scaling-group-name"], given["--lifecycle-hook-name"])
        return say(self._aws, instance, action, given["--lifecycle-action-result"])

    def _fetch(self, instance: Instance, url: str, target: str) -> str:
        """Copy an object of the region to a file of a machine, if the instance's role may."""
        bucket, _, key = url.removeprefix("s3://").partition("/")
        named = {"Bucket": bucket, "Key": key}
        if error := refused(
            self._aws,
            instance,
            service="s3",
            operation="GetObject",
            parameters=named,
            protocol="rest-xml",
        ):
            return error
        copy = self._directory / f"{instance.id}.object"
        copy.write_bytes(self._aws.client("s3").get_object(**named)["Body"].read())
        self._machines[str(instance.id)].run("cp", copy, target)
        return ""

    def _switch_units(self, name: str, call: Sequence[str]) -> None:
        """Start the watch of a machine, or stop it; all other units are played."""
        if WATCH not in call:
            return
        if "restart" in call:
            self._machines[name].serve(WATCH, ENVIRONMENT)
            self._enabled.add(name)
        elif "disable" in call:
            self._machines[name].end(WATCH)
            self._enabled.discard(name)


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

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - inherited
        """Let a call go whose caller has ended before it was answered, as at a step's limit."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


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
