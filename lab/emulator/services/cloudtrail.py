"""CloudTrail: what it knows of the last minutes."""

from __future__ import annotations

from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.responses import ActionResult

from lab.emulator.behaviour import Behaviour, Patches


class TrailsAreLate(Behaviour):
    """CloudTrail shows a call minutes after it was made, so a lookup right after it finds nothing.

    The CDK looks there for the cause of a failed deployment. moto has no LookupEvents, which the
    CDK then tries again and again.
    """

    source = "CloudTrail user guide, 'How CloudTrail works': on average within about 5 minutes"

    def install(self, patches: Patches) -> None:
        """Add the action, which finds nothing."""
        patches.method(CloudTrailResponse, "lookup_events", self._lookup)

    @staticmethod
    def _lookup(_: CloudTrailResponse) -> ActionResult:
        return ActionResult({"Events": []})
