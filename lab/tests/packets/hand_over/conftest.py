"""Three NATs that have booted, two or all of which hand flows over to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.tests.packets.hand_over.hand_overs import C, HandOvers, moved
from lab.tests.packets.sockets import listen
from lab.tests.packets.vpc import A, B, any_vpc, booted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.packets.fabric import Fabric
    from lab.packets.values import Nat
    from lab.tests.packets.sockets import Flow


@pytest.fixture(scope="package")
def fabric() -> Iterator[Fabric]:
    """A VPC with three NATs as they boot."""
    with any_vpc() as fabric:
        for nat in (A, B, C):
            booted(fabric, nat)
        yield fabric


@pytest.fixture(params=[(A, B), (A, B, C)], ids=["two NATs", "three NATs"])
def nats(fabric: Fabric, request: pytest.FixtureRequest) -> Iterator[Sequence[Nat]]:
    """NATs that hand flows over to each other."""
    with HandOvers(fabric, request.param):
        yield request.param


@pytest.fixture
def opened(fabric: Fabric, nats: Sequence[Nat]) -> Iterator[Flow]:
    """A flow through the last NAT of the ring, before its table moved to the first."""
    with listen(fabric.server) as listener, moved(fabric, listener, nats) as flow:
        yield flow
