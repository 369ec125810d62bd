"""Whether packets can flow on this machine; asked before anything is loaded that needs Linux."""

from __future__ import annotations

import os
import shutil
import sys

_TOOLS = {"ip": "iproute2", "nft": "nftables", "curl": "curl", "sysctl": "procps"}


class PacketsError(Exception):
    """Packets cannot flow on this machine; the message says why, and what to do."""


def missing_requirement() -> str | None:
    """Return why this process cannot make namespaces and load rules, or None if it can."""
    if sys.platform != "linux":
        return f"packets need Linux's network namespaces, and this is {sys.platform}"
    if os.geteuid() != 0:
        return "packets need root, for network namespaces: run it with sudo"
    missing = [package for tool, package in _TOOLS.items() if not shutil.which(tool)]
    if missing:
        return f"packets need tools that this machine lacks: install {' and '.join(missing)}"
    return None
