"""The self-test of an instance: it passes on a NAT that forwards, and says what is wrong otherwise.

Its attempts are fewer and shorter here than on an instance, where they are for slow networks.
"""

from __future__ import annotations

import re
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lab.packets.values import SERVER, Nat, Secondary
from lab.tests.packets.sockets import connect, listen
from lab.tests.packets.vpc import CLOSED, HOSTS, PUBLIC, SCRIPT, TESTED, any_vpc, lead, script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.packets.fabric import Fabric
    from lab.packets.machine import Machine

SELF_TEST = "/etc/nat-failover/self-test"
SETTINGS = "/etc/nat-failover/settings"
RESERVED = "10.0.0.3"
A = Nat("nat-a", PUBLIC, "10.0.0.4", "203.0.113.4")
MAPPED = replace(A, secondary=(Secondary(RESERVED, "203.0.113.3"),))
"""The same, but the internet gateway maps even what leaves untranslated."""

PASSED = f"forwards: {SERVER} answered through source NAT\n"
ITSELF_ONLY = (
    f"this host reaches {SERVER}, but what it forwards does not: forwarding or source NAT\n"
)


@pytest.fixture(scope="module")
def fabric() -> Iterator[Fabric]:
    """A VPC whose NAT is a new one for each test."""
    with any_vpc() as fabric:
        yield fabric


@pytest.fixture
def machine(fabric: Fabric) -> Iterator[Machine]:
    """A NAT that has booted; what it is left with is what it had before."""
    with _booted(fabric, A) as machine:
        yield machine


@contextmanager
def _booted(fabric: Fabric, nat: Nat) -> Iterator[Machine]:
    machine = fabric.launch(nat)
    for row in nat.secondary:
        machine.run("ip", "address", "delete", f"{row.address}/24", "dev", nat.uplink)
    lead(fabric, nat)
    machine.write(SCRIPT, script())
    machine.run("bash", SCRIPT)
    text = machine.read(SELF_TEST)
    for value, shorter in (("rounds=2", "rounds=1"), ("timeout 3 ", "timeout 1 ")):
        assert 1 == text.count(value)
        text = text.replace(value, shorter)
    machine.write(SELF_TEST, text, mode="755")
    yield machine
    fabric.end(nat.name)


def test_self_test_passes_on_a_nat_that_forwards(machine: Machine) -> None:
    """It says which of its targets answered."""
    assert (0, PASSED, "") == _outcome(machine)


def _stop_forwarding(machine: Machine) -> None:
    machine.run("sysctl", "--write", "net.ipv4.ip_forward=0")


def _stop_translating(machine: Machine) -> None:
    machine.run("nft", "delete", "table", "ip", "nat_failover_nat")


def _stop_admitting(machine: Machine) -> None:
    machine.run("nft", "flush", "chain", "ip", "nat_failover_filter", "forward")


def _mistake_the_interface(machine: Machine) -> None:
    load = "/etc/nat-failover/nat.nft"
    text = machine.read(load)
    machine.write(load, text.replace("oifname $uplink", "oifname other"))
    machine.run("/etc/nat-failover/up")


@pytest.mark.parametrize(
    "break_it", [_stop_forwarding, _stop_translating, _stop_admitting, _mistake_the_interface]
)
def test_self_test_fails_when_only_the_instance_itself_reaches_the_internet(
    machine: Machine, break_it: Callable[[Machine], None]
) -> None:
    """It says that forwarding or source NAT is at fault, and not the network."""
    break_it(machine)
    assert (1, "", ITSELF_ONLY) == _outcome(machine)


def _refuse(machine: Machine) -> None:
    _aim(machine, CLOSED)


def _lose_the_internet(machine: Machine) -> None:
    machine.run("ip", "route", "replace", "blackhole", "198.51.100.0/24")


def _lead_elsewhere(machine: Machine) -> None:
    machine.run("ip", "link", "add", "other", "type", "veth", "peer", "name", "nowhere")
    machine.run("ip", "link", "set", "nowhere", "up")
    machine.run("ip", "address", "add", "192.168.9.1/24", "dev", "other")
    machine.run("ip", "link", "set", "other", "up")
    machine.run("ip", "route", "replace", "default", "dev", "other")
    machine.run("/etc/nat-failover/up")


@pytest.mark.parametrize("break_it", [_refuse, _lose_the_internet, _lead_elsewhere])
def test_self_test_fails_when_nothing_reaches_the_internet(
    machine: Machine, break_it: Callable[[Machine], None]
) -> None:
    """It says that the instance does not either, and names the targets."""
    break_it(machine)
    status, said, complaint = _outcome(machine)
    assert (1, "") == (status, said)
    assert complaint.startswith("neither this host nor what it forwards reaches port 443 of any of")


def test_self_test_fails_when_an_answer_comes_without_translation(fabric: Fabric) -> None:
    """Where even the untranslated source is answered, the connection table tells."""
    with _booted(fabric, MAPPED) as machine:
        _stop_translating(machine)
        # To whom the VPC's router delivers is asked by ARP here, and known to AWS.
        for setting in ("conf.{}.proxy_arp=1", "neigh.{}.proxy_delay=0"):
            machine.run("sysctl", "--write", f"net.ipv4.{setting.format(MAPPED.uplink)}")
        complaint = f"{SERVER} answered, but not to an address of this host: source NAT\n"
        assert (1, "", complaint) == _outcome(machine)


def test_self_test_passes_when_names_cannot_be_resolved_and_an_address_answers(
    machine: Machine,
) -> None:
    """Any one of the targets is enough."""
    machine.write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    _aim(machine, f"any.example {SERVER}")
    assert (0, PASSED, "") == _outcome(machine)


def test_self_test_passes_when_an_address_is_silent_and_a_name_answers(machine: Machine) -> None:
    """A target is resolved by the instance, as its clients' are by the VPC."""
    machine.write("/etc/hosts", f"{SERVER} any.example\n")
    _aim(machine, "203.0.113.250 any.example")
    assert (0, PASSED.replace(SERVER, "any.example"), "") == _outcome(machine)


def test_self_test_passes_over_a_name_that_leads_into_the_vpc(
    fabric: Fabric, machine: Machine
) -> None:
    """It may be an interface endpoint's: to reach it says nothing of the internet."""
    host = fabric.hosts["a"]
    machine.write("/etc/hosts", f"{HOSTS[0].address} any.example\n")
    _aim(machine, "any.example")
    with listen(host, TESTED):
        status, _, complaint = _outcome(machine)
    assert (1, "neither") == (status, complaint.partition(" ")[0])


def test_self_test_passes_when_the_source_destination_check_is_on(
    fabric: Fabric, machine: Machine
) -> None:
    """It cannot see the check, which is outside of the instance; nobody else gets through then."""
    lead(fabric, A, checked=[A])
    assert (0, PASSED, "") == _outcome(machine)
    with pytest.raises(TimeoutError):
        connect(fabric.hosts["a"], TESTED, limit=0.5)


def test_self_test_leaves_nothing_behind_when_it_is_ended(machine: Machine) -> None:
    """A limit of the boot ends it as it would end any other command."""
    _stop_translating(machine)
    before = _state(machine)
    run = machine.run("timeout", "0.5", SELF_TEST, check=False)
    assert 124 == run.returncode
    assert before == _state(machine)


def test_health_removes_what_a_killed_self_test_left(machine: Machine) -> None:
    """`timeout --kill-after` ends it without a word; the next look at the rules cleans up."""
    before = _state(machine)
    _kill_a_self_test(machine)
    assert before != _state(machine)
    machine.run("/etc/nat-failover/health")
    assert before == _state(machine)


def test_self_test_passes_over_what_a_killed_one_left(machine: Machine) -> None:
    """It begins with removing it."""
    before = _state(machine)
    _kill_a_self_test(machine)
    run = machine.run(SELF_TEST)
    assert PASSED == run.stdout
    assert before == _state(machine)


def test_health_leaves_a_self_test_that_runs_alone(machine: Machine) -> None:
    """Somebody may run it by hand on a NAT that serves."""
    running = _begin_a_self_test(machine)
    machine.run("/etc/nat-failover/health")
    assert "nat-self-test" in machine.run("ip", "netns", "list").stdout
    running.terminate()
    running.wait()


def _begin_a_self_test(machine: Machine) -> subprocess.Popen[str]:
    """Return a self-test that waits for a name."""
    machine.command("getent", "#!/bin/bash\ntouch /run/lab/waits\nexec sleep 60\n")
    settings = machine.read(SETTINGS)
    _aim(machine, "any.example")
    running = machine.start(SELF_TEST, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    waits = "until [[ -e /run/lab/waits ]]; do sleep 0.05; done; rm /run/lab/waits"
    machine.run("bash", "-c", waits)
    machine.write(SETTINGS, settings)
    return running


def _kill_a_self_test(machine: Machine) -> None:
    running = _begin_a_self_test(machine)
    running.kill()
    running.wait()
    machine.run("rm", "/run/lab/bin/getent")
    # What it waits for holds its lock, and ends by itself.
    machine.run("flock", "/run/nat-failover/self-test", "true")


def _outcome(machine: Machine) -> tuple[int, str, str]:
    """Run the test, which may leave nothing behind; return how it ended, and what it said."""
    before = _state(machine)
    run: subprocess.CompletedProcess[str] = machine.run(SELF_TEST, check=False)
    assert before == _state(machine)
    return run.returncode, run.stdout, run.stderr


def _state(machine: Machine) -> list[str]:
    commands = ("ip -brief link", "ip route", "ip netns list", "nft list tables")
    return [machine.run(*command.split()).stdout for command in commands]


def _aim(machine: Machine, targets: str) -> None:
    settings = re.sub("(?m)^targets=.*$", f"targets='{targets}'", machine.read(SETTINGS))
    machine.write(SETTINGS, settings)
