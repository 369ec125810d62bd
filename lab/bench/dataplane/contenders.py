"""Ways to make a host a NAT: this project's boot script, a plain rule, or a file as given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cdk_nat_failover.instances.nat_user_data import Boot, user_data
from lab.bench.dataplane.load import SERVER

if TYPE_CHECKING:
    from pathlib import Path

VPC = "10.0.0.0/16"
_FORWARD = "sysctl --quiet --write net.ipv4.ip_forward=1\n"
_PLAIN = f"""
{_FORWARD}
nft --file - <<'RULES'
table ip nat {{
	chain postrouting {{
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr {VPC} oifname "ens5" masquerade
	}}
}}
RULES
"""


class FileError(Exception):
    """A file cannot be the contender; the message says why."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to make a host a NAT: what its column is called, and the script that bash runs."""

    name: str
    script: str


def ours() -> Contender:
    """Return the whole user data of this project's instances."""
    boot = Boot(
        targets=[SERVER],
        group="bench",
        hook="proven-to-forward",
        stack="bench",
        resource="Group",
        session_manager=False,
    )
    return Contender("nat-failover", user_data(boot))


def plain() -> Contender:
    """Return the same job done with one rule and the kernel's defaults."""
    return Contender("plain masquerade", _PLAIN)


def from_file(path: Path) -> Contender:
    """Return a contender from an `.nft` ruleset, or else a script for bash.

    A ruleset cannot turn forwarding on, so that is done for it.

    Raises:
        FileError: when the file cannot be read.

    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        message = f"--against {path}: {reason}; allowed: an .nft ruleset, or a script for bash"
        raise FileError(message) from None
    if path.suffix == ".nft":
        text = f"{_FORWARD}nft --file - <<'END_OF_THE_RULESET'\n{text}\nEND_OF_THE_RULESET\n"
    return Contender(path.name, text)
