"""The one directory in which a run of the lab writes, and what runs that were killed left there.

Its name holds the id of the process that it is for. Everything temporary goes below it, that of the
functions included, so that one removal is enough.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(r"nat-lab-(\d+)-\w+")


@contextmanager
def working_directory() -> Iterator[Path]:
    """Yield a new directory, in which all of this process's temporary files are; then remove it."""
    remove_leftovers(Path(tempfile.gettempdir()))
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix=f"nat-lab-{os.getpid()}-") as directory:
        tempfile.tempdir = directory
        try:
            yield Path(directory)
        finally:
            tempfile.tempdir = before


def remove_leftovers(parent: Path) -> None:
    """Remove the directories of processes that are no more, as far as they are this user's."""
    for found in parent.glob("nat-lab-*"):
        match = _NAME.fullmatch(found.name)
        if match and not _runs(int(match[1])):
            shutil.rmtree(found, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
