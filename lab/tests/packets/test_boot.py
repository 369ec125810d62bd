"""The whole user data, run as an instance runs it: once, twice, after a reboot, and failing."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lab.tests.packets import vpc
from lab.tests.packets.sockets import flow, listen
from lab.tests.packets.vpc import CLOSED, FILTER, SCRIPT, A, any_vpc, lead, script, script_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from subprocess import CompletedProcess

    from lab.packets.fabric import Fabric
    from lab.packets.machine import Machine
    from lab.packets.namespaces import Namespace
    from lab.packets.values import Nat

STEPS = (
    "quieten the system",
    "load the rules",
    "forward in the self-test",
    "start the units",
    "complete the launch action",
    "signal the stack",
)

NOTE = 'echo "${0##*/} $*" >>/run/lab/calls'
AWS = 'echo "aws $AWS_SDK_UA_APP_ID $*" >>/run/lab/calls'
RUN = f'{NOTE}; while [[ $1 == -* ]]; do shift; done; "$@"'
"""Plays systemd-run: at once, and as if it waited for what it runs."""

PATIENCE = 'echo "$AWS_METADATA_SERVICE_TIMEOUT $AWS_METADATA_SERVICE_NUM_ATTEMPTS"'


@pytest.fixture(scope="module")
def fabric() -> Iterator[Fabric]:
    """A VPC whose NATs come and go."""
    with any_vpc() as fabric:
        yield fabric


@pytest.fixture
def launch(fabric: Fabric) -> Iterator[Callable[[Nat], Machine]]:
    """Launch instances that end with the test."""
    launched: list[str] = []

    def launch_one(nat: Nat) -> Machine:
        machine = fabric.launch(nat)
        launched.append(nat.name)
        lead(fabric, nat)
        _played(machine, "aws", AWS)
        return machine

    yield launch_one
    for name in launched:
        fabric.end(name)


@pytest.fixture
def machine(launch: Callable[[Nat], Machine]) -> Machine:
    """An instance that was just launched."""
    return launch(A)


def test_boot_takes_its_steps_in_order_and_tells_the_group_when_all_goes_well(
    machine: Machine,
) -> None:
    """The group hears CONTINUE once, last, and nothing is installed."""
    assert 0 == _boot(machine).returncode
    assert STEPS == _done(machine)
    assert ["CONTINUE"] == _results(machine)
    assert not _calls(machine, "dnf")
    assert not _calls(machine, "shutdown")
    assert machine.calls[-1].endswith("-- ready")


def test_boot_leaves_the_same_nat_when_run_twice(machine: Machine) -> None:
    """The rules are the same, and the launch action is completed once."""
    _boot(machine)
    before = _rules(machine)
    assert 0 == _boot(machine).returncode
    assert before == _rules(machine)
    assert ["CONTINUE"] == _results(machine)


@pytest.mark.parametrize("uplink", ["eth0", "enX0", "wan-0.1"])
def test_boot_makes_a_nat_whatever_its_interface_is_called(
    fabric: Fabric, launch: Callable[[Nat], Machine], uplink: str
) -> None:
    """The interface is that of the default route; hosts of all networks of the VPC get out."""
    _boot(launch(replace(A, uplink=uplink)))
    with listen(fabric.server) as listener:
        for host in fabric.hosts.values():
            opened = flow(host, listener)
            assert A.public == opened.source
            opened.close()


def test_rules_are_for_the_default_route_of_the_lowest_metric(machine: Machine) -> None:
    """That is where the kernel sends what it forwards."""
    _boot(machine)
    before = _rules(machine)
    machine.run("ip", "link", "add", "other", "type", "veth", "peer", "name", "nowhere")
    machine.run("ip", "link", "set", "other", "up")
    machine.run("ip", "route", "add", "default", "dev", "other", "metric", "5")
    machine.run("/etc/nat-failover/up")
    assert before == _rules(machine)


def test_unit_brings_back_the_nat_when_the_instance_was_restarted(
    fabric: Fabric, machine: Machine
) -> None:
    """After a reboot nothing is loaded, and the unit's command alone loads it all."""
    _boot(machine)
    before = _rules(machine)
    machine.run("nft", "flush", "ruleset")
    machine.run("sysctl", "--write", "net.ipv4.ip_forward=0")
    machine.run("rm", "--recursive", "/run/nat-failover")
    (command,) = re.findall(
        r"^ExecStart=(.*)$",
        machine.read("/etc/systemd/system/nat-failover.service"),
        re.MULTILINE,
    )
    machine.run(command)
    assert before == _rules(machine)
    with listen(fabric.server) as listener:
        flow(fabric.hosts["a"], listener).close()


def test_boot_silences_what_competes_with_it(machine: Machine) -> None:
    """Nothing that runs dnf by itself can be started, and what runs of it is stopped."""
    _boot(machine)
    units = (
        "dnf-makecache.timer",
        "dnf-automatic.timer",
        "dnf-automatic-install.timer",
        "update-motd.timer",
        "update-motd.service",
    )
    masked = [machine.run("readlink", f"/etc/systemd/system/{unit}").stdout for unit in units]
    assert ["/dev/null\n"] * len(units) == masked
    stopped = [f"systemctl stop [{unit[0]}]{unit[1:]}" for unit in units]
    assert stopped == [call for call in machine.calls if call.startswith("systemctl stop")]
    assert "SystemMaxUse=64M" in machine.read("/etc/systemd/journald.conf.d/nat-failover.conf")


@pytest.mark.parametrize(
    ("setting", "done"),
    [("off", ("disable --now",)), ("on", ("unmask", "enable --now"))],
)
def test_agent_of_session_manager_runs_as_the_setting_says_whatever_the_image_has(
    machine: Machine, setting: str, done: tuple[str, ...]
) -> None:
    """The image may be from an instance whose agent was masked or disabled, or was not."""
    machine.write(SCRIPT, script().replace("session_manager=off", f"session_manager={setting}"))
    machine.run("bash", SCRIPT)
    agent = "amazon-ssm-agent.service"
    asked = [call for call in _calls(machine, "systemctl") if agent in call]
    assert [f"systemctl {verb} {agent}" for verb in done] == asked


@pytest.mark.parametrize("setting", ["on", "off"])
def test_boot_goes_on_when_the_image_has_no_agent_of_session_manager(
    machine: Machine, setting: str
) -> None:
    """The minimal image has none: no sessions then, but a NAT."""
    _played(machine, "systemctl", f"{NOTE}; [[ $* != *amazon* ]]")
    machine.write(SCRIPT, script().replace("session_manager=off", f"session_manager={setting}"))
    machine.run("bash", SCRIPT)
    assert ["CONTINUE"] == _results(machine)
    assert (setting == "on") == any(call.endswith("no sessions") for call in machine.calls)


def test_boot_sets_the_kernel_as_a_nat_needs_it_and_no_more(
    fabric: Fabric, machine: Machine
) -> None:
    """The rest of conntrack's times and the local ports are as Linux has them."""
    _boot(machine)
    tracking = "net.netfilter.nf_conntrack_tcp"
    assert {
        f"{tracking}_loose": "1",
        f"{tracking}_be_liberal": "1",
        f"{tracking}_timeout_established": "7440",
        "net.ipv4.ip_forward": "1",
        "net.ipv4.conf.all.rp_filter": "2",
        "net.ipv4.conf.all.send_redirects": "0",
        f"net.ipv4.conf.{A.uplink}.send_redirects": "0",
        "net.ipv4.conf.all.accept_redirects": "0",
        "net.ipv4.ipfrag_time": "2",
        "net.ipv4.ipfrag_high_thresh": "16777216",
    }.items() <= _settings(machine).items()
    left = ("timeout_time_wait", "timeout_fin_wait", "timeout_close_wait", "local_port_range")
    linux = _settings(fabric.server)
    assert linux == linux | {
        name: value for name, value in _settings(machine).items() if name.endswith(left)
    }


def test_boot_takes_ipv6_from_its_interface_and_leaves_it_to_the_host_itself(
    machine: Machine,
) -> None:
    """Nothing in the stack uses it: with no address, nobody can reach the instance by it."""
    machine.run("sysctl", "--write", "net.ipv6.conf.all.disable_ipv6=0")
    addresses = ("ip", "-6", "-oneline", "address", "show", "dev")
    assert "fe80" in machine.run(*addresses, A.uplink).stdout
    _boot(machine)
    assert "" == machine.run(*addresses, A.uplink).stdout
    assert "::1" in machine.run(*addresses, "lo").stdout


def test_nat_forwards_no_ipv6_even_between_interfaces_that_have_it(machine: Machine) -> None:
    """Two hosts of IPv6 on either side of it reach the NAT, and not each other."""
    machine.run("sysctl", "--write", "net.ipv6.conf.all.disable_ipv6=0")
    assert 0 == _boot(machine).returncode
    for number, host in enumerate(("left", "right"), start=1):
        _connect_by_ipv6(machine, host, f"fd00:{number}::")
    for host, near in (("left", "fd00:1::1"), ("right", "fd00:2::1")):
        assert "refused" in _connects(machine, host, near)
    assert "refused" in _connects(machine, "", "fd00:2::2")
    assert "124" in _connects(machine, "left", "fd00:2::2")


def _connect_by_ipv6(machine: Machine, host: str, network: str) -> None:
    """Put a host with an address of IPv6 behind an instance, which is its way to all others."""
    machine.run("ip", "netns", "add", host)
    machine.run("ip", "link", "add", host, "type", "veth", "peer", "name", "eth", "netns", host)
    machine.run("sysctl", "--write", f"net.ipv6.conf.{host}.disable_ipv6=0")
    machine.run("ip", "address", "add", f"{network}1/64", "dev", host, "nodad")
    machine.run("ip", "link", "set", host, "up")
    inside = ("ip", "netns", "exec", host)
    machine.run(*inside, "sysctl", "--write", "net.ipv6.conf.all.disable_ipv6=0")
    machine.run(*inside, "ip", "address", "add", f"{network}2/64", "dev", "eth", "nodad")
    machine.run(*inside, "ip", "link", "set", "eth", "up")
    machine.run(*inside, "ip", "-6", "route", "add", "default", "via", f"{network}1")


def _connects(machine: Machine, host: str, address: str) -> str:
    """Return what comes of a connection to a closed port: a refusal, or nothing in time (124).

    From a host, or from the instance itself.
    """
    attempt = f"timeout 3 bash -c ': </dev/tcp/{address}/9'; echo $?"
    inside = ("ip", "netns", "exec", host) if host else ()
    done = machine.run(*inside, "bash", "-c", attempt)
    return done.stdout + done.stderr


def test_nothing_is_forwarded_when_the_rules_cannot_be_loaded(machine: Machine) -> None:
    """Forwarding comes after the rules, which are loaded together or not at all."""
    machine.write(SCRIPT, script_with("ct state invalid drop", "ct state nonsense drop", FILTER))
    machine.run("bash", SCRIPT, check=False)
    assert "0" == _settings(machine)["net.ipv4.ip_forward"]
    assert "" == _rules(machine)
    _assert_abandoned(machine, "load the rules")


def test_boot_asks_again_while_the_launch_action_has_not_begun(machine: Machine) -> None:
    """An instance can be faster than its group."""
    _played(machine, "aws", f"{AWS}; (($(grep --count ^aws /run/lab/calls) > 2))")
    _played(machine, "sleep", "")
    assert 0 == _boot(machine).returncode
    assert ["CONTINUE"] * 3 == _results(machine)


def test_boot_signals_its_stack_once_and_after_the_group_was_told(machine: Machine) -> None:
    """Half a minute after that, by a call of its own: the boot does not wait for it."""
    _boot(machine)
    _boot(machine)
    told, signal = (call for call in machine.calls if call.startswith(("aws", "systemd-run")))
    assert told.endswith("CONTINUE")
    options, _, call = signal.partition(" aws ")
    assert "--on-active=30" in options
    assert call == (
        f"cloudformation signal-resource --region us-east-1 --stack-name any"
        f" --logical-resource-id Any --unique-id {A.name} --status SUCCESS"
    )


def test_boot_ends_well_when_its_signal_is_refused(machine: Machine) -> None:
    """As it is whenever no deployment waits for one: the log says so, and the NAT serves."""
    _played(machine, "systemd-run", RUN)
    _played(machine, "aws", f"{NOTE}; [[ $1 != cloudformation ]]")
    assert 0 == _boot(machine).returncode
    assert ["CONTINUE", "SUCCESS"] == _results(machine)
    assert STEPS[:-1] == _done(machine)
    assert "logger --tag nat-boot -- the stack gets no signal" in machine.calls
    assert [] == _calls(machine, "shutdown")


def test_cli_asks_the_metadata_service_more_than_once(machine: Machine) -> None:
    """By itself it asks once, for a second, which a busy instance misses at its first boot."""
    _played(machine, "aws", f"{PATIENCE} >/root/patience")
    _boot(machine)
    assert "3 3\n" == machine.read("/root/patience")


@pytest.mark.parametrize("fate", ["drop", "reject with tcp reset"])
def test_metadata_is_asked_for_again_when_the_service_is_busy(machine: Machine, fate: str) -> None:
    """What is lost or refused is no reason to give a launch up."""
    _boot(machine)
    silent = f"ip daddr 169.254.169.254 {fate}"
    machine.rules(f"""
        table ip busy {{
            chain output {{
                type filter hook output priority 0; policy accept;
                {silent}
            }}
        }}
    """)
    later = machine.start("bash", "-c", "sleep 1.2; nft delete table ip busy")
    asked = machine.run("bash", "-c", "source /etc/nat-failover/lib; metadata instance-id")
    later.wait()
    assert A.name == asked.stdout


def test_boot_installs_nftables_when_the_image_has_none(machine: Machine) -> None:
    """A swap file is there while dnf runs, and goes afterwards."""
    _without_nft(machine)
    _played(machine, "dnf", f"{NOTE}; test -s /var/nat-boot.swap && mv /root/nft /usr/sbin/nft")
    assert 0 == _boot(machine).returncode
    (call,) = _calls(machine, "dnf")
    assert "--setopt=max_parallel_downloads=1" in call
    assert "exit_on_lock" not in call
    assert "install nftables" in _done(machine)
    assert 1 == machine.run("test", "-e", "/var/nat-boot.swap", check=False).returncode
    assert 1 == len(_calls(machine, "swapon"))
    assert ["CONTINUE"] == _results(machine)


def test_boot_asks_dnf_again_while_it_fails(machine: Machine) -> None:
    """A busy mirror passes."""
    _without_nft(machine)
    fails = "(($(grep --count ^dnf /run/lab/calls) > 2))"
    _played(machine, "dnf", f"{NOTE}; {fails} && mv /root/nft /usr/sbin/nft")
    _played(machine, "sleep", NOTE)
    assert 0 == _boot(machine).returncode
    tried = [
        call.partition(" --")[0] for call in machine.calls if call.startswith(("dnf", "sleep"))
    ]
    assert ["dnf", "sleep 5", "dnf", "sleep 5", "dnf"] == tried
    assert ["CONTINUE"] == _results(machine)


def test_boot_gives_up_at_the_limit_when_dnf_waits_for_ever(machine: Machine) -> None:
    """For the lock of another dnf that hangs, say: the next instance may have more luck."""
    _without_nft(machine)
    machine.write(SCRIPT, script_with("step 145 'install", "step 0.5 'install"))
    _played(machine, "dnf", f"{NOTE}; exec sleep 60")
    assert 124 == machine.run("bash", SCRIPT, check=False).returncode
    _assert_abandoned(machine, "install nftables")


def _refuse_systemctl(machine: Machine) -> None:
    _played(machine, "systemctl", f"{NOTE}; exit 1")


def _lose_the_default_route(machine: Machine) -> None:
    machine.run("ip", "route", "add", "169.254.169.254", "via", vpc.PUBLIC.gateway)
    machine.run("ip", "route", "delete", "default")


def _lose_the_internet(machine: Machine) -> None:
    machine.write(SCRIPT, script(targets=[CLOSED]))


def _refuse_units(machine: Machine) -> None:
    _played(machine, "systemctl", f"{NOTE}; [[ $* != *enable* ]]")


@pytest.mark.parametrize(
    ("step", "fail"),
    [
        ("quieten the system", _refuse_systemctl),
        ("load the rules", _lose_the_default_route),
        ("forward in the self-test", _lose_the_internet),
        ("start the units", _refuse_units),
    ],
)
def test_boot_ends_at_the_step_that_fails(
    machine: Machine, step: str, fail: Callable[[Machine], None]
) -> None:
    """The console and the group hear of it, nothing after it runs, and the power goes off."""
    machine.write(SCRIPT, script())
    fail(machine)
    assert 0 != machine.run("bash", SCRIPT, check=False).returncode
    assert STEPS[: STEPS.index(step)] == _done(machine)
    _assert_abandoned(machine, step)


def test_boot_leaves_the_rest_to_the_heartbeat_when_only_the_telling_fails(
    machine: Machine,
) -> None:
    """The group may have been told, and only the answer lost: a NAT that serves stays on."""
    machine.write(SCRIPT, script())
    _played(machine, "aws", f"{AWS}; exit 1")
    _played(machine, "sleep", "")
    assert 0 != machine.run("bash", SCRIPT, check=False).returncode
    assert STEPS[:-2] == _done(machine)
    assert ["CONTINUE"] * 10 == _results(machine)
    assert "FAILED to complete the launch action (exit 1)" in machine.console
    assert [] == _calls(machine, "shutdown")


def test_boot_still_goes_off_when_nobody_can_be_told(machine: Machine) -> None:
    """The hook's heartbeat tells the group then."""
    _refuse_units(machine)
    _played(machine, "aws", "exit 1")
    assert 0 != _boot(machine).returncode
    assert "the group was not told" in machine.calls[-2]
    assert "shutdown --poweroff now" == machine.calls[-1]


@pytest.mark.parametrize(
    "obstacle",
    ["/etc/nat-failover", "/etc/systemd/journald.conf.d"],
    ids=["settings", "files"],
)
def test_instance_goes_off_when_its_files_cannot_be_unpacked(
    machine: Machine, obstacle: str
) -> None:
    """Nothing else can be done without them: the group replaces it."""
    machine.write(obstacle, "a file where a folder should be")
    assert 1 == _boot(machine).returncode
    assert "FAILED to unpack the files" in machine.console
    assert ("shutdown --poweroff now",) == machine.calls


def test_instance_goes_off_when_the_files_were_damaged_on_the_way(machine: Machine) -> None:
    """The checksum is that of the compression."""
    text = script()
    at = len(text) // 2
    machine.write(SCRIPT, f"{text[:at]}{'0' if text[at] != '0' else '1'}{text[at + 1 :]}")
    assert 1 == machine.run("bash", SCRIPT, check=False).returncode
    assert ("shutdown --poweroff now",) == machine.calls


@pytest.mark.parametrize(
    ("step", "limit", "command"),
    [
        ("quieten the system", 15, "systemctl"),
        ("load the rules", 20, "nft"),
        ("forward in the self-test", 50, "getent"),
    ],
)
def test_boot_ends_a_step_that_hangs_at_its_limit(
    machine: Machine, step: str, limit: int, command: str
) -> None:
    """No step can hold the boot for longer."""
    limited = script_with(f"step {limit} '{step}'", f"step 0.5 '{step}'")
    assert limited != script()
    machine.write(SCRIPT, limited)
    _played(machine, command, f"{AWS}; [[ $* == *ABANDON* ]] || exec sleep 60")
    assert 124 == machine.run("bash", SCRIPT, check=False).returncode
    _assert_abandoned(machine, step)


def test_call_that_hangs_ends_with_its_step(machine: Machine) -> None:
    """A late CONTINUE would let an instance serve of which the log says that it failed."""
    machine.write(SCRIPT, script_with("step .* 'complete", "step 0.5 'complete"))
    end = "trap 'trap : TERM; echo ended >>/run/lab/calls; exit' TERM"
    _played(machine, "aws", f"{AWS}; {end}; sleep 60 & wait")
    assert 124 == machine.run("bash", SCRIPT, check=False).returncode
    told = [call.rsplit(" ", 1)[-1] for call in machine.calls if call.startswith(("aws", "ended"))]
    assert ["CONTINUE", "ended"] == told


@pytest.mark.parametrize(
    ("memory_kib", "entries"),
    [(429_512, 65_536), (938_332, 131_072), (1_947_508, 262_144), (7_901_120, 262_144)],
    ids=["512 MiB", "1 GiB", "2 GiB", "8 GiB"],
)
def test_connection_table_is_sized_by_the_memory_of_the_instance(
    machine: Machine, memory_kib: int, entries: int
) -> None:
    """As many buckets as entries. The kernel keeps some of the memory to itself."""
    machine.pretend({"/proc/meminfo": f"MemTotal: {memory_kib:>15} kB\nMemFree: 1000 kB\n"})
    _boot(machine)
    sizes = [
        machine.read(f"/proc/sys/net/netfilter/nf_conntrack_{size}") for size in ("max", "buckets")
    ]
    assert [f"{entries}\n"] * 2 == sizes


def _boot(machine: Machine) -> CompletedProcess[str]:
    machine.write(SCRIPT, script())
    return machine.run("bash", SCRIPT, check=False)


def _played(machine: Machine, name: str, body: str) -> None:
    machine.command(name, f"#!/bin/bash\n{body}\n")


def _without_nft(machine: Machine) -> None:
    machine.run("mv", "/usr/sbin/nft", "/root/nft")
    _played(machine, "dd", "echo swap >/var/nat-boot.swap")


def _rules(machine: Machine) -> str:
    """Return the rules without what they remember of packets, which fill all their sets."""
    return machine.run("nft", "--stateless", "--terse", "list", "ruleset").stdout


def _settings(namespace: Namespace) -> dict[str, str]:
    """Return the settings of the kernel, whose spaces are as they are."""
    pairs = (
        line.partition(" = ")
        for line in namespace.run("sysctl", "--all", "--pattern", "^net").stdout.splitlines()
    )
    return {name: value for name, _, value in pairs}


def _calls(machine: Machine, name: str) -> list[str]:
    return [call for call in machine.calls if call.startswith(f"{name} ")]


def _results(machine: Machine) -> list[str]:
    return [call.rsplit(" ", 1)[1] for call in _calls(machine, "aws")]


def _done(machine: Machine) -> tuple[str, ...]:
    return tuple(re.findall(r"logger .* \d+ s to (.*)", "\n".join(machine.calls)))


def _assert_abandoned(machine: Machine, step: str) -> None:
    assert f"FAILED to {step} (exit " in machine.console
    last = _calls(machine, "aws")[-1]
    assert last.startswith(f"aws nat-boot.{step.replace(' ', '-')} autoscaling complete-lifecycle")
    assert last.endswith(" --lifecycle-action-result ABANDON")
    assert 1 == _results(machine).count("ABANDON")
    assert "shutdown --poweroff now" == machine.calls[-1]
