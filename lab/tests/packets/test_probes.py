"""What a client in a namespace sees of a server in another when the way between them breaks."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest
from pyroute2 import netns

from lab.packets.namespace_setup import set_up
from lab.packets.namespaces import Namespace, Namespaces
from lab.packets.probes.processes import Client, serving
from lab.packets.probes.record import Record, host_packets
from lab.packets.probes.series import EVERY, PATIENCE
from lab.packets.requirements import PacketsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.drills.host_packets import Flow, HostPackets

SERVER, CLIENT = "198.51.100.1", "198.51.100.2"
KINDS = ["TCP", "UDP", "ICMP"]
CUT = """
table ip cut {
    chain input { type filter hook input priority 0; policy drop; }
}
"""
COUNT = """
table ip count {
    counter resets { }
    counter ends { }
    chain input {
        type filter hook input priority 0;
        tcp flags & rst == rst counter name "resets"
        tcp flags & fin == fin counter name "ends"
    }
}
"""
RESET = """
table ip resets {
    chain input {
        type filter hook input priority 0;
        tcp flags & (syn | fin | rst) == 0 reject with tcp reset
    }
}
"""
"""Every segment of an open connection is answered with a reset."""


class Line:
    """A client and a server, joined by a cable."""

    def __init__(self, server: Namespace, client: Namespace) -> None:
        self.server = server
        self.client = client
        self._running = Client(client, SERVER)
        self._running.wait_until_ready()

    def stop(self) -> Record:
        """Return what the client saw."""
        return self._running.stop()


@pytest.fixture
def cable() -> Iterator[tuple[Namespace, Namespace]]:
    """Return two namespaces, joined: the server's and the client's."""
    with Namespaces() as namespaces:
        server, client = namespaces.add("server"), namespaces.add("client")
        for namespace in (server, client):
            set_up(namespace, forwards=False)
        namespaces.join(server, "eth0", client, "eth0")
        for namespace, address in ((server, SERVER), (client, CLIENT)):
            namespace.run("ip", "address", "add", f"{address}/24", "dev", "eth0")
        yield server, client


@pytest.fixture
def line(cable: tuple[Namespace, Namespace]) -> Iterator[Line]:
    """Return the two with server and client running, each thing having worked once."""
    with serving(cable[0]):
        yield Line(*cable)


def test_client_loses_the_probes_of_an_outage_and_no_others(line: Line) -> None:
    """Each probe that was sent in it is lost, those long before and after it are not."""
    began = cut(line.server)
    wait_until(lambda: time.monotonic() > began + 0.5)
    ended = mend(line.server)
    wait_until(lambda: time.monotonic() > ended + 0.5)
    seen = told(line.stop(), began)
    assert [probes.kind for probes in seen.probes] == KINDS
    for probes in seen.probes:
        (loss,) = probes.losses
        assert loss.count == probes.lost
        assert loss.count == pytest.approx((loss.end - loss.start) / EVERY, rel=0.2)
        assert -0.25 < loss.start < 0.25
        assert ended - began - 0.25 < loss.end < ended - began + 0.25
        assert probes.sent > probes.lost + 50


def test_client_sends_every_probe_when_the_machine_is_late(line: Line) -> None:
    """A client that was stopped for a while sends what was due meanwhile, and loses nothing."""
    began = stop_for(0.5, line.client)
    wait_until(lambda: time.monotonic() > began + 1)
    for probes in told(line.stop(), began).probes:
        assert probes.lost == 0
        assert probes.sent >= 100


def test_client_tells_lost_probes_from_late_ones(line: Line) -> None:
    """A server that is stopped for a while answers afterwards: late to what it was asked then."""
    began = stop_for(0.6, line.server)
    wait_until(lambda: time.monotonic() > began + 1)
    tcp, udp, icmp = told(line.stop(), began).probes
    assert (tcp.lost, udp.lost, icmp.lost, icmp.late) == (0, 0, 0, 0)
    assert tcp.late == pytest.approx(50, abs=10)
    assert udp.late == pytest.approx(50, abs=10)
    (delay,) = tcp.delays
    assert -0.1 < delay.start < 0.1


def test_flow_learns_of_a_reset_at_its_next_packet_and_connects_again(line: Line) -> None:
    """Chatty, upload, download: soon. A keep-alive: at the kernel's next probe, 2 s at most."""
    began = time.monotonic()
    line.server.rules(RESET)
    wait_until(lambda: time.monotonic() > began + 3.5)
    line.server.run("nft", "delete", "table", "ip", "resets")
    wait_until(lambda: time.monotonic() > began + 5)
    seen = flows(told(line.stop(), began))
    assert seen["idle"].breaks == ()
    for name in ("chatty", "upload", "download", "keep-alive"):
        first = seen[name].breaks[0]
        assert first.error == "Connection reset by peer"
        assert 0 < first.learned < (3 if name == "keep-alive" else 1)
        assert first.reconnected is not None
        assert seen[name].waits_since is None


def test_flow_waits_in_vain_when_nobody_tells_it(line: Line) -> None:
    """Without a reset, who asks, sends or receives does not learn; a keep-alive does in time."""
    began = cut(line.server)
    wait_until(lambda: time.monotonic() > began + 9.5)
    seen = flows(told(line.stop(), began))
    for name in ("chatty", "upload", "download"):
        assert seen[name].breaks == ()
        waits = seen[name].waits_since
        assert waits is not None
        assert -0.5 < waits < 1
    (learned,) = seen["keep-alive"].breaks
    assert learned.error == "Connection timed out"
    assert learned.reconnected is None


def test_probes_that_are_over_are_forgotten_by_connection_tables(line: Line) -> None:
    """A small machine has room for 4096 entries, and a NAT may carry the probes of all hosts.

    After a reset a table forgets a connection within seconds, after an orderly end in two minutes.
    """
    line.server.rules(COUNT)
    began = time.monotonic()
    wait_until(lambda: time.monotonic() > began + 1)
    assert counted(line.server, "resets") > 50
    assert counted(line.server, "ends") == 0
    for name in ("udp_timeout", "tcp_timeout_close"):
        setting = line.server.run("sysctl", "--values", f"net.netfilter.nf_conntrack_{name}")
        assert float(setting.stdout) == PATIENCE


def test_client_that_gets_no_answers_is_named_with_its_server(
    cable: tuple[Namespace, Namespace],
) -> None:
    """Before a drill begins, everything has worked once."""
    client = Client(cable[1], SERVER)
    with pytest.raises(PacketsError, match=f"-client gets no answers from {SERVER}: nothing for"):
        client.wait_until_ready(limit=0.5)


def cut(namespace: Namespace) -> float:
    """Let a namespace drop all that reaches it; return when it began to."""
    namespace.rules(CUT)
    return time.monotonic()


def mend(namespace: Namespace) -> float:
    """Let a namespace take what reaches it again; return since when."""
    namespace.run("nft", "delete", "table", "ip", "cut")
    return time.monotonic()


def counted(namespace: Namespace, name: str) -> int:
    """Return how many packets a named counter has seen."""
    told = namespace.run("nft", "list", "counter", "ip", "count", name).stdout
    return int(told.split("packets ")[1].split()[0])


def stop_for(seconds: float, namespace: Namespace) -> float:
    """Let the processes of a namespace stand still for a while; return since when they did."""
    processes = netns.ns_pids()[namespace.name]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    began = time.monotonic()
    wait_until(lambda: time.monotonic() > began + seconds)
    for process in processes:
        os.kill(process, signal.SIGCONT)
    return began


def told(record: Record, began: float) -> HostPackets:
    """Return what a client saw since something began."""
    return host_packets(record, host=CLIENT, zone="zone a", zero=began, since=-0.05)


def flows(seen: HostPackets) -> dict[str, Flow]:
    """Return the flows by name."""
    return {flow.name: flow for flow in seen.flows}


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for something that comes by itself."""
    while not condition():
        time.sleep(0.01)
