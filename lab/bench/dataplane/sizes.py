"""The sizes of the machine's connection table: borrowed for some moments, and put back.

They exist once per kernel and cannot be set for a namespace alone. What they were is noted in a
file before they change, so that the next run puts them back after one that was killed.
"""

from __future__ import annotations

import fcntl
import json
import signal
import stat
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

KERNEL = Path("/proc/sys/net/netfilter")
NOTE = Path("/run/nat-failover-bench/table-sizes.json")
FEW = 100
"""Connections that the machine itself may track: more of them belong to somebody who needs them."""

ENOUGH = 65_536
"""Entries that hold all that is made in one measurement of the speeds."""


class SizesError(Exception):
    """The sizes cannot be borrowed; the message says why."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many connections a table may have, and how many buckets they are in."""

    entries: int
    buckets: int

    def __str__(self) -> str:
        return f"{self.entries:,} entries in {self.buckets:,} buckets"


class Machine:
    """The machine's sizes, for the process that holds them; `read` gives what they are now."""

    def __init__(self, kernel: Path, note: Path) -> None:
        self._kernel = kernel
        self._note = note
        self.left_over = self.restore()
        """What a run that was killed had noted, which is put back, or None."""

    def read(self) -> Sizes:
        """Return the sizes as they are."""
        return Sizes(self._number("max"), self._number("buckets"))

    def write(self, sizes: Sizes) -> None:
        """Note what the sizes were, if nothing is noted yet, and change them."""
        if not self._note.exists():
            self._note.write_text(json.dumps(asdict(self.read())))
        self._set(sizes)

    def restore(self) -> Sizes | None:
        """Put back what is noted, and return it, or None if nothing is."""
        if not self._note.exists():
            return None
        before = Sizes(**json.loads(self._note.read_text()))
        self._set(before)
        self._note.unlink()
        return before

    def refuse_if_small(self) -> None:
        """Raise SizesError when the table would be what limits the speeds."""
        if (most := self.read().entries) < ENOUGH:
            message = (
                f"net.netfilter.nf_conntrack_max is {most}, and the load makes more connections;"
                f" needed: {ENOUGH}: raise it with sysctl"
            )
            raise SizesError(message)

    def refuse_if_used(self) -> None:
        """Raise SizesError when the sizes cannot be changed, or somebody needs them."""
        if not (self._kernel / "nf_conntrack_max").stat().st_mode & stat.S_IWUSR:
            message = (
                "the sizes of the connection table are read-only here: run it in the machine's own"
                " network namespace, not in a container"
            )
            raise SizesError(message)
        if (own := self._number("count")) > FEW:
            message = (
                f"this machine tracks {own} connections of its own, and a small table would drop"
                f" them; allowed: {FEW}: run it on a machine that is no router, NAT or firewall"
            )
            raise SizesError(message)

    def _number(self, name: str) -> int:
        return int((self._kernel / f"nf_conntrack_{name}").read_text())

    def _set(self, sizes: Sizes) -> None:
        (self._kernel / "nf_conntrack_buckets").write_text(str(sizes.buckets))
        (self._kernel / "nf_conntrack_max").write_text(str(sizes.entries))


@contextmanager
def borrowed(kernel: Path = KERNEL, note: Path = NOTE) -> Iterator[Machine]:
    """Let the sizes be changed within a `with` block; then they are as before, whatever ends it.

    Raises:
        SizesError: when another run has borrowed them.

    """
    note.parent.mkdir(parents=True, exist_ok=True)
    with note.with_suffix(".lock").open("w") as lock, _ended_by_exception():
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = "another run has changed the sizes of the connection table: wait for its end"
            raise SizesError(message) from None
        machine = Machine(kernel, note)
        try:
            yield machine
        finally:
            machine.restore()


@contextmanager
def _ended_by_exception() -> Iterator[None]:
    """Let a request to end run the `finally` blocks, as Ctrl-C does."""

    def end(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signals = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, end) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
