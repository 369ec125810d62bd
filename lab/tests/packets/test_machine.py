"""A NAT's namespace has files of its own: what boot files do there does nothing to this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.packets.fabric import Fabric

SIZES = Path("/proc/sys/net/netfilter/nf_conntrack_max")


def test_files_are_those_of_the_nat_alone(fabric: Fabric) -> None:
    """What a NAT writes is there for its next command, for no other NAT, and not on the machine."""
    path = "/etc/nat-failover/settings"
    fabric.machines["nat-a"].write(path, "of a\n")

    assert "of a\n" == fabric.machines["nat-a"].read(path)
    assert 0 != fabric.machines["nat-b"].run("test", "-e", path, check=False).returncode
    assert not Path(path).exists()


def test_the_sizes_of_the_connection_table_are_written_for_the_nat_alone(fabric: Fabric) -> None:
    """The kernel has one maximum for all namespaces: a NAT's is a file that it can read back."""
    fabric.machines["nat-a"].run(
        "sysctl",
        "--write",
        "net.netfilter.nf_conntrack_max=7",
        "net.netfilter.nf_conntrack_buckets=7",
    )

    assert "7\n" == fabric.machines["nat-a"].read(SIZES)
    # The machine's own may change at any time: the benchmark of the data plane borrows it.
    assert "7\n" not in {SIZES.read_text(encoding="utf-8"), fabric.machines["nat-b"].read(SIZES)}


def test_played_commands_note_their_calls(fabric: Fabric) -> None:
    """Switching off, units and the AWS command line are played; a test says what one answers."""
    machine = fabric.machines["nat-a"]
    machine.run("shutdown", "--poweroff", "now")
    machine.run("bash", "-c", "echo off >/dev/console; systemctl restart a.service b.timer")
    machine.command("aws", "#!/bin/sh\necho an answer\n")

    assert ("shutdown --poweroff now", "systemctl restart a.service b.timer") == machine.calls
    assert "off\n" == machine.console
    assert "an answer\n" == machine.run("aws", "anything").stdout


def test_kernel_files_say_what_they_are_told_to(fabric: Fabric) -> None:
    """A NAT can be as small as an instance is."""
    fabric.machines["nat-b"].pretend({"/proc/meminfo": "MemTotal: 1000 kB\n"})

    assert "MemTotal: 1000 kB\n" == fabric.machines["nat-b"].read("/proc/meminfo")
    assert "MemTotal: 1000 kB\n" != Path("/proc/meminfo").read_text(encoding="utf-8")
