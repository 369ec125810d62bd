"""Chance that repeats: every draw follows from the seed, the name of what is drawn, and its number.

Two things that happen at the same time draw under names of their own, so the order in which threads
ask changes nothing.
"""

from __future__ import annotations

import random
from collections import Counter


class Chance:
    """Draws for one drill."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._drawn: Counter[str] = Counter()

    def between(self, low: float, high: float, name: str) -> float:
        """Return a number between two others, all of them equally likely."""
        return self._next(name).uniform(low, high)

    def hits(self, probability: float, name: str) -> bool:
        """Return True with a probability."""
        return self._next(name).random() < probability

    def _next(self, name: str) -> random.Random:
        self._drawn[name] += 1
        return random.Random(f"{self.seed}/{name}/{self._drawn[name]}")  # noqa: S311 - not a secret
