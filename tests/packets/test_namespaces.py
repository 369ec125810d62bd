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
