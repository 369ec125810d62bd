"""The real watch of two or three NATs: what it notices, after how long, and what it does not.

The seconds are until the function would move tables, by its own judgement of the claims that have
arrived. They are measured and printed (`pytest -s`); the bounds leave room for a busy machine.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from cdk_nat_failover.instances.watch.judgement import (
    CLAIM_S,
    FAILURES,
    PROBE_AGAIN_S,
    PROBE_S,
    PROBE_TIMEOUT_S,
    RING_S,
)
from lab.packets.endpoints import ENVIRONMENT
from lab.packets.services import WATCH
from lab.packets.values import SERVER
from lab.tests.packets.watched import LIMIT, QUIET, Fleet, wait_for, watched
from nat_failover.claims import CONTRADICT_S

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

HEARTBEATS = 4788
BUSY = 8
"""Loops that do nothing but take CPU."""

CLOCK = "/run/lab/clock"
AN_HOUR = 3600

NOTHING = "10.0.0.99"
"""An address of the subnet that nobody has."""

LOST = PROBE_S + FAILURES * PROBE_TIMEOUT_S + (FAILURES - 1) * PROBE_AGAIN_S + CLAIM_S
"""Seconds in which a NAT says that its internet is gone, if it can."""


def of(*counts: int) -> pytest.MarkDecorator:
    """Play a case with so many NATs.

    A third one is one more that may hear a NAT: it matters where what the others say decides.
    """
    return pytest.mark.parametrize("all_nats", counts, indirect=True, scope="module")


@pytest.fixture(scope="module")
def all_nats(request: pytest.FixtureRequest) -> Iterator[Fleet]:
    """NATs that have booted."""
    with watched(request.param) as fleet:
        yield fleet


@pytest.fixture
def fleet(all_nats: Fleet) -> Fleet:
    """The NATs, all of which are well and say so."""
    all_nats.recover()
    return all_nats


@pytest.fixture
def nat(fleet: Fleet) -> str:
    """The NAT that something happens to."""
    return fleet.names[0]


@of(2, 3)
def test_nat_that_hangs_is_noticed(fleet: Fleet, nat: str) -> None:
    """Nothing comes from it or goes to it any more: its peers do not hear it, and it is mute."""
    since = time.monotonic()
    fleet.apply(silent=[nat])
    assert fleet.seconds_until_sick(nat, since, "uplink down") < LIMIT
    assert fleet.names[1] not in accused_by(fleet, nat)


@of(2, 3)
def test_watch_that_hangs_is_taken_for_its_nat_until_it_goes_on(fleet: Fleet, nat: str) -> None:
    """Its peers cannot tell the two apart; when it goes on it is believed, and accuses nobody."""
    since = time.monotonic()
    fleet.watch(nat).signal(signal.SIGSTOP)
    fleet.seconds_until_sick(nat, since, "watch frozen")
    fleet.watch(nat).signal(signal.SIGCONT)
    wait_for(lambda: not fleet.sick(), "it is believed again")
    fleet.stay_well()


@of(2)
@pytest.mark.parametrize(
    "damage",
    [
        "nft flush ruleset",
        "nft delete table ip nat_failover_nat",
        "nft flush chain ip nat_failover_filter forward",
        "sysctl --quiet --write net.ipv4.ip_forward=0",
    ],
)
def test_nat_that_does_not_forward_says_so(fleet: Fleet, nat: str, damage: str) -> None:
    """By itself, and it is well again when the rules are back."""
    since = time.monotonic()
    fleet.machine(nat).run(*damage.split())
    fleet.seconds_until_sick(nat, since, damage)
    fleet.machine(nat).run("/etc/nat-failover/up")
    wait_for(lambda: not fleet.sick(), "it says that it forwards")


@of(2, 3)
def test_nat_that_loses_the_internet_is_noticed_by_its_peers_word(fleet: Fleet, nat: str) -> None:
    """It can publish nothing, and tells its peers, which do: nobody has to wait for silence."""
    since = time.monotonic()
    fleet.apply(offline=[nat])
    fleet.seconds_until_sick(nat, since, "internet gone behind one")
    peers = [fleet.recorder.last(name) for name in fleet.names[1:]]
    assert any(claim and nat in claim.ill for claim in peers)
    fleet.apply()
    wait_for(lambda: not fleet.sick(), "it says that it has internet")


@of(2)
def test_nothing_is_claimed_when_the_internet_is_gone_behind_all(fleet: Fleet) -> None:
    """Nobody can, and nobody accuses anybody when it is back."""
    fleet.apply(offline=fleet.names)
    time.sleep(1.0)  # what is under way arrives
    before = len(fleet.recorder.claims)
    fleet.stay_well(LOST + CONTRADICT_S)
    assert before == len(fleet.recorder.claims)
    fleet.apply()
    wait_for(lambda: len(fleet.recorder.claims) > before, "they publish again", limit=40)
    wait_for(lambda: not fleet.sick(), "all say that they are well")


@of(2, 3)
def test_nats_that_do_not_hear_each_other_both_stay(fleet: Fleet, nat: str) -> None:
    """Both say that they do not hear the other, and the function is told of a broken link."""
    fleet.apply(apart=[nat])
    others = fleet.names[1:]
    wait_for(
        lambda: fleet.judgement().broken_links() == tuple((nat, other) for other in others),
        "each accuses the other",
    )
    fleet.stay_well()


@of(2)
def test_killed_watch_is_started_again_before_anybody_accuses_it(fleet: Fleet, nat: str) -> None:
    """Its NAT forwards all the time, so nothing may move."""
    before = fleet.watch(nat).process_id
    fleet.watch(nat).signal(signal.SIGKILL)
    fleet.stay_well()
    assert before != fleet.watch(nat).process_id


@of(2)
def test_stopped_watch_is_not_accused(fleet: Fleet, nat: str) -> None:
    """It says farewell: whoever stops it knows what they do, and its NAT forwards on."""
    fleet.machine(nat).end(WATCH)
    fleet.stay_well()


@of(2)
def test_busy_nats_accuse_nobody(fleet: Fleet) -> None:
    """Loops that take all CPU, and small packets without end, delay heartbeats: not for long."""
    with ExitStack() as stack:
        for name in fleet.names:
            stack.enter_context(_busy(fleet, name))
        stack.enter_context(_flood(fleet))
        fleet.stay_well(1.5 * QUIET)


@of(2)
@pytest.mark.parametrize("jump", [AN_HOUR, -AN_HOUR])
def test_wall_clock_that_jumps_changes_nothing(fleet: Fleet, nat: str, jump: int) -> None:
    """Nobody is accused, and claims go on, whose signature has the time that AWS says."""
    machine = fleet.machine(nat)
    machine.write(f"{CLOCK}/sitecustomize.py", _JUMPING)
    machine.serve(WATCH, {**ENVIRONMENT, "PYTHONPATH": CLOCK})
    fleet.stay_well(2.0)
    machine.write(f"{CLOCK}/offset", str(jump))
    before = len(fleet.recorder.claims)
    fleet.stay_well()
    fleet.tell_ring()
    wait_for(
        lambda: any(claim.instance == nat for claim in fleet.recorder.claims[before:]),
        "it claims to know the new ring",
    )
    assert not fleet.sick()


@of(2)
def test_nat_whose_clock_begins_anew_is_heard(fleet: Fleet, nat: str) -> None:
    """An instance that was restarted counts from its boot again: nothing of before counts."""
    machine = fleet.machine(nat)
    unit = machine.read(f"/etc/systemd/system/{WATCH}")
    younger = f"ExecStart=/usr/bin/unshare --time --boottime {_YOUNGER} --monotonic {_YOUNGER} "
    machine.write(f"/etc/systemd/system/{WATCH}", unit.replace("ExecStart=", younger))
    machine.serve(WATCH, ENVIRONMENT)
    fleet.stay_well()
    machine.write(f"/etc/systemd/system/{WATCH}", unit)


@of(2)
def test_peer_that_was_never_heard_is_not_accused(fleet: Fleet) -> None:
    """The ring may name one that is gone, or that has no watch."""
    known = [(nat.name, nat.address, "usable") for nat in fleet.nats]
    fleet.recorder.tell(*known, ("i-0ff", NOTHING, "usable"))
    fleet.stay_well(RING_S + QUIET)
    claims = [fleet.recorder.last(name) for name in fleet.names]
    assert all(claim and not claim.silent for claim in claims)


@of(2, 3)
def test_ring_with_wrong_addresses_moves_nothing(fleet: Fleet) -> None:
    """Heartbeats come from addresses that the ring does not know: all accuse each other."""
    addresses = [nat.address for nat in fleet.nats]
    turned = [*addresses[1:], addresses[0]]
    members = zip(fleet.names, turned, strict=True)
    fleet.recorder.tell(*((name, address, "usable") for name, address in members))
    fleet.stay_well(RING_S + QUIET)


@of(2)
def test_old_ring_is_kept_when_none_can_be_read(fleet: Fleet, nat: str) -> None:
    """AWS may throttle or refuse it: peers are watched as before."""
    fleet.recorder.readable = False
    fleet.stay_well()
    since = time.monotonic()
    fleet.apply(silent=[nat])
    fleet.seconds_until_sick(nat, since, "hang with a ring that cannot be read")


@of(2, 3)
def test_heartbeats_of_a_private_host_are_dropped(fleet: Fleet, nat: str) -> None:
    """They come from no address of the ring: a NAT that hangs is noticed all the same."""
    host = fleet.fabric.hosts["a"].socket(socket.SOCK_DGRAM)
    since = time.monotonic()
    fleet.apply(silent=[nat])

    def noticed() -> bool:
        for peer in fleet.nats[1:]:
            host.sendto(_heartbeat(nat), (peer.address, HEARTBEATS))
        return fleet.sick() == {nat}

    with host:
        wait_for(noticed, "nobody believes the host")
    print(f"hang behind spoofed heartbeats: {time.monotonic() - since:.1f} s")  # noqa: T201 - a measurement


_YOUNGER = -int(time.clock_gettime(time.CLOCK_BOOTTIME)) + 100

_JUMPING = f"""
import time
_time = time.time
def jumped():
    try:
        with open("{CLOCK}/offset") as offset:
            return _time() + int(offset.read())
    except (OSError, ValueError):
        return _time()
time.time = jumped
"""


def accused_by(fleet: Fleet, nat: str) -> frozenset[str]:
    """Return the peers that a NAT said last that it does not hear."""
    claim = fleet.recorder.last(nat)
    return frozenset(row.peer for row in claim.silent) if claim else frozenset()


def _heartbeat(nat: str) -> bytes:
    said = {"instance": nat, "sequence": int(time.monotonic() * 1000) + 10**9, "ailment": None}
    return json.dumps({**said, "silent": [], "ring": 1, "bye": False}).encode()


@contextmanager
def _busy(fleet: Fleet, nat: str) -> Iterator[None]:
    loops = [
        fleet.machine(nat).start("bash", "-c", "while :; do :; done")
        for _ in range(BUSY // len(fleet.nats))
    ]
    yield
    _end(loops)


@contextmanager
def _flood(fleet: Fleet) -> Iterator[None]:
    """Send small datagrams through the first NAT, as fast as a process can."""
    send = (
        "import socket; s = socket.socket(2, 2); d = bytes(18)\n"
        f"while True: s.sendto(d, ('{SERVER}', 9))"
    )
    flood = fleet.fabric.hosts["a"].start(sys.executable, "-c", send)
    yield
    _end([flood])


def _end(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        process.kill()
        process.wait()
