"""Contracts of the key that encrypts volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.emulator.services.ec2.volume_keys import (
    LaunchesNeedTheirVolumeKey,
    lose_volume_key,
    restore_volume_key,
)
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import any_group, any_subnets, eventually, in_service

if TYPE_CHECKING:
    from lab.emulator.region import Region


@contract_of(LaunchesNeedTheirVolumeKey)
def test_launch_fails_and_is_tried_again_while_volumes_cannot_be_encrypted(region: Region) -> None:
    """The instance says why it ended."""
    lose_volume_key(region.aws)
    any_group(region, any_subnets(region), 1)
    region.clock.pass_time(300)
    assert in_service(region) == []
    described = region.client("ec2").describe_instances()["Reservations"]
    first = described[0]["Instances"][0]
    assert first["StateReason"]["Code"] == "Client.InvalidKMSKey.InvalidState"
    restore_volume_key(region.aws)
    assert eventually(region, lambda: len(in_service(region)) == 1)
