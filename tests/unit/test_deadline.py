"""How long a run goes on, and what it is told when there is no time left."""

from __future__ import annotations

import time

from nat_failover.deadline import Deadline


def test_deadline_waits_when_there_is_time_for_it() -> None:
    """No shorter than it was asked to."""
    began = time.monotonic()
    assert Deadline(5).wait(0.05)
    assert time.monotonic() - began >= 0.05


def test_deadline_does_not_wait_when_it_would_pass() -> None:
    """Neither for what was asked, nor for a pause between observations."""
    began = time.monotonic()
    deadline = Deadline(0.1)

    assert (False, False) == (deadline.wait(5), deadline.pause())

    assert time.monotonic() - began < 5
