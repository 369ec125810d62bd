"""Tags that AWS keeps to itself."""
# ruff: noqa: SLF001 - moto gives no other access to a request's parameters

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from moto.ec2.responses.tags import TagResponse

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.ec2.refusals import refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from moto.core.responses import ActionResult

_RESERVED = "aws:"


class ReservedTagsAreRefused(Behaviour):
    """CreateTags and DeleteTags refuse keys that begin with "aws:", in any case of the letters.

    So nobody but Auto Scaling can say of an instance to which group it belongs. moto takes them.
    """

    source = (
        "EC2 user guide, 'Tag restrictions'; EC2's error in github.com/cloud-custodian/"
        "cloud-custodian/issues/5975"
    )

    def install(self, patches: Patches) -> None:
        """Look at the keys before moto writes."""
        for name in ("create_tags", "delete_tags"):
            write = getattr(TagResponse, name)
            patches.method(TagResponse, name, partial(self._write, write))

    @staticmethod
    def _write(write: Callable[[TagResponse], ActionResult], response: TagResponse) -> ActionResult:
        rows: list[dict[str, Any]] = response._get_param("Tags", [])
        for key in (str(row["Key"]) for row in rows):
            if key.lower().startswith(_RESERVED):
                message = (
                    f"Value ( {key} ) for parameter key is invalid. Tag keys starting with 'aws:'"
                    " are reserved for internal use"
                )
                refuse("InvalidParameterValue", message)
        return write(response)
