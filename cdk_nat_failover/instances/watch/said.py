"""What NATs say to each other and to the function, and what they are told: values alone.

Times are seconds of the instance's own clock, which counts from its boot and never jumps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EGRESS = "egress"
"""The ailment of a NAT that reaches nothing on the internet."""

FORWARDING = "forwarding"
"""The ailment of a NAT whose rules are gone, or that does not forward."""


@dataclass(frozen=True)
class Peer:
    """A NAT of the ring; `state` is how the function judges it."""

    instance: str
    address: str
    state: str = "usable"


@dataclass(frozen=True)
class Ring:
    """The NATs of a stack, by instance id; `version` grows with each change."""

    members: tuple[Peer, ...] = ()
    version: int | None = None

    def peer(self, instance: str) -> Peer | None:
        """Return a member by its id."""
        return next((peer for peer in self.members if peer.instance == instance), None)


@dataclass(frozen=True)
class Heartbeat:
    """What a NAT says to each peer; `sequence` grows, `silent` are the peers it does not hear."""

    instance: str
    sequence: int
    ailment: str | None = None
    silent: tuple[str, ...] = ()
    ring: int | None = None
    bye: bool = False


@dataclass(frozen=True)
class Claim:
    """What a NAT says to the function of itself and its peers.

    `silent` is since when each peer is not heard, `ill` what peers say of themselves, `flows` how
    many established ones a leaving NAT carries.
    """

    instance: str
    ailment: str | None = None
    silent: Mapping[str, float] = field(default_factory=dict)
    ill: Mapping[str, str] = field(default_factory=dict)
    ring: int | None = None
    flows: int | None = None
