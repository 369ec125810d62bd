"""The faults that a real account allows, and how they are written: `terminate`, `terminate:b`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from lab.account.errors import RealDrillError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Kind(StrEnum):
    """What is done to the stack."""

    TERMINATE = "terminate"
    STOP = "stop"
    PLANNED = "planned"
    TAMPER = "tamper"
    CHECK_RESET = "check-reset"


ALLOWED = (
    ", ".join(Kind) + "; each but planned may name a zone's letter, as in terminate:b, and none a"
    " time, because they are played one after the other"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A kind of fault and the letter of the zone that it hits, or None for the first zone."""

    kind: Kind
    letter: str | None = None

    def __str__(self) -> str:
        """Return the fault as it is written."""
        return f"{self.kind}:{self.letter}" if self.letter else str(self.kind)

    def zone(self, zones: Sequence[str]) -> str:
        """Return which of the stack's zones it hits.

        Raises:
            RealDrillError: when none of them has the letter.

        """
        for zone in sorted(zones):
            if self.letter is None or zone.endswith(self.letter):
                return zone
        message = (
            f"fault {str(self)!r} names a zone that the stack does not have; its zones are"
            f" {', '.join(sorted(zones))}: give the last letter of one of them, or none for the"
            " first"
        )
        raise RealDrillError(message)


def parse(given: Sequence[str]) -> tuple[Fault, ...]:
    """Return the faults in the order in which they are to be played.

    Raises:
        RealDrillError: when there is none, or one that a real account does not allow.

    """
    if not given:
        message = f"no fault was given; a real account allows {ALLOWED}: give one"
        raise RealDrillError(message)
    return tuple(_fault(text) for text in given)


def _fault(text: str) -> Fault:
    name, colon, letter = text.partition(":")
    is_letter = len(letter) == 1 and letter.isalpha() and letter.islower()
    if name not in tuple(Kind) or (colon and (not is_letter or name == Kind.PLANNED)):
        message = f"fault {text!r} is none that a real account allows; allowed are {ALLOWED}"
        raise RealDrillError(message)
    return Fault(kind=Kind(name), letter=letter or None)
