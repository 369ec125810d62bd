"""An image of a running NAT: what boots from it is a new NAT, and knows nothing of the old one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lab.tests.packets.sockets import flow, listen
from lab.tests.packets.vpc import SCRIPT, A, B, any_vpc, lead, script

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.packets.fabric import Fabric
    from lab.packets.machine import Machine
    from lab.packets.values import Nat

CLOUD = "/var/lib/cloud"
WRITTEN = "/run/lab/over"
"""Where a machine keeps what it wrote to its disk; /run and the kernel's state are in no image."""

UNITS = ("nat-failover.service", "nat-failover-health.service")


@pytest.fixture(scope="module")
def fabric() -> Iterator[Fabric]:
    """A VPC in which a NAT runs, and another has booted from an image of it."""
    with any_vpc() as fabric:
        yield fabric


@pytest.fixture(scope="module")
def machine(fabric: Fabric, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """An instance with the first one's disk, as cloud-init has it before user data."""
    first = _launch(fabric, A)
    _user_data(first)
    disk = tmp_path_factory.mktemp("image") / "disk.tar"
    first.run("tar", "--create", f"--file={disk}", f"--directory={WRITTEN}", ".")
    return _launch(fabric, B, disk)


def test_units_of_the_image_wait_for_the_user_data_of_a_new_instance(
    fabric: Fabric, machine: Machine
) -> None:
    """With the settings of another instance they would serve, or switch this one off."""
    for unit in UNITS:
        assert [False, True] == [_starts(one, unit) for one in (machine, fabric.machines[A.name])]


def test_new_instance_of_the_image_completes_its_own_launch_and_forwards(
    fabric: Fabric, machine: Machine
) -> None:
    """The other's marker is in the image, and counts for nothing."""
    _user_data(machine)
    told = [call for call in machine.calls if call.startswith("aws ")]
    assert [f"--instance-id {B.name} --lifecycle-action-result CONTINUE"] == [
        call[call.index("--instance-id") :] for call in told
    ]
    assert all(_starts(machine, unit) for unit in UNITS)
    with listen(fabric.server) as listener:
        opened = flow(fabric.hosts["a"], listener)
        assert B.public == opened.source
        opened.close()


def _launch(fabric: Fabric, nat: Nat, disk: Path | None = None) -> Machine:
    machine = fabric.launch(nat)
    lead(fabric, nat)
    if disk:
        machine.run("tar", "--extract", f"--file={disk}", "--directory=/", "--no-overwrite-dir")
    # "Instance metadata" and "Boot stages", cloud-init's documentation: before the network is up.
    machine.run("mkdir", "--parents", f"{CLOUD}/instances/{nat.name}")
    link = (f"instances/{nat.name}", f"{CLOUD}/instance")
    machine.run("ln", "--symbolic", "--force", "--no-dereference", *link)
    return machine


def _user_data(machine: Machine) -> None:
    machine.write(SCRIPT, script())
    machine.run("bash", SCRIPT)


def _starts(machine: Machine, unit: str) -> bool:
    """Return whether systemd's condition of a unit is met."""
    text = machine.read(f"/etc/systemd/system/{unit}")
    (path,) = re.findall("^ConditionPathExists=(.*)$", text, re.MULTILINE)
    return machine.run("test", "-e", path, check=False).returncode == 0
