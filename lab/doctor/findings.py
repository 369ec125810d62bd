"""What a check finds: a state, and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """What is known: nothing is wrong, something is, or AWS did not let it be read."""

    OK = "ok"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found; of a problem, the words say what to do."""

    state: State
    words: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A check by its name, and what it found."""

    name: str
    finding: Finding


def ok(words: str) -> Finding:
    """Return that nothing is wrong."""
    return Finding(State.OK, words)


def problem(words: str) -> Finding:
    """Return what is wrong, and what to do."""
    return Finding(State.PROBLEM, words)


def unknown(words: str) -> Finding:
    """Return why it is not known."""
    return Finding(State.UNKNOWN, words)
