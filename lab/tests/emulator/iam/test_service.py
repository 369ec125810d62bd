"""The simulator as a process: when it starts and ends, and who may ask it."""

from __future__ import annotations

import multiprocessing
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from lab.emulator.iam import service
from lab.emulator.iam.service import Request, Simulator
from lab.emulator.isolation import PROJECT
from lab.emulator.node import NotSetUpError

if TYPE_CHECKING:
    from pathlib import Path

ANYBODY = "arn:aws:sts::123456789012:assumed-role/any/any"
TABLE = "arn:aws:ec2:us-east-1:123456789012:route-table/rtb-1"
REQUEST = Request(action="ec2:ReplaceRoute", resource=TABLE)
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": REQUEST.action, "Resource": TABLE}],
}


def is_allowed(simulator: Simulator) -> bool:
    """Ask something whose answer is yes."""
    (answer,) = simulator.evaluate([POLICY], [REQUEST], principal=ANYBODY)
    return answer


def test_simulator_answers_threads_and_forked_processes_at_the_same_time() -> None:
    """It keeps nothing between questions, so nobody waits for anybody's answer but its own."""
    with closing(Simulator()) as simulator:
        with ThreadPoolExecutor(4) as threads:
            assert all(threads.map(is_allowed, [simulator] * 8))
        children = [
            multiprocessing.get_context("fork").Process(target=_ask_in_a_child, args=(simulator,))
            for _ in range(2)
        ]
        for child in children:
            child.start()
        for child in children:
            child.join()
        assert [child.exitcode for child in children] == [0, 0]
        assert is_allowed(simulator)


def _ask_in_a_child(simulator: Simulator) -> None:
    allowed = is_allowed(simulator)
    simulator.close()
    os._exit(0 if allowed else 1)


def test_simulator_ends_when_the_process_that_started_it_is_killed() -> None:
    """A lab that cannot clean up leaves no process behind."""
    program = (
        "import time; from lab.emulator.iam.service import Simulator; s = Simulator(); s.start();"
        "print(s._port, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
        [sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=PROJECT
    )
    assert parent.stdout is not None
    port = int(parent.stdout.readline())
    assert _answers(port)
    parent.kill()
    parent.communicate()
    end = time.monotonic() + 10
    while _answers(port) and time.monotonic() < end:
        time.sleep(0.01)
    assert not _answers(port)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def test_simulator_stays_ended_when_it_is_closed() -> None:
    """A late question starts no process that nobody would end."""
    simulator = Simulator()
    simulator.close()
    with pytest.raises(RuntimeError, match="closed"):
        is_allowed(simulator)


def test_simulator_says_what_to_do_when_it_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clone without node_modules gets a sentence."""
    alone = tmp_path / "service.mjs"
    alone.write_text(service.SERVICE.read_text())
    monkeypatch.setattr(service, "SERVICE", alone)
    with closing(Simulator()) as simulator, pytest.raises(NotSetUpError, match="make lab"):
        simulator.start()
