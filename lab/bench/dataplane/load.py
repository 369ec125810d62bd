"""The load: processes that the benchmark starts in its namespaces, with what each prints as JSON.

This file runs alone, by its path, so it imports the standard library only. Python limits what it
can send and take, on both sides alike. Connections take turns over addresses and ports on both
ends, so that the client's ports are never what runs out.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import select
import socket
import struct
import sys
import time
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    _Served = Callable[[socket.socket, list[int], int], None]

SERVER = "198.51.100.10"
CLIENTS = tuple(f"10.0.1.{number}" for number in range(10, 18))
PORTS = (443, *range(7001, 7008))
STREAM, UPLOAD, ECHO = 7100, 7101, 7102
DATAGRAMS = 7200
INTERFACE = "eth0"

PATIENCE = 0.9
"""Seconds for a connection to be made. A second after the first SYN comes the next one, so what
takes longer has lost the first."""

PAYLOAD = bytes(64)
_BLOCK = 1 << 20
_WARM_UP = 0.3  # seconds until the windows of TCP are open
_AT_ONCE = 64  # connections under way when as many as possible are made
_TICK = 0.001  # seconds between looks at the clock
_ETH_P_NONE, _ETH_P_ALL = 0, 0x0003  # include/uapi/linux/if_ether.h; 0 receives nothing
_IP_BIND_ADDRESS_NO_PORT = 24  # include/uapi/linux/in.h; the port is chosen for the destination


def serve() -> None:
    """Accept and close, send streams, and let datagrams come, until ended. Says when it is up."""
    _many_files()
    waiting = select.epoll()
    listeners = {}
    for port in (*PORTS, *_SERVED):
        listener = socket.create_server(("", port), backlog=4096)
        listener.settimeout(0)
        listeners[listener.fileno()] = listener
        waiting.register(listener, select.EPOLLIN)
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("", DATAGRAMS))
    print("ready", flush=True)  # noqa: T201 - read by the process that started this
    while True:
        for number, _ in waiting.poll():
            _accept_all(listeners[number])


def _accept_all(listener: socket.socket) -> None:
    served = _SERVED.get(listener.getsockname()[1])
    with contextlib.suppress(BlockingIOError):
        while True:
            connection, _ = listener.accept()
            if served:
                Thread(target=_serve, args=(served, connection), daemon=True).start()
            else:
                connection.close()


def _serve(served: _Served, connection: socket.socket) -> None:
    """Do what a port is for, until the other end has enough."""
    connection.settimeout(None)
    with connection, contextlib.suppress(ConnectionError):
        served(connection, [0], 0)


def _give(connection: socket.socket, given: list[int], flow: int) -> None:
    """Send zeros, and count them."""
    with os.fdopen(os.memfd_create("zeros"), "wb") as zeros:
        zeros.truncate(16 * _BLOCK)
        while True:
            given[flow] += os.sendfile(connection.fileno(), zeros.fileno(), 0, 16 * _BLOCK)


def _take(connection: socket.socket, taken: list[int], flow: int) -> None:
    """Take what comes, and count it."""
    buffer = bytearray(_BLOCK)
    while size := connection.recv_into(buffer, _BLOCK, socket.MSG_TRUNC):
        taken[flow] += size


def _send_back(connection: socket.socket, _sent: list[int], _flow: int) -> None:
    """Send back what comes, at once."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while received := connection.recv(_BLOCK):
        connection.sendall(received)


_SERVED: dict[int, _Served] = {STREAM: _give, UPLOAD: _take, ECHO: _send_back}


def stream(flows: float, seconds: float) -> dict[str, float]:
    """Take streams, and return the bits per second of all together."""
    return {"bits": _bits(int(flows), seconds, STREAM, _take)}


def upload(flows: float, seconds: float) -> dict[str, float]:
    """Send streams, and return the bits per second of all together."""
    return {"bits": _bits(int(flows), seconds, UPLOAD, _give)}


def _bits(flows: int, seconds: float, port: int, work: _Served) -> float:
    done = [0] * flows
    for flow in range(flows):
        connection = socket.create_connection((SERVER, port), timeout=5)
        connection.settimeout(None)
        Thread(target=work, args=(connection, done, flow), daemon=True).start()
    time.sleep(_WARM_UP)
    began, before = time.perf_counter(), sum(done)
    time.sleep(seconds)
    return 8 * (sum(done) - before) / (time.perf_counter() - began)


def echo(seconds: float) -> dict[str, float]:
    """Send a byte to and fro, and return the seconds that the fastest tenth took at most.

    The slower ones tell of what else the processors had to do.
    """
    times: list[float] = []
    with socket.create_connection((SERVER, ECHO), timeout=5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = time.perf_counter() + seconds
        while not times or time.perf_counter() < end:
            began = time.perf_counter()
            connection.sendall(b"1")
            connection.recv(1)
            times.append(time.perf_counter() - began)
    return {"decile": sorted(times)[len(times) // 10]}


def datagrams(senders: float, seconds: float) -> dict[str, float]:
    """Send small datagrams as fast as possible, and return for how many seconds."""
    return _repeat(_connected, PAYLOAD, int(senders), seconds)


def _connected() -> socket.socket:
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect((SERVER, DATAGRAMS))
    return sender


def _bound(protocol: int) -> socket.socket:
    """Return a socket for frames of the client's interface."""
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
    opened.bind((INTERFACE, protocol))
    return opened


def segments(senders: float, seconds: float) -> dict[str, float]:
    """Send the last acknowledgement of a flow again and again, as `datagrams` does its payload."""
    with socket.create_connection((SERVER, ECHO), timeout=5) as connection:
        with _bound(_ETH_P_ALL) as wire:
            connection.sendall(b"1")
            connection.recv(1)
            frame = _acknowledgement(wire, connection.getsockname()[1])
        return _repeat(lambda: _bound(_ETH_P_NONE), frame, int(senders), seconds)


def _acknowledgement(wire: socket.socket, port: int) -> bytes:
    """Wait until a flow has acknowledged something without saying more; return that frame."""
    wire.settimeout(5)
    while True:
        frame, (*_, direction, _, _) = wire.recvfrom(65535)
        tcp = frame[34:]
        if (
            direction == socket.PACKET_OUTGOING
            and frame[23] == socket.IPPROTO_TCP
            and struct.unpack("!HH", tcp[:4]) == (port, ECHO)
            and len(tcp) == tcp[12] >> 4 << 2
        ):
            return frame[:34] + _with_checksum(frame[26:34], tcp)


def _with_checksum(addresses: bytes, tcp: bytes) -> bytes:
    """Return a segment of an even length with its checksum, which is the interface's task else."""
    blank = tcp[:16] + bytes(2) + tcp[18:]
    pseudo = addresses + struct.pack("!HH", socket.IPPROTO_TCP, len(tcp)) + blank
    total = sum(struct.unpack(f"!{len(pseudo) // 2}H", pseudo))
    total = (total >> 16) + (total & 0xFFFF)
    checksum = ~(total + (total >> 16)) & 0xFFFF
    return tcp[:16] + struct.pack("!H", checksum) + tcp[18:]


def _repeat(
    opened: Callable[[], socket.socket], data: bytes, senders: int, seconds: float
) -> dict[str, float]:
    """Send the same by several processes as fast as possible; return for how many seconds."""
    began = time.perf_counter()
    children = [_fork_sender(opened, data, began + seconds) for _ in range(senders)]
    for child in children:
        os.waitpid(child, 0)
    return {"seconds": time.perf_counter() - began}


def _fork_sender(opened: Callable[[], socket.socket], data: bytes, end: float) -> int:
    if child := os.fork():
        return child
    sender = opened()
    while time.perf_counter() < end:
        for _ in range(100):
            with contextlib.suppress(OSError):  # a full queue
                sender.send(data)
    os._exit(0)


class Connections:
    """Connections that are made, closed by the server, and closed; with how long each took."""

    def __init__(self) -> None:
        self.begun = 0
        self.times: list[float] = []
        self._waiting = select.epoll()
        self._under_way: dict[int, tuple[socket.socket, float]] = {}
        self._made: dict[int, socket.socket] = {}

    @property
    def under_way(self) -> int:
        """Return how many are not closed yet."""
        return len(self._under_way) + len(self._made)

    def begin(self) -> None:
        """Send a SYN, from the next address to the next port."""
        number, self.begun = self.begun, self.begun + 1
        turn, source = divmod(number, len(CLIENTS))
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        connection.setsockopt(socket.SOL_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
        connection.bind((CLIENTS[source], 0))
        began = time.perf_counter()
        failed = connection.connect_ex((SERVER, PORTS[turn % len(PORTS)]))
        if failed != errno.EINPROGRESS:
            raise OSError(failed, os.strerror(failed))
        self._under_way[connection.fileno()] = (connection, began)
        self._waiting.register(connection, select.EPOLLOUT)

    def look(self, seconds: float) -> None:
        """Wait for news for so long, and give up what waits for longer than it may."""
        for number, event in self._waiting.poll(seconds):
            if number in self._under_way:
                self._connected(number, event)
            else:
                self._made.pop(number).close()
        now = time.perf_counter()
        # They stand in the order in which they began.
        while self._under_way:
            number, (connection, began) = next(iter(self._under_way.items()))
            if now - began < PATIENCE:
                break
            del self._under_way[number]
            connection.close()

    def _connected(self, number: int, event: int) -> None:
        connection, began = self._under_way.pop(number)
        took = time.perf_counter() - began
        if event & select.EPOLLERR or took > PATIENCE:
            connection.close()
            return
        self.times.append(took)
        self._made[number] = connection
        self._waiting.modify(number, select.EPOLLIN)


def connect(seconds: float) -> dict[str, float]:
    """Make as many connections as possible, and return how many a second were made."""
    _many_files()
    connections, began = Connections(), time.perf_counter()
    while time.perf_counter() < began + seconds:
        while connections.under_way < _AT_ONCE:
            connections.begin()
        connections.look(_TICK)
    return {"rate": len(connections.times) / (time.perf_counter() - began)}


def pace(rate: float, seconds: float) -> dict[str, float]:
    """Make so many connections a second, and return how many were begun and made, and the p99."""
    _many_files()
    connections, began = Connections(), time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        while connections.begun < passed * rate:
            connections.begin()
        connections.look(_TICK)
    end = time.perf_counter() + PATIENCE + _TICK
    while connections.under_way and time.perf_counter() < end:
        connections.look(_TICK)
    times = sorted(connections.times) or [PATIENCE]
    return {
        "begun": connections.begun,
        "made": len(connections.times),
        "p99": times[int(0.99 * (len(times) - 1))],
    }


def _many_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


_LOADS: dict[str, Callable[..., dict[str, float]]] = {
    "stream": stream,
    "upload": upload,
    "echo": echo,
    "datagrams": datagrams,
    "segments": segments,
    "connect": connect,
    "pace": pace,
}


def _main(name: str, *arguments: str) -> None:
    if name == "serve":
        serve()
    measured = _LOADS[name](*map(float, arguments))
    print(json.dumps(measured))  # noqa: T201 - read by the process that started this


if __name__ == "__main__":
    _main(*sys.argv[1:])
