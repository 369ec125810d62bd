"""What functions' processes are forked from when the lab's clock is virtual; see `template`.

A function's process reads and sleeps by the lab's clock, which stands still while any thread works.
So this counts the threads that work: one begins to wait at an AWS call, a sleep, a condition (on
which events, queues, futures and executors are built) or a join, and works again when it is
answered or notified. When the last one begins to wait, the lab hears of it. A thread that waits for
a bare lock or a socket of its own counts as one that works, which holds time up until the lab loses
patience.

It is the only file of the lab that the process loads, and it loads nothing but the standard library
until all is in place: code that imports `time.sleep` later gets the lab's. Then it loads boto3, as
Lambda's runtime has it, with the models of the services that functions here call.
"""
# ruff: noqa: ANN401, SLF001 - it stands in for methods of the standard library

from __future__ import annotations

import functools
import gc
import http.client
import importlib
import json
import os
import queue
import random
import runpy
import select
import signal
import socket
import sys
import threading
import time
import urllib.parse
from typing import IO, Any

SERVICES = ("autoscaling", "dynamodb", "ec2", "sns")


class Lab(threading.local):
    """One connection per thread, a question and an answer at a time.

    Until it has an address, no time passes.
    """

    address: tuple[str, int] | None = None
    name: str
    seed: int
    endpoint: str

    def __init__(self) -> None:
        self._stream: IO[str] | None = None

    def ask(self, question: str) -> float:
        """Return the lab's time when it answers."""
        if self.address is None:
            return 0.0
        if self._stream is None:
            self._stream = socket.create_connection(self.address).makefile("rw")
            self.ask(self.name)
        self._stream.write(f"{question}\n")
        self._stream.flush()
        return float(self._stream.readline())


class Threads:
    """How many threads work, how many calls were sent, and how many answers came."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._lock = _RawLock()
        self._working = 1
        self._sent = self._got = 0

    def works(self, number: int = 1) -> None:
        """Count threads that begin to work."""
        with self._lock:
            self._working += number

    def waits(self) -> None:
        """Count a thread that begins to wait for other threads, or ends."""
        with self._lock:
            self._working -= 1
            if self._working == 0:
                self._lab.ask(f"rest {self._sent} {self._got}")

    def sends(self) -> str:
        """Count a thread that begins to wait for the lab; return what the lab has to hear."""
        with self._lock:
            self._working -= 1
            self._sent += 1
            return f"rest {self._sent} {self._got}" if self._working == 0 else "works"

    def gets(self) -> None:
        """Count a thread that has its answer."""
        with self._lock:
            self._working += 1
            self._got += 1

    def lost(self) -> None:
        """Count a thread whose call never reached the lab: the connection was closed before."""
        with self._lock:
            self._working += 1
            self._sent -= 1


_RawLock = threading.Lock


def install(lab: Lab) -> None:
    """Let this process live by the lab's clock."""
    threads = Threads(lab)
    _time(lab, threads)
    _chance(lab)
    _calls(lab, threads)
    _conditions(threads)
    _threads(threads)


def _time(lab: Lab, threads: Threads) -> None:
    def now() -> float:
        return lab.ask("now")

    def sleep(seconds: float, /) -> None:
        lab.ask(f"sleep {float(seconds)} {threads.sends()}")
        threads.gets()

    time.sleep = sleep  # type: ignore[assignment]  # whatever a float can be made of
    time.time = now
    time.time_ns = lambda: round(now() * 1e9)
    time.monotonic = time.perf_counter = now
    time.monotonic_ns = time.perf_counter_ns = time.time_ns


def _chance(lab: Lab) -> None:
    """Let chance follow from seed and moment, so that no order of threads changes it."""
    generator = random.Random  # a class: the module's functions are about to change

    def draw() -> float:
        return generator(f"{lab.seed}/{lab.ask('now')}").random()

    random.random = draw


def _calls(lab: Lab, threads: Threads) -> None:
    answer = http.client.HTTPConnection.getresponse

    def getresponse(self: http.client.HTTPConnection) -> http.client.HTTPResponse:
        if f"{self.host}:{self.port}" != lab.endpoint:
            return answer(self)
        self.sock.settimeout(None)  # the lab answers when its time has come, not the wall's
        if (said := threads.sends()) != "works":
            lab.ask(said)
        try:
            reply = answer(self)
        except BaseException:
            threads.lost()
            raise
        threads.gets()
        return reply

    http.client.HTTPConnection.getresponse = getresponse  # type: ignore[method-assign]


def _conditions(threads: Threads) -> None:
    wait, notify = threading.Condition.wait, threading.Condition.notify

    def wait_and_say(self: Any, timeout: float | None = None) -> bool:
        if timeout is None:
            threads.waits()
            return wait(self)
        return wait(self, 0) if timeout <= 0 else _wait_at_most(self, timeout, threads)

    def notify_and_count(self: Any, n: int = 1) -> None:
        threads.works(min(n, len(self._waiters)))
        notify(self, n)

    threading.Condition.wait = wait_and_say  # type: ignore[method-assign]
    threading.Condition.notify = notify_and_count  # type: ignore[method-assign]
    queue.SimpleQueue = queue._PySimpleQueue  # type: ignore[attr-defined,misc]


def _wait_at_most(condition: Any, seconds: float, threads: Threads) -> bool:
    """Do as `Condition.wait`, with a thread that ends the wait when its time is over."""
    waiter, late = _RawLock(), []
    waiter.acquire()
    condition._waiters.append(waiter)

    def ring() -> None:
        time.sleep(seconds)
        with condition:
            if waiter in condition._waiters:
                condition._waiters.remove(waiter)
                late.append(True)
                threads.works()
                waiter.release()

    threading.Thread(target=ring, daemon=True).start()
    threads.waits()
    held = condition._release_save()
    waiter.acquire()
    condition._acquire_restore(held)
    return not late


def _threads(threads: Threads) -> None:
    start, join = threading.Thread.start, threading.Thread.join

    def start_and_count(self: Any) -> None:
        work, self.is_over = self.run, threading.Event()

        def run() -> None:
            try:
                work()
            finally:
                self.is_over.set()
                threads.waits()

        self.run = run
        threads.works()
        start(self)

    def wait_and_join(self: Any, timeout: float | None = None) -> None:
        over = vars(self).get("is_over")  # the main thread was not started here
        if over is None or over.wait(timeout):
            join(self, timeout)

    threading.Thread.start = start_and_count  # type: ignore[method-assign]
    threading.Thread.join = wait_and_join  # type: ignore[method-assign]


def load() -> None:
    """Load boto3, and read the models of services once for all forks."""
    boto3, loaders = map(importlib.import_module, ("boto3", "botocore.loaders"))
    files = loaders.JSONFileLoader
    read = functools.cache(functools.partial(files.load_file, files()))
    files.load_file = lambda _, path: read(path)
    session = boto3.Session(region_name="us-east-1")
    for service in SERVICES:
        session.client(service)
    gc.freeze()  # or else each fork's collector would touch, and so copy, all that is here


def serve(requests: socket.socket) -> None:
    """Start a function for each request, until the lab closes the standard input."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while sys.stdin not in select.select([requests, sys.stdin], [], [])[0]:
        request, (output, answers), _, _ = socket.recv_fds(requests, 1 << 18, 2)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            start(json.loads(request), output, socket.socket(fileno=answers))
        os.close(output)
        os.close(answers)


def start(function: dict[str, Any], output: int, answers: socket.socket) -> None:
    """Start a function in a fork; answer its process id, and its exit status when it has ended."""
    if (process := os.fork()) == 0:
        answers.close()
        become(function, output)
    os.close(output)
    answers.sendall(f"{process}\n".encode())
    _, status = os.waitpid(process, 0)
    answers.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def become(function: dict[str, Any], output: int) -> None:
    """Become AWS's runtime client in a session of its own, with nothing else of the environment."""
    os.setsid()
    os.chdir(function["directory"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.clear()
    os.environ.update(function["environment"])
    time.tzset()
    host, port = function["address"].split(":")
    Lab.name, Lab.seed = function["name"], function["seed"]
    Lab.endpoint = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc
    Lab.address = (host, int(port))
    sys.argv = ["awslambdaric", function["handler"]]
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)
    sys.exit()


def main() -> None:
    """Load what all functions need, and start those that the lab asks for."""
    install(Lab())
    sys.path[0] = ""  # as `python -m` does; it was the folder of this file
    load()
    serve(socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    main()
