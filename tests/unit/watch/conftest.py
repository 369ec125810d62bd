"""What the tests of the watch have of AWS, of the system and of its kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cdk_nat_failover.instances.watch import aws, kernel
from tests.unit.watch.netlink import Netlink
from tests.unit.watch.programs import Programs
from tests.unit.watch.services import Services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """AWS, as long as the test runs."""
    services = Services()
    monkeypatch.setattr(aws, "_METADATA", f"{services.url}/latest/")
    monkeypatch.setenv("AWS_ENDPOINT_URL", services.url)
    monkeypatch.setenv("no_proxy", "*")
    yield services
    services.end()


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Programs that are found before those of the system; none yet."""
    return Programs(tmp_path / "bin", monkeypatch)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Netlink]]:
    """Return how the kernel is made to answer those who ask it for connections."""
    made: list[Netlink] = []

    def answer(*messages: bytes) -> Netlink:
        made.append(Netlink(*messages))
        monkeypatch.setattr(kernel, "socket", made[-1])
        return made[-1]

    yield answer
    for each in made:
        each.end()
