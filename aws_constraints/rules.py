"""The kinds of rule that AWS's documents state of a value; each says in words how one breaks it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import pairwise
from typing import Any, ClassVar, Protocol

_WHOLE = 100


class Rule(Protocol):
    """A rule about a value; `covers_parts` tells whether it also speaks for what is inside it."""

    covers_parts: ClassVar[bool]

    def breach(self, value: Any) -> str:  # noqa: ANN401 - whatever a template or a call carries
        """Return how the value breaks the rule, as the end of a sentence; empty if it does not."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text of some length whose whole matches a pattern; `allowed` says the same in words."""

    pattern: str = r"[\s\S]*"
    allowed: str
    shortest: int = 0
    longest: int

    covers_parts: ClassVar[bool] = False

    def breach(self, value: Any) -> str:  # noqa: ANN401 - see Rule
        """Look at the length first."""
        text = str(value)
        if not self.shortest <= len(text) <= self.longest:
            return f"has {len(text)} characters, not {self.shortest} to {self.longest}"
        return "" if re.fullmatch(self.pattern, text) else f"is not made of {self.allowed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A whole number in a range, also where it is written as a text; `step` divides it."""

    low: int
    high: int
    step: int = 1

    covers_parts: ClassVar[bool] = False

    def breach(self, value: Any) -> str:  # noqa: ANN401 - see Rule
        """Take "5" for 5, as CloudFormation does."""
        if not re.fullmatch(r"-?\d+", str(value)):
            return "is not a whole number"
        if not self.low <= int(value) <= self.high:
            return f"is not from {self.low} to {self.high}"
        return "" if int(value) % self.step == 0 else f"is not a multiple of {self.step}"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few texts."""

    values: tuple[str, ...]

    covers_parts: ClassVar[bool] = False

    def breach(self, value: Any) -> str:  # noqa: ANN401 - see Rule
        """Compare exactly."""
        return "" if str(value) in self.values else f"is none of {', '.join(self.values)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """An IPv4 CIDR block with a prefix length in a range and no bit set after the prefix."""

    shortest: int = 0
    longest: int = 32

    covers_parts: ClassVar[bool] = False

    def breach(self, value: Any) -> str:  # noqa: ANN401 - see Rule
        """Look at the form first."""
        try:
            network = IPv4Network(str(value))
        except ValueError:
            return "is not an IPv4 CIDR block without bits after its prefix"
        if "/" not in str(value) or not self.shortest <= network.prefixlen <= self.longest:
            return f"is not between /{self.shortest} and /{self.longest}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A text, or what is sent as JSON, of limited size; it speaks for all that is inside it."""

    longest: int

    covers_parts: ClassVar[bool] = True

    def breach(self, value: Any) -> str:  # noqa: ANN401 - see Rule
        """Count bytes, of JSON without spaces."""
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        size = len(text.encode())
        return "" if size <= self.longest else f"has {size} bytes, more than {self.longest}"


@dataclass(frozen=True, slots=True)
class AtMost:
    """Of numbers that are properties of one object, each is at most the next that is there."""

    keys: tuple[str, ...]

    covers_parts: ClassVar[bool] = False

    def breach(self, value: Any) -> str:  # noqa: ANN401 - see Rule
        """Look at the neighbours."""
        there = [key for key in self.keys if str(value.get(key, "")).isdecimal()]
        for lesser, greater in pairwise(there):
            if int(value[lesser]) > int(value[greater]):
                return f"has {lesser} {value[lesser]}, more than {greater} {value[greater]}"
        return ""


@dataclass(frozen=True, slots=True)
class Percentages:
    """Two percentages of one object around 100, at most 100 apart, or -1 for both to have none."""

    least: str
    most: str

    covers_parts: ClassVar[bool] = True

    def breach(self, value: Any) -> str:  # noqa: ANN401 - see Rule
        """Look first whether both are there."""
        there = [key for key in (self.least, self.most) if key in value]
        if len(there) == 1:
            return f"has {there[0]} only"
        least, most = (str(value.get(key, -1)) for key in (self.least, self.most))
        if least == most == "-1":
            return ""
        for key, given, low, high in ((self.least, least, 0, 100), (self.most, most, 100, 200)):
            if reason := Number(low=low, high=high).breach(given):
                return f"has {key} {given}, which {reason}"
        apart = int(most) - int(least)
        return f"has {self.least} and {self.most} {apart} apart, not 100" if apart > _WHOLE else ""
