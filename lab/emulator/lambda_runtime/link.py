"""How functions' processes read the virtual clock and sleep by it; see `virtual_time`.

Lines over a loopback connection, one connection per thread of the process. The first line names the
process; each line is answered with the lab's time.
"""

from __future__ import annotations

import socketserver
from typing import TYPE_CHECKING

from lab.emulator.loopback import LoopbackServer

if TYPE_CHECKING:
    from lab.emulator.lambda_runtime.activity import Activity
    from lab.emulator.time.clock import Clock


class Link:
    """The lab's side for all processes; they are known by name while they live."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, Activity] = {}
        self._server = LoopbackServer(_handler(self))

    @property
    def address(self) -> str:
        """Return where processes find this."""
        return self._server.address

    def meet(self, name: str, activity: Activity) -> None:
        """Know a process by its name."""
        self._known[name] = activity

    def forget(self, name: str) -> None:
        """Know it no longer."""
        self._known.pop(name, None)

    def close(self) -> None:
        """Stop listening."""
        self._server.close()

    def answer(self, name: str, line: str) -> float:
        """Do what a line asks for, which takes until it is done, and return the time."""
        activity = self._known.get(name)
        match line.split(), activity:
            case ["rest", sent, got], _ if activity:
                activity.at_rest(int(sent), int(got))
            case ["sleep", seconds, *rest], _ if activity:
                self._sleep(activity, float(seconds), rest)
        return self._clock.calendar()

    @staticmethod
    def _sleep(activity: Activity, seconds: float, rest: list[str]) -> None:
        if rest[0] == "rest":
            activity.at_rest(int(rest[1]), int(rest[2]))
        activity.hold(f"sleep {seconds}", lambda: seconds, lambda: None)


def _handler(link: Link) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            name = self.rfile.readline().decode().strip()
            self._reply(link.answer(name, ""))
            while line := self.rfile.readline().decode():
                self._reply(link.answer(name, line))

        def _reply(self, time: float) -> None:
            self.wfile.write(f"{time!r}\n".encode())

    return Handler
