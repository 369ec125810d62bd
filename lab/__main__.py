"""`python -m lab`: a region in a box, in which the app is deployed and drilled."""

from __future__ import annotations

import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lab.commands.parser import parser
from lab.isolation import credentials_of_a_person, forget_credentials

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0 when it went well, 1 when not, 2 when it could not start."""
    options = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    if not options.real:
        if found := credentials_of_a_person():
            return _refuse(found)
        forget_credentials()
    from lab.commands.run import run  # noqa: PLC0415 - reads the environment that was just cleared

    try:
        with tempfile.TemporaryDirectory(prefix="nat-lab-") as directory:
            return run(options, Path(directory))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)  # noqa: T201 - the last word
        return 130


def _refuse(found: str) -> int:
    print(  # noqa: T201 - the only word
        f"AWS credentials are in the environment ({found}), and the lab uses nobody's: unset it"
        f" (`env -u {found} …`), or add --real to drill a stack in the account that it is for",
        file=sys.stderr,
    )
    return 2


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
