"""What can be chosen about the NAT instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Instances:
    """The NAT instances and their group.

    `launch` says how the group launches them. `ami` is the id of an image of one's own, None for
    that which the public parameter `image` names. `self_test` are IPv4 addresses and host names
    that take connections at port 443, any one of which proves that a NAT forwards.
    """

    launch: Literal["template", "configuration"]
    instance_type: str
    image: str
    ami: str | None
    min: int
    max: int
    desired: int
    self_test: tuple[str, ...]
    session_manager: bool
