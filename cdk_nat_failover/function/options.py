"""What can be chosen about the failover function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nat_failover.contract import Failback, Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Failover:
    """How the function gives a subnet another NAT and its own one back, and what it takes back.

    With `adopt` it takes back what somebody else pointed elsewhere.
    """

    strategy: Strategy
    failback: Failback
    adopt: bool
