"""What client and server have agreed on: ports, requests, and who says what when."""

from __future__ import annotations

import os
from contextlib import suppress

ECHO_PORT = 7
"""TCP and UDP: the server says again what it hears."""

HTTP_PORT = 80

DOWNLOAD = "/download"
"""A body without an end, a piece at a time."""

UPLOAD = "/upload"
"""Takes a body without an end; the server first says that it wants it."""

PIECE = bytes(10_000)
EVERY = 0.1
"""What a download or an upload sends, and every how many seconds: slow, and never silent."""

LISTENING = "listening"
READY = "ready"
"""The line that a server prints when it listens, and a client when each thing has worked once."""

_FIRST = -15


def go_first() -> None:
    """Let this process go before others, where that is allowed: a busy machine is no outage."""
    with suppress(PermissionError):
        os.nice(_FIRST)
