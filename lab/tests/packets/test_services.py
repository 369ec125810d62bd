"""Services of a NAT run as their units say, and AWS's endpoints are on the internet."""

from __future__ import annotations

import signal
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lab.packets.endpoints import ENVIRONMENT, Answer, Endpoints
from lab.tests.packets.network import NATS, everything_works
from lab.tests.packets.traffic import LOST, connect, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.packets.endpoints import Asked
    from lab.packets.fabric import Fabric
    from lab.packets.machine import Machine

UNIT = "any.service"
TEXT = """[Service]
WorkingDirectory=/root
ExecStartPre=/usr/bin/touch before
ExecStart=/bin/bash -c 'trap "echo bye; exit" TERM; echo $ANY in $PWD; while sleep .05; do :; done'
Restart=always
RestartSec=0.2
"""
SIGNED = "Authorization: AWS4-HMAC-SHA256 Credential=nat-a/20260101/us-east-1/sns/aws4_request"
WAIT = 10.0


@pytest.fixture
def machine(fabric: Fabric) -> Iterator[Machine]:
    """A NAT with a service."""
    machine = fabric.machines["nat-a"]
    machine.write(f"/etc/systemd/system/{UNIT}", TEXT)
    machine.serve(UNIT, {"ANY": "word"})
    eventually(lambda: said(machine) == ["word in /root"], limit=WAIT)
    yield machine
    machine.end(UNIT)
    machine.run("rm", "-f", f"/run/lab/journal/{UNIT}")


def test_service_that_is_killed_starts_again(machine: Machine) -> None:
    """By another process, after the pause that its unit names."""
    service = machine.services[UNIT]
    before = service.process_id
    service.signal(signal.SIGKILL)
    eventually(lambda: said(machine) == ["word in /root"] * 2, limit=WAIT)
    assert before != service.process_id
    assert 0 == machine.run("test", "-e", "/root/before").returncode


def test_service_that_is_stopped_ends_as_it_wants_and_stays_so(machine: Machine) -> None:
    """Also when it is frozen."""
    machine.services[UNIT].signal(signal.SIGSTOP)
    machine.end(UNIT)
    ended = said(machine)
    assert "bye" == ended[-1]
    time.sleep(0.5)  # longer than the pause
    assert ended == said(machine)


def test_endpoints_know_who_asks_what_of_which_service(fabric: Fabric) -> None:
    """The signature names both; what is not signed is refused."""
    heard: list[Asked] = []

    def answer(asked: Asked) -> Answer:
        heard.append(asked)
        return Answer(b"done")

    with closing(Endpoints(fabric.server, answer)):
        assert "done 200" == ask(fabric.machines["nat-a"], SIGNED)
        assert ask(fabric.machines["nat-a"], "Any: header").endswith(" 403")
    assert [("nat-a", "sns", b"any")] == [(row.nat, row.service, row.body) for row in heard]


@pytest.mark.parametrize("trouble", ["silent", "offline"])
def test_endpoints_are_out_of_reach_when_the_uplink_is(fabric: Fabric, trouble: str) -> None:
    """What an instance asks of AWS goes the way of its packets."""
    with closing(Endpoints(fabric.server, lambda _: Answer(b"done"))):
        fabric.apply(replace(everything_works(), **{trouble: frozenset({"nat-a"})}))  # type: ignore[arg-type] # sets of names
        assert "000" == ask(fabric.machines["nat-a"], SIGNED).strip()
        assert "done 200" == ask(fabric.machines["nat-b"], SIGNED)


@pytest.mark.parametrize(
    ("apart", "error"), [((), ConnectionRefusedError), (("nat-a",), TimeoutError)]
)
def test_nats_that_are_apart_do_not_reach_each_other(
    fabric: Fabric, apart: tuple[str, ...], error: type[OSError]
) -> None:
    """All else is as before: they reach the internet."""
    fabric.apply(replace(everything_works(), apart=frozenset(apart)))
    with pytest.raises(error):
        connect(fabric.machines["nat-a"], NATS[1].address, timeout=5 * LOST)
    with closing(Endpoints(fabric.server, lambda _: Answer(b"done"))):
        assert "done 200" == ask(fabric.machines["nat-a"], SIGNED)


def ask(machine: Machine, header: str) -> str:
    """Return what AWS answers, and the status."""
    options = ("--silent", "--max-time", "3", "--write-out", " %{http_code}", "--data", "any")
    (url,) = ENVIRONMENT.values()
    return machine.run("curl", *options, "--header", header, url, check=False).stdout


def said(machine: Machine) -> list[str]:
    """Return the lines that the service has said."""
    return machine.services[UNIT].said.splitlines() if UNIT in machine.services else _left(machine)


def _left(machine: Machine) -> list[str]:
    return machine.read(f"/run/lab/journal/{UNIT}").splitlines()
