"""What the kernel is told of the tunnels, and where packets go by it."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdk_nat_failover.instances.watch import handover
from cdk_nat_failover.instances.watch.handover import HandOver, elements, from_me, tunnel_of
from cdk_nat_failover.instances.watch.said import Peer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.unit.watch.programs import Programs

A, B, C = RING = tuple(Peer(name, f"10.0.{at}.4") for at, name in enumerate("abc"))
UPLINK = "ens5"
PEERS = "ip nat_failover_peers"
FLUSHED = [f"flush set {PEERS} peers", f"flush map {PEERS} next", f"flush map {PEERS} through"]
TUNNELS = [tunnel_of(peer.address) for peer in RING]


@pytest.mark.parametrize(
    ("me", "ring"),
    [
        ("a", (A.address, B.address, C.address)),
        ("b", (B.address, C.address, A.address)),
        ("c", (C.address, A.address, B.address)),
        ("stranger", ()),
    ],
)
def test_ring_begins_with_the_nat_itself(me: str, ring: tuple[str, ...]) -> None:
    """A NAT that is not in it has none."""
    assert ring == from_me(RING, me)


def test_tunnel_has_a_name_that_linux_takes_for_an_interface() -> None:
    """At most 15 characters (IFNAMSIZ)."""
    assert "peer-fffefd" == tunnel_of("10.255.254.253")


# Where packets go ---------------------------------------------------------------------------------


@st.composite
def any_beliefs(draw: st.DrawFn) -> dict[str, str | None]:
    """Draw a ring, and what each NAT takes for the next one that lives."""
    names = [f"10.0.0.{at}" for at in range(4, 4 + draw(st.integers(1, 7)))]
    return {name: draw(st.sampled_from([None, *names])) for name in names}


def path(beliefs: Mapping[str, str | None], origin: str) -> Iterator[str]:
    """Yield the NATs that a packet comes to which nobody knows, first the one that received it."""
    at: str | None = origin
    came_by = UPLINK
    while at:
        yield at
        said = elements(ring_of(at, beliefs), beliefs[at], UPLINK)
        goes = {kind: dict(re.findall(rf"{kind} {{ (\S+) : (\S+) }}", said)) for kind in KINDS}
        at = goes["next"].get(came_by, "").replace("240.", "10.", 1)
        came_by = goes["through"].get(came_by, "")


KINDS = ("next", "through")


def ring_of(me: str, ring: Mapping[str, object]) -> tuple[str, ...]:
    """Return a ring as one of its NATs sees it."""
    return from_me([Peer(address, address) for address in ring], me)


@given(any_beliefs(), st.data())
def test_packet_comes_to_no_nat_twice_whatever_each_believes(
    beliefs: dict[str, str | None], data: st.DataObject
) -> None:
    """They do not learn at once who lives."""
    origin = data.draw(st.sampled_from(sorted(beliefs)))
    came = []
    for at in path(beliefs, origin):
        assert at not in came
        came.append(at)


@given(st.integers(1, 8), st.data())
def test_packet_comes_to_every_nat_that_lives_when_all_agree(
    size: int, data: st.DataObject
) -> None:
    """In the order of the ring, from the one that received it on; no other NAT gets it."""
    ring = [f"10.0.0.{at}" for at in range(4, 4 + size)]
    origin = data.draw(st.sampled_from(ring))
    living = {origin, *data.draw(st.sets(st.sampled_from(ring)))}
    beliefs = {
        name: next(
            (other for other in ring_of(name, dict.fromkeys(ring))[1:] if other in living), None
        )
        for name in ring
    }

    came = list(path(beliefs, origin))

    assert [name for name in ring_of(origin, beliefs) if name in living] == came


# What the kernel is told --------------------------------------------------------------------------


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programs: Programs) -> Programs:
    """A host with a default route, whose programs write down what they are told."""
    for name in ("nft", "ip", "bridge"):
        programs.make(name)
    routes = tmp_path / "routes"
    routes.write_text(
        "Iface Destination Gateway\nlo 0000007F 00000000\n" + f"{UPLINK} 00000000 0100000A\n"
    )
    monkeypatch.setattr(handover, "_ROUTES", str(routes))
    (tmp_path / "net" / "lo").mkdir(parents=True)
    monkeypatch.setattr(handover, "_INTERFACES", str(tmp_path / "net"))
    return programs


def test_ring_of_two_has_two_tunnels_and_one_way(system: Programs) -> None:
    """The rules hear of it when they are built, and have what they had until then."""
    HandOver().apply([B], [A, B], "a")

    mine, other = TUNNELS[:2]
    peers = [*FLUSHED, f"add element {PEERS} peers {{ {B.address} }}"]
    told = system.told()
    assert told.count("nft --file -") == 1
    assert [f"link add {mine}", f"link add {other}"] == [
        line[: len(f"link add {mine}")] for line in told if line.startswith("link add")
    ]
    assert f"fdb replace 02:00:0a:00:01:04 dev {mine} dst {B.address} self permanent" in told
    assert [
        "nft --file -",
        *peers,
        f"add element {PEERS} next {{ {UPLINK} : 240.0.1.4 }}",
        f"add element {PEERS} through {{ {UPLINK} : {mine} }}",
    ] == told[-7:]


def test_tunnels_are_built_once_and_the_next_nat_is_told_each_time(system: Programs) -> None:
    """What is said of it is forgotten after five seconds."""
    hand_over = HandOver()
    hand_over.apply([B, C], RING, "a")
    first = system.told()

    hand_over.apply([C], RING, "a")

    then = system.told()
    assert {"nft --file -"} == _commands(then)
    assert {"nft --file -", "ip -batch -", "bridge -batch -"} == _commands(first)
    assert f"add element {PEERS} next {{ {TUNNELS[2]} : 240.0.1.4 }}" in first
    assert [f"add element {PEERS} next {{ {UPLINK} : 240.0.2.4 }}"] == [
        line for line in then if " next {" in line
    ]


def test_nothing_is_handed_over_when_no_peer_lives(system: Programs) -> None:
    """The rules know the peers all the same."""
    HandOver().apply([], [A, B], "a")

    assert [] == [line for line in system.told() if " next {" in line]


def test_nothing_is_told_before_there_is_a_ring(system: Programs) -> None:
    """A NAT that is not in it has no peers."""
    HandOver().apply([], [], "a")

    assert [] == system.told()


def test_tunnels_of_those_that_left_are_taken_away(system: Programs, tmp_path: Path) -> None:
    """One that is there is not made again, but set up: an earlier watch may not have come to it."""
    for name in TUNNELS:
        (tmp_path / "net" / name).mkdir()

    HandOver().apply([], [A, B], "a")

    told = system.told()
    made = [line for line in told if line.startswith(("link add", "link delete"))]
    assert [f"link delete {TUNNELS[2]}"] == made
    for name in TUNNELS[:2]:
        assert f"address replace 240.0.0.4/32 dev {name}" in told
        assert f"link set {name} up" in told


@pytest.mark.parametrize("program", ["ip", "bridge"])
def test_peers_are_heard_without_a_hand_over_when_a_tunnel_is_refused(
    system: Programs, capsys: pytest.CaptureFixture[str], program: str
) -> None:
    """The flows are reset when their table moves, as without peers; the journal has the words."""
    system.make(program, "echo 'any refusal' >&2; exit 1")

    HandOver().apply([B], [A, B], "a")

    told = system.told()
    assert f"add element {PEERS} peers {{ {B.address} }}" == told[-1]
    assert "no flow is handed over: any refusal" in capsys.readouterr().out


def test_nothing_is_handed_over_when_two_addresses_have_one_end(system: Programs) -> None:
    """They would have one tunnel."""
    HandOver().apply([B], [A, Peer("b", A.address.replace("10.", "100.", 1))], "a")

    told = system.told()
    assert [] == [line for line in told if line.startswith("link add") or " next {" in line]


def test_refusal_of_nft_is_an_error(system: Programs) -> None:
    """The table of the rules is missing: who calls tries again."""
    system.make("nft", "exit 1")

    with pytest.raises(subprocess.CalledProcessError):
        HandOver().apply([B], [A, B], "a")


def test_host_without_a_default_route_is_an_error(system: Programs, tmp_path: Path) -> None:
    """Nothing leads to the peers."""
    (tmp_path / "routes").write_text("Iface Destination Gateway\n")

    with pytest.raises(OSError, match="no default route"):
        HandOver().apply([B], [A, B], "a")
    assert [] == system.told()


def _commands(told: list[str]) -> set[str]:
    return {line for line in told if line.endswith(" -")}
