"""Starts the watch with the settings of the instance, and ends it when it is told to."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys

from . import aws
from .handover import HandOver
from .loop import Loop


def main() -> None:
    """Watch until a signal ends it."""
    with open("settings", encoding="utf-8") as lines:  # noqa: PTH123 - pathlib is a megabyte
        settings = dict("".join(shlex.split(line)).split("=", 1) for line in lines)
    region = aws.metadata("placement/region")
    session = aws.Session(region, aws.metadata("services/domain"))
    loop = Loop(
        aws.metadata("instance-id"),
        settings["targets"].split(),
        publish=lambda message: session.publish(settings["topic"], message),
        read_ring=lambda: session.ring(settings["table"]),
        hand_over=HandOver().apply,
    )
    # The threads are there already, and keep what they have: this is for the loop alone.
    with contextlib.suppress(OSError):
        policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(1))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    loop.run()


if __name__ == "__main__":
    main()
