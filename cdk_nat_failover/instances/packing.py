"""Files as user data carries them: without comments, compressed, in text.

The result is the same on each machine and with each version of Python: bz2 has one format and one
implementation, and nothing of the files but path, mode and text goes in.
"""

from __future__ import annotations

import ast
import base64
import bz2
import io
import re
import tokenize
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path


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


def edited(script: str, path: str, edit: Callable[[str], str]) -> str:
    """Return a script that carries one of its files in another form."""
    files = unpack(script)
    return script.replace(
        pack(files),
        pack(replace(file, text=edit(file.text)) if file.path == path else file for file in files),
    )


def _files(packed: str) -> Iterator[File]:
    for file in bz2.decompress(base64.b85decode(packed)).decode().split("\0"):
        path, mode, text = file.split("\n", 2)
        yield File(path, int(mode, 8), text)


def bare(path: Path) -> str:
    """Return the text of a file without what says nothing to the machine.

    That is empty lines, comments (not `#!`), and the docstrings of Python.
    """
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return _bare_python(text)
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if re.match(r"\s*([^\s#]|#!)", line))


def _bare_python(text: str) -> str:
    kept = [*_without_comments(text)]
    for begin, end, replacement in _docstrings(text):
        kept[begin:end] = [replacement, *[""] * (end - begin - 1)]
    return "".join(kept)


def _without_comments(text: str) -> Iterator[str]:
    """Yield each line, empty where nothing of it is left; the lines of longer strings stay."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    ends = dict(token.start for token in tokens if token.type == tokenize.COMMENT)
    quoted = {
        row
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.Constant, ast.JoinedStr))
        for row in range(node.lineno, node.end_lineno or node.lineno)
    }
    for row, line in enumerate(text.splitlines(keepends=True), start=1):
        bare_line = f"{line[: ends[row]].rstrip()}\n" if row in ends else line
        yield bare_line if row in quoted or bare_line.strip() else ""


def _docstrings(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where strings stand that are statements, and what stands there instead."""
    for node in ast.walk(ast.parse(text)):
        body: object = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        for statement in body:
            match statement:
                case ast.Expr(ast.Constant(str()), lineno=begin, end_lineno=end, col_offset=column):
                    alone = f"{' ' * column}pass\n" if len(body) == 1 else ""
                    yield begin - 1, end or begin, alone
