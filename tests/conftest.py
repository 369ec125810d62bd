"""What every test begins with: a keyboard interrupt that reaches what tests start, and no hurry."""

from __future__ import annotations

import gc
import signal

from hypothesis import settings

signal.signal(signal.SIGINT, signal.default_int_handler)
"""A shell lets what it starts in its background ignore the interrupt, and so would whatever that
starts (POSIX, "Shell Command Language", 2.11)."""

gc.set_threshold(50_000, 20, 50)
"""What is loaded are hundreds of thousands of objects: going through them as often as Python does
otherwise takes a tenth of these tests."""

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
"""How long an example takes says more of the machine than of the code."""
