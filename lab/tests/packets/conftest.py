"""A fabric with a host in each of two private subnets, and two NATs with the plainest of rules."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from lab.packets.fabric import Fabric
from lab.packets.requirements import missing_requirement
from lab.tests.packets.network import HOSTS, NATS, VPC, everything_works, masquerade
from lab.tests.packets.traffic import Echo

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True, scope="session")
def _packets_can_flow() -> None:
    """Skip with the reason where packets cannot flow; in CI they must."""
    if reason := missing_requirement():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


@pytest.fixture
def borrower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Wait until no other test borrows the sizes of the machine's connection table."""
    # The parent of a worker's folder is the same for all workers.
    with (tmp_path_factory.getbasetemp().parent / "borrower").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="module")
def wired() -> Iterator[Fabric]:
    """Build the fabric, and a server that echoes, once for a module."""
    with Fabric(vpc=VPC, hosts=HOSTS) as fabric, Echo(fabric.server):
        for nat in NATS:
            masquerade(fabric.launch(nat))
        yield fabric


@pytest.fixture
def fabric(wired: Fabric) -> Fabric:
    """Return the fabric with each host leaving through the NAT of its own zone."""
    wired.apply(everything_works())
    return wired
