"""What one host can take of the connection table of a NAT, and what its neighbours have left.

The NAT is one of 512 MiB, with 65 536 entries. The kernel's own maximum is the machine's, and more,
unless another test has borrowed it: those that fill the table wait until none has.
"""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from lab.packets.values import SERVER
from lab.tests.packets.segments import SYN, End, Segment, datagram
from lab.tests.packets.sockets import flow, listen
from lab.tests.packets.vpc import HOSTS, SCRIPT, A, any_vpc, hand_over, lead, script

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.packets.fabric import Fabric
    from lab.packets.machine import Machine

SHARE = 32_768
"""Half of the entries. One connection in 64 is counted, so that it is met within a tenth or so."""

MANY = 55_000
COUNT = "/proc/sys/net/netfilter/nf_conntrack_count"
HEALTH = "/etc/nat-failover/health"
PORT = 80

REFUSES_COUNTS = """#!/bin/bash
[[ $* == *--file* ]] || exec /usr/sbin/nft "$@"
text=$(cat)
[[ $text != *'ct count'* ]] && exec /usr/sbin/nft "$@" <<<"$text"
"""


@pytest.fixture
def fabric() -> Iterator[Fabric]:
    """A VPC without a NAT."""
    with any_vpc() as fabric:
        yield fabric


@pytest.fixture
def machine(fabric: Fabric) -> Machine:
    """A NAT of 512 MiB that serves all hosts, and forgets datagrams after 12 s."""
    machine = fabric.launch(A)
    lead(fabric, A)
    machine.pretend({"/proc/meminfo": "MemTotal: 429512 kB\n"})
    machine.write(SCRIPT, script())
    machine.run("bash", SCRIPT)
    machine.run("sysctl", "--write", "net.netfilter.nf_conntrack_udp_timeout=12")
    return machine


@pytest.mark.usefixtures("borrower")
def test_neighbours_connect_when_a_host_has_opened_more_connections_than_its_share(
    fabric: Fabric, machine: Machine
) -> None:
    """The server answers each, so that none is given up; what is above the share is refused."""
    # Nobody listens to the answers at the host: they may not end what they answer.
    refusing = "type filter hook output priority 0; policy accept; tcp flags rst drop;"
    fabric.hosts["a"].rules(f"table ip mute {{ chain output {{ {refusing}\n }}\n }}\n")
    with listen(fabric.server, PORT) as listener:
        _open_more_than_its_share(fabric, machine, _syns())
        assert any(_is_named(fabric, machine) for _ in range(5))
    with listen(fabric.server) as listener:
        for _ in range(100):
            flow(fabric.hosts["b"], listener).close()


@pytest.mark.usefixtures("borrower")
def test_host_sends_again_when_its_datagrams_are_forgotten(
    fabric: Fabric, machine: Machine
) -> None:
    """It is refused for five seconds at most once it has less than its share."""
    _open_more_than_its_share(fabric, machine, _datagrams(PORT))
    assert "" != machine.run(HEALTH).stdout
    _wait_for_datagrams(fabric, machine)
    assert "" == machine.run(HEALTH).stdout


def test_table_that_is_nearly_full_is_told_at_each_look(machine: Machine) -> None:
    """Whoever fills it; the line goes to the journal and the console, by the unit."""
    machine.pretend({COUNT: "52000\n"})
    assert "" == machine.run(HEALTH).stdout
    machine.run("sh", "-c", f"echo 52500 >{COUNT}")
    said = "52500 of 65536 entries of the connection table are taken; "
    assert machine.run(HEALTH).stdout.startswith(said)


def test_a_change_of_the_filter_keeps_the_share_of_the_instance(machine: Machine) -> None:
    """It is a number that only the host knows."""
    assert "ct count over 512 " in _filter(machine)
    machine.run("/etc/nat-failover/up", "filter")
    assert "ct count over 512 " in _filter(machine)


def test_nat_forwards_without_shares_where_the_kernel_cannot_count(
    fabric: Fabric, machine: Machine
) -> None:
    """A kernel may come without nft_connlimit; the other rules are loaded, and the log says so."""
    machine.command("nft", REFUSES_COUNTS)
    run = machine.run("/etc/nat-failover/up")
    assert "without the share per host" in run.stdout
    assert "ct count" not in _filter(machine)
    with listen(fabric.server) as listener:
        flow(fabric.hosts["b"], listener).close()


def _open_more_than_its_share(fabric: Fabric, machine: Machine, packets: Sequence[bytes]) -> None:
    """Let the host send until it is refused; a sample of 512 has a deviation of 4.4 %."""
    before = _refused(machine)
    for _ in range(10):  # a busy machine drops some packets
        hand_over(fabric, A, *packets)
        if before != _refused(machine):
            break
    assert pytest.approx(SHARE, rel=0.15) == _entries(machine)


def _syns() -> list[bytes]:
    return [
        Segment(source=source, destination=End(SERVER, PORT), flags=SYN, sequence=1000).packet
        for source in _sources()
    ]


def _datagrams(port: int) -> list[bytes]:
    return [datagram(source, End(SERVER, port)) for source in _sources()]


def _sources() -> Iterator[End]:
    return (End(HOSTS[0].address, port) for port in range(1024, 1024 + MANY))


def _is_named(fabric: Fabric, machine: Machine) -> bool:
    """Let the host try again, and return whether the look names it: it does for five seconds."""
    hand_over(fabric, A, *_syns())
    return HOSTS[0].address in machine.run(HEALTH).stdout


def _wait_for_datagrams(fabric: Fabric, machine: Machine) -> None:
    deadline = time.monotonic() + 30
    new = iter(_datagrams(PORT + 1))
    while time.monotonic() < deadline:
        before = _refused(machine)
        hand_over(fabric, A, *islice(new, 200))
        if before == _refused(machine):
            return
        time.sleep(0.5)
    pytest.fail("the host is still refused")


def _filter(machine: Machine) -> str:
    return machine.run("nft", "list", "table", "ip", "nat_failover_filter").stdout


def _refused(machine: Machine) -> str:
    return machine.run("nft", "list", "counter", "ip", "nat_failover_filter", "refused").stdout


def _entries(machine: Machine) -> int:
    return int(machine.read(COUNT))
