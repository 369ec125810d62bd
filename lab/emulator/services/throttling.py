"""EC2 and Auto Scaling: calls that come too fast are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.emulator.behaviour import Behaviour

if TYPE_CHECKING:
    from lab.emulator.behaviour import Patches


class ThrottlesCalls(Behaviour):
    """EC2 and Auto Scaling refuse calls of functions that come faster than an account may call.

    EC2 with RequestLimitExceeded and status 503, Auto Scaling with Throttling and 400. moto answers
    them all.
    """

    source = "EC2 developer guide, 'Request throttling for the Amazon EC2 API'"

    def install(self, patches: Patches) -> None:
        """Judge the calls of functions."""
        del patches  # moto itself stays as it is
        self._aws.calls.judges.append(self._aws.throttling)
