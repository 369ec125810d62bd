"""Where labels go in a picture so that none covers another.

A browser's font is unknown here, so widths are estimates for the widest of the common fonts; a
narrower font leaves more room.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZE = 12
"""The height of the letters in a picture, in its units."""

_GAP = 6.0
"""The least room between two labels."""

_NARROW, _MIDDLE, _CAPITAL, _WIDE = 0.42, 0.64, 0.76, 1.1
"""Widths of letters as parts of their height: of DejaVu Sans, rounded up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A text that begins ("start") or ends ("end") at `x`, in a row; its mark is in that or above.

    Rows count from 0, downwards.
    """

    words: str
    x: float
    anchor: str
    row: int = 0
    mark_row: int = 0

    @property
    def span(self) -> tuple[float, float]:
        """Return where it begins and ends."""
        length = width(self.words)
        return (self.x, self.x + length) if self.anchor == "start" else (self.x - length, self.x)


class Rows:
    """As many rows as there may be between two edges, filled from the first on."""

    def __init__(self, left: float, right: float, most: int) -> None:
        self._left, self._right = left, right
        self._taken: list[list[tuple[float, float]]] = [[] for _ in range(most)]

    @property
    def count(self) -> int:
        """Return how many rows are in use."""
        return max((number for number, row in enumerate(self._taken, 1) if row), default=0)

    def place(self, words: str, x: float, reach: float) -> Label | None:
        """Return a label for a mark that reaches so far to both sides of `x`; None if full.

        It stands beside the mark, below it where that is too narrow, and is cut if that is so too.
        """
        mark, label = (x - reach, x + reach), self._beside(words, x, reach)
        if label:
            first, last = label.span
            row = self._take([(min(first, mark[0]), max(last, mark[1]))])
            return None if row is None else replace(label, row=row, mark_row=row)
        label = self._below(words, x - reach)
        row = self._take([mark, label.span])
        return None if row is None else replace(label, row=row + 1, mark_row=row)

    def _beside(self, words: str, x: float, reach: float) -> Label | None:
        """Return a label right of a mark, or left of it; None if it fits on neither side."""
        if x + reach + width(words) <= self._right:
            return Label(words=words, x=x + reach, anchor="start")
        if x - reach - width(words) >= self._left:
            return Label(words=words, x=x - reach, anchor="end")
        return None

    def _below(self, words: str, x: float) -> Label:
        words = cut(words, self._right - self._left)
        return Label(words=words, x=min(x, self._right - width(words)), anchor="start")

    def _take(self, spans: Sequence[tuple[float, float]]) -> int | None:
        """Take the first rows in which these spans are free, one below the other."""
        for first in range(len(self._taken) - len(spans) + 1):
            rows = self._taken[first : first + len(spans)]
            if all(_free(row, span) for row, span in zip(rows, spans, strict=True)):
                for row, span in zip(rows, spans, strict=True):
                    row.append(span)
                return first
        return None


def _free(row: Sequence[tuple[float, float]], span: tuple[float, float]) -> bool:
    return not any(span[0] < end + _GAP and start < span[1] + _GAP for start, end in row)


def width(words: str) -> float:
    """Return about how wide a text is in a picture, in its units."""
    return SIZE * sum(_letter(letter) for letter in words)


def cut(words: str, most: float) -> str:
    """Return as much of a text as is so wide at most, with an ellipsis if that is not all."""
    if width(words) <= most:
        return words
    fits = (n for n in range(len(words) - 1, 0, -1) if width(f"{words[:n]}…") <= most)
    return f"{words[: next(fits, 0)].rstrip(' …')}…"


def _letter(letter: str) -> float:
    if letter in "fijltrI.,:;'|!()[]/- ":
        return _NARROW
    if unicodedata.east_asian_width(letter) in "WF" or letter in "mwMW@%…—":
        return _WIDE
    return _CAPITAL if letter.isupper() else _MIDDLE
