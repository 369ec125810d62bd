"""Time in a real account: seconds by this machine's steady clock, and AWS's clock in them.

AWS's own times (those of the log) count from 1970 by AWS's clock, which this machine's may be off
from. Each answer of AWS says in its `Date` header which second it is there; many answers together
say it to a fraction of a second.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.client import BaseClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An answer: AWS's second in it, and between which times by the steady clock it was made."""

    second: float
    sent: float
    received: float


@dataclass(slots=True)
class AccountClock:
    """Seconds since `begin`; before that, since it was made.

    With a speed of 2 every wait of the drill is half as long as it says; for tests.
    """

    speed: float = 1.0
    _zero: float = field(default_factory=time.monotonic)
    _heard: list[Heard] = field(default_factory=list)

    def now(self) -> float:
        """Return the seconds."""
        return time.monotonic() - self._zero

    def begin(self) -> float:
        """Let the seconds count from now; return what earlier times must be shifted by."""
        passed = self.now()
        self._zero += passed
        return passed

    def scaled(self, seconds: float) -> float:
        """Return how long a wait of the drill takes."""
        return seconds / self.speed

    def wait_until(self, moment: float) -> None:
        """Wait until a moment, if it is still to come."""
        time.sleep(max(0.0, moment - self.now()))

    def listen(self, client: BaseClient) -> None:
        """Read AWS's clock off each answer that a client gets."""
        client.meta.events.register("before-call", _stamp)
        client.meta.events.register("after-call", self._hear)

    def since_1970(self, seconds: float) -> float:
        """Return AWS's time at a moment of the drill."""
        low, high = bounds(self._heard)
        return seconds + self._zero + (low + high) / 2

    @property
    def uncertainty(self) -> float:
        """Return by how many seconds `since_1970` may be off."""
        low, high = bounds(self._heard)
        return abs(high - low) / 2

    def _hear(self, http_response: Any, context: dict[str, Any], **_: object) -> None:  # noqa: ANN401 - botocore's
        said = http_response.headers.get("Date")
        if said:
            second = parsedate_to_datetime(said).timestamp()
            self._heard.append(
                Heard(second=second, sent=context["lab_sent"], received=time.monotonic())
            )


def _stamp(context: dict[str, Any], **_: object) -> None:
    context["lab_sent"] = time.monotonic()


def bounds(heard: list[Heard]) -> tuple[float, float]:
    """Return between which values AWS's clock less the steady one lies.

    An answer was made after it was asked for and before it came in, and its header leaves the
    fraction of the second out (RFC 9110, section 5.6.7). Without an answer, this machine's clock
    is taken, as far off as a request may be (5 minutes: "Signature Version 4", IAM user guide).
    """
    if not heard:
        offset = time.time() - time.monotonic()
        return offset - 300, offset + 300
    low = max(row.second - row.received for row in heard)
    high = min(row.second + 1 - row.sent for row in heard)
    return low, high
