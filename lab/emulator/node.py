"""Node, which runs the CDK CLI and the policy simulator."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


class NotSetUpError(Exception):
    """Something that the lab needs is not installed; the message says what to do."""


def node() -> str:
    """Return node's path: the virtual environment's, or else that of the machine."""
    found = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    if not found:
        message = "node is missing: run the lab with `make lab`, which installs it"
        raise NotSetUpError(message)
    return found
