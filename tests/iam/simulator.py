"""The lab's evaluation of policies, one for all tests of a process."""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING, Any

from lab.emulator.iam.service import Request, Simulator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SIMULATOR = Simulator()
atexit.register(SIMULATOR.close)


def evaluate(
    policies: Sequence[Mapping[str, Any]],
    requests: Sequence[Request],
    *,
    principal: str = "arn:aws:sts::123456789012:assumed-role/any-role/any-session",
) -> list[bool]:
    """Return for each request whether the policies allow it to the principal."""
    return SIMULATOR.evaluate(policies, requests, principal=principal)
