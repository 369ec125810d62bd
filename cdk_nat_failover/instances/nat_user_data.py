"""The user data of a NAT: the settings, and packed the boot script and the files that it needs.

The files are those of `boot`, with their comments. The settings are the one thing that differs
between stacks. For the modules of the watch there is no room: the instance fetches them.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cdk_nat_failover.instances.packing import File, pack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FOLDER = Path(__file__).with_name("boot")

LIMIT = 16 * 1024
"""Bytes that user data may have before it is encoded ("Run commands at launch", EC2 user guide)."""

_HOME = "/etc/nat-failover"

_UNITS = "/etc/systemd/system"
_WRITTEN: tuple[tuple[str, str, int], ...] = (
    ("boot.sh", f"{_HOME}/boot", 0o755),
    ("lib.sh", f"{_HOME}/lib", 0o644),
    ("fetch-watch.sh", f"{_HOME}/fetch-watch", 0o755),
    ("up.sh", f"{_HOME}/up", 0o755),
    ("self-test.sh", f"{_HOME}/self-test", 0o755),
    ("health.sh", f"{_HOME}/health", 0o755),
    ("nat.nft", f"{_HOME}/nat.nft", 0o644),
    ("filter.nft", f"{_HOME}/filter.nft", 0o644),
    ("peers.nft", f"{_HOME}/peers.nft", 0o644),
    ("sysctl.conf", f"{_HOME}/sysctl.conf", 0o644),
    ("nat-failover.service", f"{_UNITS}/nat-failover.service", 0o644),
    ("nat-failover-health.service", f"{_UNITS}/nat-failover-health.service", 0o644),
    ("nat-failover-health.timer", f"{_UNITS}/nat-failover-health.timer", 0o644),
    ("nat-failover-watch.service", f"{_UNITS}/nat-failover-watch.service", 0o644),
    ("journald.conf", "/etc/systemd/journald.conf.d/nat-failover.conf", 0o644),
)


class UserDataError(ValueError):
    """The user data does not fit; the message says what to shorten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """What the instances of a stack are told: their group, and how to test themselves.

    `group` and `hook` name the lifecycle action that an instance completes, `stack` and `resource`
    what it signals afterwards; `targets` are IPv4 addresses and host names on the internet, none
    for the Region's own. With a `watch`, `topic` is the ARN where it publishes its claims, `table`
    the name of the table where it reads its peers, `code` the URL of its modules in S3. `served`
    are the IPv4 networks outside of the VPC whose hosts may use the NATs. What `elastic_ips` says
    no instance reads: those that are to have other Elastic IPs, or none, have other user data, so
    that a deployment replaces them one by one.
    """

    targets: Sequence[str]
    group: str
    hook: str
    stack: str
    resource: str
    session_manager: bool
    watch: bool = False
    topic: str = ""
    table: str = ""
    code: str = ""
    served: Sequence[str] = ()
    elastic_ips: str = ""


def user_data(boot: Boot) -> str:
    """Return the script that an instance runs when it is launched.

    Raises:
        UserDataError: when it is longer than user data may be.

    """
    script = _text("unpack.sh")
    script = script.replace("@SETTINGS@\n", _settings(boot)).replace("@FILES@", pack(_files()))
    if (size := len(script.encode())) > LIMIT:
        message = (
            f"the user data of the NAT instances has {size} bytes; allowed: {LIMIT}: shorten the"
            f" files in {FOLDER.relative_to(FOLDER.parents[2])}, or name fewer targets in"
            " self_test or networks in served_cidrs"
        )
        raise UserDataError(message)
    return script


def _settings(boot: Boot) -> str:
    values = {
        "targets": " ".join(boot.targets),
        "group": boot.group,
        "hook": boot.hook,
        "stack": boot.stack,
        "resource": boot.resource,
        "session_manager": "on" if boot.session_manager else "off",
    }
    if boot.watch:
        values |= {"watch": "on", "topic": boot.topic, "table": boot.table, "code": boot.code}
    if boot.served:
        values["served"] = ",".join(boot.served)
    if boot.elastic_ips:
        values["elastic_ips"] = boot.elastic_ips
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def _files() -> Iterator[File]:
    for name, path, mode in _WRITTEN:
        yield File(path, mode, _text(name))


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
