"""`python -m lab`: a region in a box, in which the app is deployed and drilled.

Nothing is imported before Ctrl-C is listened to: the first import takes a second.
"""

from __future__ import annotations

import signal
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

_NOT_SET_UP = (
    "this Python has not what the lab needs: run `make setup`, then `. .venv/bin/activate`, or use"
    " `make lab`, which does both"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0 when it went well, 1 when not, 2 when it could not start."""
    signal.signal(signal.SIGTERM, _stop)
    if find_spec("pydantic") is None:
        print(_NOT_SET_UP, file=sys.stderr)  # noqa: T201 - the only word
        return 2
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)  # noqa: T201 - the last word
        return 130


def _run(arguments: Sequence[str] | None) -> int:
    from lab.cli.parser import parser  # noqa: PLC0415 - see above
    from lab.emulator.isolation import credentials_of_a_person, forget_credentials  # noqa: PLC0415

    options = parser().parse_args(arguments)
    if not options.real:
        if found := credentials_of_a_person():
            return _refuse(found)
        forget_credentials()
    from lab.cli.leftovers import working_directory  # noqa: PLC0415 - see above
    from lab.cli.run import run  # noqa: PLC0415 - reads the environment that was just cleared

    with working_directory() as directory:
        return run(options, directory)


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
