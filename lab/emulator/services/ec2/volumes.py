"""How large the volumes of an instance are."""
# ruff: noqa: ANN401 - moto types little of its state

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.instances import Instance

from lab.emulator.behaviour import Behaviour, Emulation, Patches
from lab.emulator.services.ec2.instances import RootVolumesEndWithTheirInstance
from lab.emulator.side_tables import SideTable

_REFUSED = "InvalidBlockDeviceMapping"

_SIZES: SideTable[EC2Backend, dict[str, int]] = SideTable(dict)
"""The sizes of images' snapshots that are not the usual one."""

USUAL_GIB = 8
"""The size in the snapshots of the Amazon Linux 2023 images."""


def let_snapshot_be(aws: Emulation, image: str, gib: int) -> None:
    """Let the snapshot of an image have a size."""
    _SIZES[ec2_backends[aws.account][aws.region]][image] = gib


class VolumesTakeTheirSnapshotsSize(Behaviour):
    """A mapped volume without a size is as large as the image's snapshot; it is never smaller.

    moto refuses a mapping without a size, and takes any size.
    """

    source = "EC2 API reference, EbsBlockDevice; messages from public issue reports"
    after = (RootVolumesEndWithTheirInstance,)

    def install(self, patches: Patches) -> None:
        """Fill the size in, or refuse it."""
        self._add = Instance.add_block_device
        patches.method(Instance, "add_block_device", self._add_sized)

    def _add_sized(self, instance: Instance, size: Any, *given: Any, **named: Any) -> None:
        least = _SIZES[instance.ec2_backend].get(instance.image_id, USUAL_GIB)
        if size and int(size) < least:
            message = (
                f"Volume of size {size}GB is smaller than snapshot of {instance.image_id}, expect"
                f" size >= {least}GB"
            )
            raise EC2ClientError(_REFUSED, message)
        self._add(instance, size or least, *given, **named)
