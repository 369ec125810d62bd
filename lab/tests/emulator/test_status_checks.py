"""Contracts of EC2's status checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.emulator.services.ec2.health import StatusChecksFail, impair, status_check_failed
from lab.emulator.time import delays
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import any_instance, emulated, eventually, state_of, status_of

if TYPE_CHECKING:
    from lab.emulator.region import Region


@contract_of(StatusChecksFail)
def test_impaired_instance_runs_and_fails_its_next_status_checks(region: Region) -> None:
    """The checks see it within a minute."""
    instance = any_instance(region)
    impair(region.aws, emulated(instance))
    assert status_of(region, instance) == ("ok", "ok")
    assert region.clock.wait_until(
        lambda: status_check_failed(emulated(instance)), delays.STATUS_CHECK.high
    )
    assert status_of(region, instance) == ("impaired", "impaired")
    assert state_of(region, instance) == "running"


@contract_of(StatusChecksFail)
def test_impaired_instance_is_well_when_it_was_stopped_and_started(region: Region) -> None:
    """It starts on another host."""
    instance = any_instance(region)
    impair(region.aws, emulated(instance))
    assert eventually(region, lambda: status_of(region, instance) == ("impaired", "impaired"))
    region.client("ec2").stop_instances(InstanceIds=[instance])
    assert eventually(region, lambda: state_of(region, instance) == "stopped")
    region.client("ec2").start_instances(InstanceIds=[instance])
    assert eventually(region, lambda: state_of(region, instance) == "running")
    assert status_of(region, instance) == ("ok", "ok")
