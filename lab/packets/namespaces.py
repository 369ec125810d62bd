"""Network namespaces that live as long as a `with` block, whatever ends it.

Each set has a name of its own and holds a lock under it. A set whose lock nobody holds was left by
a run that crashed: the next one ends its processes and removes it. Nothing else on the machine is
touched: interfaces are made inside of the namespaces and go with them.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pyroute2 import config, netns

from lab.packets.requirements import PacketsError, missing_requirement
from lab.packets.with_block import WithBlock

if TYPE_CHECKING:
    from collections.abc import Sequence

PREFIX = "natlab"
LOCKS = Path("/run/nat-failover-lab")
# pyroute2 makes sockets in forks of this process, and ends each with SIGTERM: without this it would
# run whatever handler this process has, such as one that leaves the `with` blocks of its parent.
config.disable_mp_signal = True
_SWITCHING = Lock()  # pyroute2 keeps the namespaces to return to on one stack for all threads


class Namespace:
    """A network namespace; commands run in it see its interfaces, routes and rules only."""

    def __init__(self, name: str) -> None:
        self.name = name

    def run(
        self, *command: str | Path, given: str | None = None, check: bool = True, limit: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, for `limit` seconds at most.

        Raises:
            subprocess.CalledProcessError: when it fails, unless `check` is False; what it said is
                noted.
            subprocess.TimeoutExpired: when it takes longer; it is ended.

        """
        try:
            return subprocess.run(  # noqa: S603 - the lab's own commands
                self._inside(command),
                input=given,
                check=check,
                timeout=limit,
                text=True,
                capture_output=True,
            )
        except subprocess.CalledProcessError as error:
            error.add_note(error.stderr)
            raise

    def start(
        self,
        *command: str | Path,
        **options: Any,  # noqa: ANN401 - those of Popen
    ) -> subprocess.Popen[str]:
        """Start a command, with the options of `Popen`; it ends when the namespace is removed."""
        inside = self._inside(command)
        return subprocess.Popen(inside, text=True, **options)  # noqa: S603 - the lab's own commands

    def socket(self, kind: socket.SocketKind, protocol: int = 0) -> socket.socket:
        """Return a socket of the namespace, which it stays in, for whatever thread to use."""
        with _SWITCHING:
            netns.pushns(self.name)
            try:
                return socket.socket(socket.AF_INET, kind, protocol)
            finally:
                netns.popns()

    def rules(self, text: str) -> None:
        """Load nftables rules, in one transaction."""
        self.run("nft", "--file", "-", given=text)

    def _inside(self, command: Sequence[str | Path]) -> list[str | Path]:
        return ["ip", "netns", "exec", self.name, *command]


class Namespaces(WithBlock):
    """Network namespaces with a common name, removed together at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.name = f"{PREFIX}-{uuid4().hex[:8]}"

    def _begin(self, stack: ExitStack) -> None:
        if reason := missing_requirement():
            raise PacketsError(reason)
        LOCKS.mkdir(parents=True, exist_ok=True)
        _remove_what_crashed()
        _hold(self.name, stack)
        stack.callback(_remove, self.name)

    def add(self, name: str) -> Namespace:
        """Make a namespace, with its loopback up."""
        namespace = Namespace(f"{self.name}-{name}")
        netns.create(namespace.name)
        _bring_up(namespace, "lo")
        return namespace

    def remove(self, namespace: Namespace) -> None:
        """End what runs in a namespace, and remove it with its interfaces."""
        _end(namespace.name)

    @staticmethod
    def join(one: Namespace, its: str, other: Namespace, others: str) -> None:
        """Connect two namespaces by a pair of interfaces with these names, both up."""
        pair = ("type", "veth", "peer", "name", others, "netns", other.name)
        one.run("ip", "link", "add", its, *pair)
        _bring_up(one, its)
        _bring_up(other, others)


def leftovers() -> tuple[str, ...]:
    """Return the names of all namespaces of the lab, whoever made them."""
    return tuple(name for name in netns.listnetns() if name.startswith(f"{PREFIX}-"))


def _bring_up(namespace: Namespace, interface: str) -> None:
    namespace.run("ip", "link", "set", interface, "up")


def _hold(name: str, stack: ExitStack) -> None:
    """Take the lock of a set of namespaces; raise BlockingIOError when somebody has it."""
    path = LOCKS / name
    lock = stack.enter_context(path.open("w"))
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    stack.callback(path.unlink, missing_ok=True)


def _remove_what_crashed() -> None:
    for name in {"-".join(namespace.split("-")[:2]) for namespace in leftovers()}:
        with suppress(BlockingIOError), ExitStack() as stack:
            _hold(name, stack)
            _remove(name)


def _remove(name: str) -> None:
    for namespace in leftovers():
        if namespace.startswith(f"{name}-"):
            _end(namespace)


def _end(namespace: str) -> None:
    for process in netns.ns_pids().get(namespace, ()):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    netns.remove(namespace)
