"""What the size of the connection table is worth on an instance of 512 MiB."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from lab.bench.dataplane.bed import Bed
from lab.bench.dataplane.contenders import ours, plain
from lab.bench.dataplane.kept import Extent, compare
from lab.bench.dataplane.sizes import SizesError, borrowed
from lab.packets.namespaces import Namespaces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.bench.dataplane.sizes import Machine

RATE = 100
"""New connections a second: in the two minutes for which they are kept, 12 000 of them."""

MEASURED_S = 5
"""A machine that is busy for seconds after the table was filled lets some of it be forgotten."""


@pytest.mark.usefixtures("borrower")
def test_connections_that_linux_would_drop_are_kept_in_a_table_of_the_boots_size() -> None:
    """The plain NAT has the 4 096 entries that Linux gives it, ours the 65 536 that it sets."""
    with (
        borrowed_or_skipped() as machine,
        Namespaces() as spaces,
        Bed(spaces, ours(), name="a") as one,
        Bed(spaces, plain(), name="b") as other,
    ):
        extent = Extent((RATE,), empty=0.1, filled=MEASURED_S)
        _, lasting = compare(one, other, machine, extent=extent, measured=lambda: None)
    assert (65_536, 4_096) == (one.booted.sizes.entries, other.booted.sizes.entries)
    assert 0 == lasting.ours.dropped
    assert 0 < lasting.theirs.dropped


@contextmanager
def borrowed_or_skipped() -> Iterator[Machine]:
    """Borrow the sizes of the table, which somebody may need: they exist once per machine."""
    try:
        with borrowed() as machine:
            machine.refuse_if_used()
            yield machine
    except SizesError as error:
        pytest.skip(str(error))
