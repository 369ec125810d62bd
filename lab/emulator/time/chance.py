"""Chance that repeats: every draw follows from the seed, the name of what is drawn, and its number.

Two things that happen at the same time draw under names of their own, so the order in which threads
ask changes nothing.
"""

from __future__ import annotations

import random
import threading
from collections import Counter


class Chance:
    """Draws for one drill."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._lock = threading.Lock()
        self._drawn: Counter[str] = Counter()

    def between(self, low: float, high: float, name: str) -> float:
        """Return a number between two others, all of them equally likely."""
        return self._next(name).uniform(low, high)

    def hits(self, probability: float, name: str) -> bool:
        """Return True with a probability."""
        return self._next(name).random() < probability

    def text(self, characters: str, length: int, name: str) -> str:
        """Return a text of so many of the characters."""
        return "".join(self._next(name).choices(characters, k=length))

    def _next(self, name: str) -> random.Random:
        with self._lock:
            self._drawn[name] += 1
            number = self._drawn[name]
        return random.Random(f"{self.seed}/{name}/{number}")  # noqa: S311 - not a secret
