"""Namespaces of a run that crashed are removed by the next, and those of others are left alone."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from lab.packets.namespaces import Namespaces, leftovers

CRASHES = """
import subprocess
import time
from lab.packets.namespaces import Namespaces
with Namespaces() as spaces:
    space = spaces.add("left")
    space.start("sleep", "1000", stdout=subprocess.DEVNULL)
    print(space.name, flush=True)
    time.sleep(1000)
"""

INHERITS = """
import os
import signal
import sys
from lab.packets.fabric import Fabric
from lab.packets.namespaces import leftovers
from lab.tests.packets.network import HOSTS, VPC
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
for _ in range(20):
    with Fabric(vpc=VPC, hosts=HOSTS) as fabric:
        there = {host.name for host in fabric.hosts.values()} <= set(leftovers())
        print("there" if there else "gone", flush=True)
"""

FORKS = """
import os
from lab.packets.namespaces import Namespaces, leftovers
with Namespaces() as spaces:
    name = spaces.add("parents").name
    child = os.fork()
    if not child:
        raise SystemExit(3)  # leaves the block
    os.waitpid(child, 0)
    print("there" if name in leftovers() else "gone")
"""


def test_fabrics_stay_whole_when_their_process_has_a_handler_of_sigterm() -> None:
    """pyroute2 ends forks of the process with that signal, which must not end what it builds."""
    run = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", INHERITS], capture_output=True, text=True, check=False
    )
    assert (["there"] * 20, "", 0) == (run.stdout.split(), run.stderr, run.returncode)


def test_a_fork_that_leaves_the_block_removes_nothing() -> None:
    """The namespaces are its parent's."""
    run = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", FORKS], capture_output=True, text=True, check=False
    )
    assert ("there\n", "") == (run.stdout, run.stderr)


def test_what_a_killed_run_left_is_removed_by_the_next() -> None:
    """A run that is killed cleans nothing up; the next does, and not before it is dead."""
    run = subprocess.Popen(  # noqa: S603 - this interpreter
        [sys.executable, "-c", CRASHES], stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    left = run.stdout.readline().strip()
    with Namespaces():
        assert left in leftovers()

    run.kill()
    run.communicate()
    deadline = time.monotonic() + 10
    with Namespaces():
        # Another run that begins at this moment may be the one that removes it.
        while left in leftovers() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert left not in leftovers()


def test_a_command_that_fails_says_why() -> None:
    """The error has a note of what the command said."""
    with Namespaces() as spaces, pytest.raises(subprocess.CalledProcessError) as failed:
        spaces.add("any").rules("nonsense")

    assert "syntax error" in failed.value.__notes__[0]
