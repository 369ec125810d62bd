"""Files as user data carries them: compressed, in text.

The result is the same on each machine and with each version of Python: bz2 has one format and one
implementation, and nothing of the files but path, mode and text goes in.
"""

from __future__ import annotations

import base64
import bz2
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True)
class File:
    """A file of an instance."""

    path: str
    mode: int
    text: str


def pack(files: Iterable[File]) -> str:
    """Return files as one line of text without quotes."""
    packed = "\0".join(f"{file.path}\n{file.mode:o}\n{file.text}" for file in files)
    return base64.b85encode(bz2.compress(packed.encode())).decode()


def unpack(script: str) -> tuple[File, ...]:
    """Return the files that a script carries; none, if it carries none."""
    packed = re.search(r"<<'EOF'\n(\S{1000,})\nEOF$", script, re.MULTILINE)
    return tuple(_files(packed[1])) if packed else ()


def _files(packed: str) -> Iterator[File]:
    for file in bz2.decompress(base64.b85decode(packed)).decode().split("\0"):
        path, mode, text = file.split("\n", 2)
        yield File(path, int(mode, 8), text)
