"""`python -m lab`: watch the architecture fail over on this machine, without an AWS account."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rich.console import Console

from lab.isolation import forget_credentials
from nat_failover.settings import Strategy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

STRATEGIES = tuple(strategy.value for strategy in Strategy)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0 when it went well, 1 when not, 2 when it could not start."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    forget_credentials()
    from lab.play import play  # noqa: PLC0415 - reads the environment that was just cleared

    try:
        with tempfile.TemporaryDirectory(prefix="nat-lab-") as directory:
            return play(Console(), Path(directory), options.strategy)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)  # noqa: T201 - the last word
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    parser.add_argument(
        "command",
        nargs="?",
        choices=["demo"],
        default="demo",
        help="demo: deploy, kill a NAT, watch the failover, diff, destroy (default)",
    )
    parser.add_argument(
        "--strategy",
        choices=STRATEGIES,
        help="how subnets are moved; without it, what cdk.json says",
    )
    return parser


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
