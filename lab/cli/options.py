"""What a command line is refused for before anything is deployed or changed."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

_OF_AN_ACCOUNT = ("stack", "region", "yes")
_OF_THE_LAB = ("handler", "real_time", "packets", "strategy", "seed", "destroy")


class OptionsError(ValueError):
    """Options that do not go together, or cannot be used; the message says what to do."""


def check_options(options: Namespace) -> None:
    """Look whether the options of a command go together, and whether its report can be written.

    Raises:
        OptionsError: when not.

    """
    given = vars(options)
    if given["command"] == "doctor":  # of an account, and of no stack in it
        return
    if not given.get("real"):
        _refuse(given, _OF_AN_ACCOUNT, "for a stack in a real account: add --real, or leave")
    elif not given.get("stack"):
        message = "--real needs --stack NAME: the name of the stack to drill"
        raise OptionsError(message)
    else:
        _refuse(given, _OF_THE_LAB, "for the lab, and --real drills the stack as it is: leave")
    if given.get("report"):
        _must_take_a_page(given["report"])


def _refuse(given: dict[str, object], names: tuple[str, ...], why: str) -> None:
    said = [name for name in names if not any(given.get(name) is no for no in (None, False))]
    wrong = [f"--{name.replace('_', '-')}" for name in said if given[name] != []]
    if wrong:
        one = not wrong[1:]
        are, them = ("is", "it") if one else ("are", "them")
        message = f"{' and '.join(wrong)} {are} {why} {them} out"
        raise OptionsError(message)


def _must_take_a_page(directory: Path) -> None:
    """Make the report's directory, and write to it: a drill takes minutes, a typing error none."""
    try:
        if directory.exists() and not directory.is_dir():
            raise NotADirectoryError(20, "it is a file")
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
        if (directory / "index.html").is_dir():
            raise IsADirectoryError(21, "there is a directory named index.html")
    except OSError as error:
        message = (
            f"--report {directory}: no page can be written there ({error.strerror}): name a"
            " directory that can be made and written"
        )
        raise OptionsError(message) from error
