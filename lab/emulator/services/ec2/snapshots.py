"""Volumes, and the snapshots of the images that they are made from."""
# ruff: noqa: SLF001, ANN401 - moto gives no other access to its state, and types little of it

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import FakeAutoScalingGroup
from moto.ec2.models import ec2_backends

from lab.aws.autoscaling.members import current_version
from lab.aws.autoscaling.requests import refuse
from lab.aws.behaviour import Behaviour, Emulation, Patches

if TYPE_CHECKING:
    from collections.abc import Iterator


def snapshot_of(aws: Emulation, image: str, gibibytes: int) -> None:
    """Let an image have a snapshot of a size; the lab knows none of images that nobody named."""
    sizes = vars(ec2_backends[aws.account][aws.region]).setdefault("snapshot_sizes", {})
    sizes[image] = gibibytes


class VolumesHoldTheirSnapshot(Behaviour):
    """A group refuses a launch template whose volume is smaller than its image's snapshot.

    A template that names no size gets the snapshot's. moto takes every size.
    """

    source = (
        "EC2 API reference, EbsBlockDevice.VolumeSize; github.com/zalando-incubator/"
        "kubernetes-on-aws, pull request 3817"
    )

    def install(self, patches: Patches) -> None:
        """Compare the sizes when a group is given a template."""
        self._set = FakeAutoScalingGroup._set_launch_configuration
        patches.method(FakeAutoScalingGroup, "_set_launch_configuration", self._set_fitting)

    def _set_fitting(self, group: FakeAutoScalingGroup, *given: Any, **named: Any) -> None:
        before = dict(vars(group))
        self._set(group, *given, **named)
        version = current_version(group)
        data = version.data if version else {}
        sizes = vars(group.ec2_backend).get("snapshot_sizes", {})
        expected = sizes.get(data.get("ImageId"), 0)
        for size in _sizes(data):
            if size < expected:
                vars(group).update(before)
                refuse(
                    "You must use a valid fully-formed launch template. Volume of size"
                    f" {size}GB is smaller than snapshot, expect size >= {expected}GB"
                )


def _sizes(data: dict[str, Any]) -> Iterator[int]:
    """Yield the sizes of volumes that a launch template names, in GiB."""
    for row in data.get("BlockDeviceMappings") or []:
        if size := (row.get("Ebs") or {}).get("VolumeSize"):
            yield int(size)
