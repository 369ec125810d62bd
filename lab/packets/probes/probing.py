"""Probes from private hosts to a server on the internet, as long as a `with` block lasts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.packets.probes.processes import Client, serving
from lab.packets.probes.record import host_packets
from lab.packets.with_block import WithBlock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import ExitStack

    from lab.drills.host_packets import HostPackets
    from lab.packets.namespaces import Namespace


@dataclass(frozen=True, slots=True)
class Prober:
    """A private host that probes: its address, its zone, and where it runs."""

    address: str
    zone: str
    namespace: Namespace


class Probing(WithBlock):
    """A server, and a client in each private host; each thing has worked once when it begins."""

    def __init__(self, server: Namespace, address: str, probers: Sequence[Prober]) -> None:
        super().__init__()
        self._server, self._address, self._probers = server, address, probers
        self._clients: list[Client] = []

    def _begin(self, stack: ExitStack) -> None:
        stack.enter_context(serving(self._server))
        for prober in self._probers:
            self._clients.append(Client(prober.namespace, self._address))
            stack.callback(self._clients[-1].end)
        for client in self._clients:
            client.wait_until_ready()

    def stop(self, *, zero: float, since: float) -> tuple[HostPackets, ...]:
        """Stop all clients; return what each host saw, in seconds since a moment.

        `zero` is of CLOCK_MONOTONIC; probes count from `since`, in seconds after it.
        """
        records = [client.stop() for client in self._clients]
        return tuple(
            host_packets(record, host=prober.address, zone=prober.zone, zero=zero, since=since)
            for record, prober in zip(records, self._probers, strict=True)
        )
