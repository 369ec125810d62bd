"""Attempts to reach something, on this host's own ports."""

from __future__ import annotations

import select
import socket
from typing import TYPE_CHECKING

import pytest

from cdk_nat_failover.instances.watch import egress
from cdk_nat_failover.instances.watch.egress import Egress, resolve
from cdk_nat_failover.instances.watch.judgement import PROBE_TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = "127.0.0.1"


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What listens where attempts go."""
    with socket.create_server((HERE, 0)) as listener:
        monkeypatch.setattr(egress, "PORT", listener.getsockname()[1])
        yield listener


def attempt(egress: Egress) -> bool | None:
    """Return how an attempt ended."""
    assert egress.begin(0.0)
    assert egress.socket is not None
    _, writable, _ = select.select([], [egress.socket], [], 5)
    return egress.ended(0.1, writable=bool(writable))


def test_targets_are_resolved_in_their_order() -> None:
    """Addresses are their own; what has none is left out."""
    assert ["192.0.2.1", HERE, "10.0.0.1"] == resolve(["192.0.2.1", "::1", "localhost", "10.0.0.1"])


@pytest.mark.parametrize("name", ["10.1", "172.31.1", "192.168.1", "100.64.1"])
def test_name_that_leads_into_the_vpc_is_left_out(name: str) -> None:
    """These are other names of private addresses, without a resolver."""
    assert [] == resolve([name])


@pytest.mark.parametrize("name", ["11.1", "172.32.1", "100.128.1"])
def test_name_that_leads_outside_is_kept(name: str) -> None:
    """By addresses next to the private ones."""
    (address,) = resolve([name])
    assert socket.inet_aton(name) == socket.inet_aton(address)


def test_attempt_succeeds_when_something_listens(listener: socket.socket) -> None:
    """It is closed then."""
    egress = Egress()
    egress.addresses = [HERE]

    assert attempt(egress) is True

    assert egress.socket is None
    listener.accept()[0].close()


def test_attempt_fails_when_nothing_listens(listener: socket.socket) -> None:
    """The refusal comes from a host that is reached; the targets listen."""
    listener.close()
    egress = Egress()
    egress.addresses = [HERE]

    assert attempt(egress) is False


def test_attempt_fails_at_once_when_no_route_leads_there() -> None:
    """Nobody connects to a broadcast address."""
    egress = Egress()
    egress.addresses = ["255.255.255.255"]

    assert egress.begin(0.0) is False
    assert egress.ended(0.1, writable=False) is None


@pytest.mark.usefixtures("listener")
def test_attempt_fails_when_its_time_is_up() -> None:
    """Before that it is under way."""
    egress = Egress()
    egress.addresses = [HERE]
    assert egress.begin(1.0)

    assert egress.ended(1.0 + PROBE_TIMEOUT_S - 0.1, writable=False) is None
    assert egress.ended(1.0 + PROBE_TIMEOUT_S, writable=False) is False
    assert egress.ended(1.0 + PROBE_TIMEOUT_S, writable=False) is None


def test_nothing_is_attempted_when_there_is_no_target() -> None:
    """Whether there is a way out is not known then."""
    assert Egress().begin(0.0) is None


@pytest.mark.usefixtures("listener")
def test_attempts_take_turns() -> None:
    """One target may be ill by itself."""
    egress = Egress()
    egress.addresses = [HERE, "255.255.255.255"]

    begun = []
    for now in (0.0, 9.0):
        begun.append(egress.begin(now))
        egress.ended(now + PROBE_TIMEOUT_S, writable=False)

    assert {True, False} == set(begun)
