"""NATs with the real watch, and what the function would think of them by what they publish.

AWS is played by a recorder: it has the ring that a test sets, and keeps the newest claim of each
NAT. The function's own judgement of claims says who is sick.
"""

from __future__ import annotations

import json
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from cdk_nat_failover.instances.nat_user_data import Boot, user_data
from cdk_nat_failover.instances.watch.judgement import CLAIM_S, HEARTBEAT_S, SILENT_S
from lab.packets.accepting import accepting
from lab.packets.endpoints import ENVIRONMENT, Answer, Endpoints
from lab.packets.fabric import Fabric
from lab.packets.services import FETCHES, WATCH
from lab.packets.values import INTERNET_GATEWAY, SERVER, Ingress, Nat, Wanted
from lab.tests.packets.vpc import CIDRS, HOSTS, PUBLIC, SCRIPT
from nat_failover.claims import CONTRADICT_S, Claims
from nat_failover.model import Accusation, Claim, InstanceState, Observation
from nat_failover.model import Nat as Member

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lab.packets.endpoints import Asked
    from lab.packets.machine import Machine
    from lab.packets.services import Service

LIMIT = 20.0
"""Seconds after which what has not been noticed will not be: several times what it should take."""

QUIET = SILENT_S + HEARTBEAT_S + CLAIM_S + CONTRADICT_S + 0.3
"""Seconds in which a mistaken accusation would come, and count."""

_POLL = 0.05
_ANY_NUMBER = 7


class Recorder:
    """AWS as the watch sees it: takes claims, and has a ring."""

    def __init__(self) -> None:
        self.claims: list[Claim] = []
        self.members: list[tuple[str, str, str]] = []
        self.version = 1
        self.readable = True

    def __call__(self, asked: Asked) -> Answer:
        """Take a claim, or return the ring."""
        if asked.service == "dynamodb" and not self.readable:
            return Answer(b'{"__type": "ThrottlingException"}', 400)
        if asked.service == "dynamodb":
            return Answer(json.dumps(self._item()).encode())
        claim = _claim(json.loads(parse_qs(asked.body.decode())["Message"][0]))
        assert claim.instance == asked.nat
        self.claims.append(claim)
        return Answer(b"<PublishResponse/>")

    def tell(self, *members: tuple[str, str, str]) -> None:
        """Let the ring be another one: instance, address and state of each member."""
        self.members = sorted(members)
        self.version += 1

    def last(self, nat: str) -> Claim | None:
        """Return what a NAT claimed last."""
        return next((claim for claim in reversed(self.claims) if claim.instance == nat), None)

    def _item(self) -> dict[str, object]:
        names = ("instance", "address", "state")
        ring = json.dumps([dict(zip(names, row, strict=True)) for row in self.members])
        item = {"key": {"S": "peers"}, "ring": {"S": ring}, "version": {"N": str(self.version)}}
        return {"Item": item} if self.members else {}


class Fleet:
    """NATs of one stack, each with its watch."""

    def __init__(self, fabric: Fabric, recorder: Recorder, nats: tuple[Nat, ...]) -> None:
        self.fabric, self.recorder, self.nats = fabric, recorder, nats

    @property
    def names(self) -> tuple[str, ...]:
        """Return the ids of the NATs."""
        return tuple(nat.name for nat in self.nats)

    def machine(self, nat: str) -> Machine:
        """Return a NAT's machine."""
        return self.fabric.machines[nat]

    def watch(self, nat: str) -> Service:
        """Return a NAT's watch."""
        return self.machine(nat).services[WATCH]

    def apply(
        self,
        *,
        silent: Iterable[str] = (),
        offline: Iterable[str] = (),
        apart: Iterable[str] = (),
    ) -> None:
        """Let packets flow, except where something is wrong."""
        routes = {host.subnet.name: self.names[0] for host in HOSTS}
        self.fabric.apply(
            Wanted(
                default_routes={PUBLIC.name: INTERNET_GATEWAY, **routes},
                silent=frozenset(silent),
                offline=frozenset(offline),
                apart=frozenset(apart),
                ingress=dict.fromkeys(self.names, tuple(Ingress(cidr) for cidr in CIDRS)),
            )
        )

    def tell_ring(self) -> None:
        """Let the ring be what is true."""
        self.recorder.tell(*((nat.name, nat.address, "usable") for nat in self.nats))

    def judgement(self) -> Claims:
        """Return what the function would judge by all claims now."""
        newest = [claim for name in self.names if (claim := self.recorder.last(name))]
        nats = frozenset(_member(name) for name in self.names)
        now = time.time()
        seen = Observation(nats=nats, tables=frozenset(), now=now, claims=frozenset(newest))
        return Claims(seen)

    def sick(self) -> frozenset[str]:
        """Return the NATs from which the function would move tables now, if it could."""
        judged = self.judgement()
        return frozenset(name for name in self.names if judged.sickness(name))

    def seconds_until_sick(self, nat: str, since: float, said: str) -> float:
        """Wait until the function would judge a NAT, and it alone, sick; print and return it."""
        wait_for(lambda: self.sick() == {nat}, f"{nat} is taken for sick")
        seconds = time.monotonic() - since
        print(f"{said}, {len(self.nats)} NATs: sick after {seconds:.1f} s")  # noqa: T201 - a measurement
        return seconds

    def stay_well(self, seconds: float = QUIET) -> None:
        """Let some time pass in which the function would never judge any NAT sick."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.sick() == frozenset()
            time.sleep(_POLL)

    def recover(self) -> None:
        """Mend everything, and wait until each NAT knows the ring and says that all is well."""
        self.apply()
        self.recorder.readable = True
        self.tell_ring()
        for name in self.names:
            self.machine(name).run("/etc/nat-failover/up")
            self.machine(name).serve(WATCH, ENVIRONMENT)
        began = time.time()
        wait_for(lambda: all(self._is_well(name, began) for name in self.names), "all are well")

    def _is_well(self, nat: str, began: float) -> bool:
        claim = self.recorder.last(nat)
        return (
            claim is not None
            and claim.received > began
            and claim.ring == self.recorder.version
            and not (claim.ailment or claim.silent or claim.ill)
        )


@contextmanager
def watched(count: int) -> Iterator[Fleet]:
    """Give a VPC with some NATs that have booted from their user data, with a watch each."""
    recorder = Recorder()
    nats = tuple(
        Nat(f"i-0{number}", PUBLIC, f"10.0.0.{number}", f"203.0.113.{number}")
        for number in range(_ANY_NUMBER, _ANY_NUMBER + count)
    )
    with Fabric(vpc=CIDRS, hosts=HOSTS) as fabric:
        targets, endpoints = accepting(fabric.server), Endpoints(fabric.server, recorder)
        try:
            fleet = Fleet(fabric, recorder, nats)
            for nat in nats:
                machine = fabric.launch(nat)
                machine.command("aws", FETCHES)
                machine.write(SCRIPT, _script())
            fleet.apply()
            for nat in nats:
                fabric.machines[nat.name].run("bash", SCRIPT)
            yield fleet
        finally:
            endpoints.close()
            targets.shutdown(socket.SHUT_RDWR)


def wait_for(condition: Callable[[], bool], what: str, limit: float = LIMIT) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"not within {limit:g} s: {what}"
        time.sleep(_POLL)


def _member(nat: str) -> Member:
    return Member(
        instance=nat,
        interface=None,
        zone="any",
        state=InstanceState.RUNNING,
        lifecycle="InService",
    )


def _script() -> str:
    return user_data(
        Boot(
            targets=[SERVER],
            group="any",
            hook="any",
            stack="any",
            resource="Any",
            session_manager=False,
            watch=True,
            topic="arn:aws:sns:us-east-1:123456789012:any",
            table="any",
            code="s3://any/watch.zip",
        )
    )


def _claim(said: dict[str, object]) -> Claim:
    """Return a claim as the function would keep it."""
    received = time.time()
    silent, ill = said["silent"], said["ill"]
    assert isinstance(silent, dict)
    assert isinstance(ill, dict)
    accused = (Accusation(peer=peer, began=received - age) for peer, age in silent.items())
    ailment, ring, flows = said["ailment"], said["ring"], said["flows"]
    return Claim(
        instance=str(said["instance"]),
        received=received,
        ailment=None if ailment is None else str(ailment),
        silent=frozenset(accused),
        ill=frozenset(ill),
        ring=ring if isinstance(ring, int) else None,
        flows=flows if isinstance(flows, int) else None,
    )
