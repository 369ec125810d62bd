"""Contracts of what an instance does with packets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.drills.boots import delays
from lab.drills.boots.forwarding import (
    BOOTED,
    FAILED,
    FORWARDS,
    InstancesForward,
    bad_boots,
    forwards,
    hang,
    lose_address,
)
from lab.emulator.services.ec2.health import impair
from lab.emulator.time.delays import FORWARDS_ON
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import (
    any_subnets,
    describe,
    emulated,
    eventually,
    state_of,
    status_of,
)

if TYPE_CHECKING:
    from lab.emulator.region import Region


def forwards_now(region: Region, instance: str) -> bool:
    """Return whether an instance forwards at this moment."""
    return forwards(emulated(instance), region.clock.now())


def new_instance(region: Region) -> str:
    """Return an instance that was just launched."""
    reply = region.client("ec2").run_instances(
        ImageId="ami-00000000000000000", MinCount=1, MaxCount=1, SubnetId=any_subnets(region)[0]
    )
    return str(reply["Instances"][0]["InstanceId"])


def any_nat(region: Region) -> str:
    """Return an instance that forwards."""
    instance = new_instance(region)
    assert eventually(region, lambda: forwards_now(region, instance))
    return instance


@contract_of(InstancesForward)
def test_instance_forwards_when_it_has_booted(region: Region) -> None:
    """A running instance boots first."""
    instance = new_instance(region)
    assert eventually(region, lambda: emulated(instance).state == "running")
    began = region.clock.now()
    assert not forwards_now(region, instance)
    assert eventually(region, lambda: forwards_now(region, instance))
    took = region.clock.now() - began
    assert delays.BOOT_SCRIPT.low <= took <= delays.BOOT_SCRIPT.high


@contract_of(InstancesForward)
def test_instance_forwards_on_when_it_was_just_told_to_end(region: Region) -> None:
    """It forwards for some seconds more, while it is shutting down already."""
    instance = any_nat(region)
    region.client("ec2").terminate_instances(InstanceIds=[instance])
    told = region.clock.now()
    assert forwards_now(region, instance)
    assert eventually(region, lambda: not forwards_now(region, instance))
    took = region.clock.now() - told
    assert FORWARDS_ON.low <= took <= FORWARDS_ON.high
    assert state_of(region, instance) == "shutting-down"


@contract_of(InstancesForward)
def test_instance_boots_again_when_it_is_started_again(region: Region) -> None:
    """A stopped instance does not forward; one that was started boots first."""
    instance = any_nat(region)
    region.client("ec2").stop_instances(InstanceIds=[instance])
    assert eventually(region, lambda: state_of(region, instance) == "stopped")
    assert not forwards_now(region, instance)
    region.client("ec2").start_instances(InstanceIds=[instance])
    assert eventually(region, lambda: emulated(instance).state == "running")
    assert not forwards_now(region, instance)
    assert eventually(region, lambda: forwards_now(region, instance))


@contract_of(InstancesForward)
def test_hung_instance_passes_its_checks_and_forwards_nothing(region: Region) -> None:
    """EC2 does not look at what an instance does with packets."""
    instance = any_nat(region)
    hang(region.aws, emulated(instance))
    assert not eventually(region, lambda: forwards_now(region, instance))
    assert state_of(region, instance) == "running"
    assert status_of(region, instance) == ("ok", "ok")


@contract_of(InstancesForward)
def test_instance_never_forwards_when_its_boot_fails(region: Region) -> None:
    """It runs, and its boot script gives up in the end; the next instance boots well."""
    bad_boots(region.aws, 1)
    bad, good = new_instance(region), new_instance(region)
    assert eventually(region, lambda: len(region.journal.entries(BOOTED)) > 1)
    results = {
        row.detail["instance"]: row.detail["result"] for row in region.journal.entries(BOOTED)
    }
    assert results == {bad: FAILED, good: FORWARDS}
    assert not forwards_now(region, bad)
    assert forwards_now(region, good)


@contract_of(InstancesForward)
def test_impaired_instance_forwards_nothing_until_it_was_stopped_and_started(
    region: Region,
) -> None:
    """From the moment on in which it is impaired; it starts on another host, where it is well."""
    instance = any_nat(region)
    impair(region.aws, emulated(instance))
    assert not forwards_now(region, instance)
    region.client("ec2").stop_instances(InstanceIds=[instance])
    assert eventually(region, lambda: state_of(region, instance) == "stopped")
    region.client("ec2").start_instances(InstanceIds=[instance])
    assert eventually(region, lambda: forwards_now(region, instance))


def test_instance_that_lost_its_public_address_forwards_nothing_and_runs_on(
    region: Region,
) -> None:
    """Nor does any API show it a public address."""
    instance = any_nat(region)
    lose_address(region.aws, emulated(instance))
    assert not forwards_now(region, instance)
    shown = describe(region, instance)
    assert shown["State"]["Name"] == "running"
    assert not shown.get("PublicIpAddress")
