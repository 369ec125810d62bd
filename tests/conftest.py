"""What every test begins with: a keyboard interrupt that reaches the commands that tests start."""

from __future__ import annotations

import signal

signal.signal(signal.SIGINT, signal.default_int_handler)
"""A shell lets what it starts in its background ignore the interrupt, and so would whatever that
starts (POSIX, "Shell Command Language", 2.11)."""
