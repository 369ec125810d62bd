"""What the kernel is asked, and what its answers mean."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from cdk_nat_failover.instances.watch import kernel
from cdk_nat_failover.instances.watch.kernel import established, forwards
from tests.unit.watch.netlink import DONE, REFUSED, TIME_WAIT, flow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.watch.netlink import Netlink
    from tests.unit.watch.programs import Programs

    Answers = Callable[..., Netlink]

HOST = "10.0.0.4"
DUMP = struct.pack("=IHH", 20, 0x0101, 0x0301)
"""IPCTNL_MSG_CT_GET of all (linux/netfilter/nfnetlink_conntrack.h)."""


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programs: Programs) -> Path:
    """The folder of a host that forwards: what nft lists, what was loaded, the kernel's switch.

    Its nft is 1.0.6 in that it lists nothing where one command asks for two tables.
    """
    programs.make("nft", f'[ $# = 6 ] && cat "{tmp_path}/$6"')
    (tmp_path / "nat_failover_nat").write_text("table ip nat_failover_nat {\n\tany nat\n}\n")
    (tmp_path / "nat_failover_filter").write_text("table ip nat_failover_filter {\n\tany\n}\n")
    (tmp_path / "loaded").write_text(
        "table ip nat_failover_nat {\n\tany nat\n}\ntable ip nat_failover_filter {\n\tany\n}\n"
    )
    (tmp_path / "switch").write_text("1\n")
    monkeypatch.setattr(kernel, "_LOADED", str(tmp_path / "loaded"))
    monkeypatch.setattr(kernel, "_FORWARD", str(tmp_path / "switch"))
    monkeypatch.setattr(kernel, "AGAIN_S", 0.0)
    return tmp_path


@pytest.mark.usefixtures("host")
def test_host_forwards_when_its_rules_are_those_that_were_loaded(programs: Programs) -> None:
    """Each table is asked for by a command of its own."""
    assert forwards()
    assert [
        "nft --stateless --terse list table ip nat_failover_nat",
        "nft --stateless --terse list table ip nat_failover_filter",
    ] == programs.told()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("nat_failover_nat", ""),
        ("nat_failover_filter", "table ip nat_failover_filter {\n}\n"),
        ("loaded", "other rules\n"),
        ("switch", "0\n"),
    ],
)
def test_host_does_not_forward_when_something_was_taken_away(
    host: Path, file: str, text: str
) -> None:
    """A table, what is in it, or the switch of the kernel."""
    (host / file).write_text(text)
    assert not forwards()


def test_host_forwards_when_its_rules_are_noted_a_moment_later(
    host: Path, programs: Programs
) -> None:
    """They are loaded before: the second look finds them."""
    noted = (host / "loaded").read_text()
    (host / "noted").write_text(noted)
    (host / "loaded").write_text("older rules\n")
    programs.make("nft", f'cat "{host}/$6"; cp "{host}/noted" "{host}/loaded"')
    (host / "nat_failover_nat").write_text("table ip nat_failover_nat {\n\tany nat\n}\n")
    assert forwards()


def test_nothing_is_known_before_rules_were_loaded(host: Path) -> None:
    """The loop leaves what it knows as it is."""
    (host / "loaded").unlink()
    with pytest.raises(OSError, match="loaded"):
        forwards()


# The flows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ([DONE], 0),
        ([flow("10.0.1.7") + flow("10.0.1.8"), flow("10.0.1.9"), DONE], 3),
        ([flow("10.0.1.7") + DONE], 1),
        ([flow("10.0.1.7", TIME_WAIT), DONE], 0),
        ([flow(HOST) + flow("10.0.1.7"), DONE], 1),
    ],
)
def test_flows_of_others_are_counted_that_are_established(
    answers: Answers, said: list[bytes], count: int
) -> None:
    """However they are spread over the kernel's answers."""
    kernel = answers(*said)

    assert count == established(HOST)

    assert DUMP == kernel.asked()[:8]


def test_refusal_of_the_kernel_is_an_error(answers: Answers) -> None:
    """As for those who are not root."""
    answers(REFUSED)
    with pytest.raises(OSError):  # noqa: PT011 - it has the kernel's bytes, and no words
        established(HOST)
