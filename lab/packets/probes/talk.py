"""What client and server have agreed on: ports, requests, and who says what when."""

from __future__ import annotations

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

FIRST = -15
"""How nice both are to other processes: not at all, because a busy machine is no outage."""

LISTENING = "listening"
READY = "ready"
"""The line that a server prints when it listens, and a client when each thing has worked once."""
