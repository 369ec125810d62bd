"""A NAT instance: a network namespace with files of its own, in which boot files run as they are.

What runs in it may write to /etc, /var, /usr, /root and /run, to the console and to the sizes of
the connection table: all of it is the machine's own and is gone with it. The sizes exist once per
kernel, so here they are plain files. What a real instance has and this does not, such as systemd
and the AWS command line, is played by commands that take note of how they were called and succeed.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from lab.packets.namespaces import Namespace
from lab.packets.requirements import PacketsError
from lab.packets.services import Service

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

CALLS = "/run/lab/calls"
"""Where the played commands note their calls, each a line: the name, then the arguments."""

CONSOLE = "/run/lab/console"
"""What was written to the console."""

_PLAYED = "aws dnf logger mkswap reboot poweroff shutdown swapoff swapon systemctl systemd-run"
_SIZES = "/proc/sys/net/netfilter/nf_conntrack_{}"
_PATH = "/run/lab/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# `ip netns exec` has made a mount namespace already, with a /sys of this network namespace.
_BUILD = f"""
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/lab/bin /run/lab/files /run/netns
for folder in etc var usr root; do
    mkdir -p "/run/lab/over/$folder" "/run/lab/work/$folder"
    mount -t overlay overlay "/$folder" \\
        -o "lowerdir=/$folder,upperdir=/run/lab/over/$folder,workdir=/run/lab/work/$folder"
done
mkdir /run/lab/dev
for device in null zero full random urandom tty; do
    touch "/run/lab/dev/$device"
    mount --bind "/dev/$device" "/run/lab/dev/$device"
done
ln -s /proc/self/fd /run/lab/dev/fd
for stream in 0stdin 1stdout 2stderr; do
    ln -s "/proc/self/fd/${{stream%%std*}}" "/run/lab/dev/${{stream#?}}"
done
touch {CONSOLE} {CALLS}
ln -s {CONSOLE} /run/lab/dev/console
mount --rbind /run/lab/dev /dev
for size in max buckets; do
    cat "{_SIZES.format("$size")}" >"/run/lab/files/$size"
    mount --bind "/run/lab/files/$size" "{_SIZES.format("$size")}"
done
printf '#!/bin/sh\\necho "${{0##*/}} $*" >>{CALLS}\\n' >/run/lab/bin/played
chmod 755 /run/lab/bin/played
for name in {_PLAYED}; do
    cp /run/lab/bin/played "/run/lab/bin/$name"
done
sleep infinity </dev/null >/dev/null 2>&1 &
echo $!
"""


class Machine(Namespace):
    """A network namespace whose commands see its own files."""

    def __init__(self, namespace: Namespace) -> None:
        super().__init__(namespace.name)
        self._keeper = _build(namespace)
        self.services: dict[str, Service] = {}
        """The services that run for real, by their units."""

    def serve(self, unit: str, environment: Mapping[str, str]) -> Service:
        """Start a service for real, or start it anew, with some more in its environment."""
        self.end(unit)
        self.services[unit] = Service(self, unit, environment)
        return self.services[unit]

    def end(self, unit: str) -> None:
        """Stop a service that runs for real, if it does."""
        if unit in self.services:
            self.services.pop(unit).stop()

    def command(self, name: str, script: str) -> None:
        """Let a script be the command of this name, whatever the image has by that name."""
        self.write(f"/run/lab/bin/{name}", script, mode="755")

    def write(self, path: str | Path, text: str, mode: str = "644") -> None:
        """Write a file of the machine."""
        self.run("install", "-D", f"--mode={mode}", "/dev/stdin", path, given=text)

    def read(self, path: str | Path) -> str:
        """Return what a file of the machine holds."""
        return self.run("cat", path).stdout

    def pretend(self, files: Mapping[str, str]) -> None:
        """Let files of the kernel say something else, such as /proc/meminfo."""
        for number, (path, text) in enumerate(files.items()):
            copy = f"/run/lab/files/pretended-{number}"
            self.write(copy, text)
            self.run("mount", "--bind", copy, path)

    @property
    def calls(self) -> tuple[str, ...]:
        """Return the calls of played commands, in their order."""
        return tuple(self.read(CALLS).splitlines())

    @property
    def console(self) -> str:
        """Return what was written to the console."""
        return self.read(CONSOLE)

    def _inside(self, command: Sequence[str | Path]) -> list[str | Path]:
        enter = ["nsenter", f"--target={self._keeper}", "--mount", "--net"]
        return [*enter, "env", f"PATH={_PATH}", *command]


def _build(namespace: Namespace) -> str:
    """Put the files in place; return the process that keeps them as long as the namespace lasts.

    Raises:
        PacketsError: when they cannot be put in place.

    """
    try:
        return namespace.run("bash", "-c", _BUILD).stdout.strip()
    except subprocess.CalledProcessError as error:
        message = f"a NAT cannot have files of its own on this machine: {error.stderr.strip()}"
        raise PacketsError(message) from error
