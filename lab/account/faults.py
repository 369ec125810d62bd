"""The faults that a real account allows: those of the lab's table that say so, one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.account.errors import RealDrillError
from lab.drills.faults import FAULTS
from lab.drills.zones import ZONES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.drills.faults import ActionKind
    from lab.drills.scenario import ScheduledFault

ALLOWED = (
    ", ".join(fault.name for fault in FAULTS if fault.account)
    + "; a zone's letter may follow where the lab has one, as in terminate:b, and no time, because"
    " they are injected one after the other"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFault:
    """What is done, the letter of the zone that it hits (None: the first one), and as written."""

    kind: ActionKind
    letter: str | None = None
    written: str

    def __str__(self) -> str:
        """Return the fault as it is written."""
        return self.written

    def zone(self, zones: Sequence[str]) -> str:
        """Return which of the stack's zones it hits.

        Raises:
            RealDrillError: when none of them has the letter.

        """
        for zone in sorted(zones):
            if self.letter is None or zone.endswith(self.letter):
                return zone
        message = (
            f"fault {self.written!r} names a zone that the stack does not have; its zones are"
            f" {', '.join(sorted(zones))}: give the last letter of one of them, or none for the"
            " first"
        )
        raise RealDrillError(message)


def account_faults(faults: Sequence[ScheduledFault]) -> tuple[AccountFault, ...]:
    """Return the faults in the order in which they are to be injected.

    Raises:
        RealDrillError: when there is none, or one that a real account does not allow.

    """
    if not faults:
        message = f"no fault was given; a real account allows {ALLOWED}: give one"
        raise RealDrillError(message)
    return tuple(map(_allowed, faults))


def _allowed(scheduled: ScheduledFault) -> AccountFault:
    account = scheduled.fault.account
    if account is None or scheduled.option not in (None, *ZONES) or scheduled.start:
        message = (
            f"fault {str(scheduled)!r} is none that a real account allows; allowed are {ALLOWED}"
        )
        raise RealDrillError(message)
    return AccountFault(kind=account.kind, letter=scheduled.option, written=str(scheduled))
