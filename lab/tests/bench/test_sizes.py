"""The machine's connection table, whose sizes are borrowed: here a directory plays the kernel."""

from __future__ import annotations

import json
import signal
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from lab.bench.dataplane.sizes import ENOUGH, FEW, Sizes, SizesError, borrowed

if TYPE_CHECKING:
    from pathlib import Path

BEFORE = Sizes(262_144, 131_072)
ANY_OTHER = Sizes(4096, 2048)


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    """Return a directory with the files of a kernel that tracks nothing."""
    folder = tmp_path / "kernel"
    folder.mkdir()
    set_to(folder, BEFORE)
    tracks(folder, 0)
    return folder


@pytest.fixture
def note(tmp_path: Path) -> Path:
    """Return where a run notes what the sizes were."""
    return tmp_path / "run" / "note.json"


def set_to(kernel: Path, sizes: Sizes) -> None:
    """Write sizes as a kernel would show them."""
    (kernel / "nf_conntrack_max").write_text(f"{sizes.entries}\n")
    (kernel / "nf_conntrack_buckets").write_text(f"{sizes.buckets}\n")


def tracks(kernel: Path, count: int) -> None:
    """Let the machine track connections of its own."""
    (kernel / "nf_conntrack_count").write_text(f"{count}\n")


def test_sizes_are_those_of_the_contender_while_they_are_borrowed(kernel: Path, note: Path) -> None:
    """The kernel's two files have what was written."""
    with borrowed(kernel, note) as machine:
        machine.write(ANY_OTHER)
        assert ANY_OTHER == machine.read()


def test_sizes_are_as_before_when_they_were_changed_twice(kernel: Path, note: Path) -> None:
    """What is noted is what they were before the first change."""
    with borrowed(kernel, note) as machine:
        machine.write(ANY_OTHER)
        machine.write(Sizes(1, 1))
        assert BEFORE == machine.restore()
    assert BEFORE == machine.read()
    assert not note.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_sizes_are_as_before_when_the_run_is_ended(
    kernel: Path, note: Path, number: signal.Signals
) -> None:
    """Ctrl-C, a request to end and a closed terminal all put them back."""

    def run_until_ended() -> None:
        with borrowed(kernel, note) as machine:
            machine.write(ANY_OTHER)
            signal.raise_signal(number)

    with pytest.raises((KeyboardInterrupt, SystemExit)):
        run_until_ended()
    assert not note.exists()
    with borrowed(kernel, note) as machine:
        assert BEFORE == machine.read()


def test_sizes_of_a_crashed_run_are_put_back_by_the_next(kernel: Path, note: Path) -> None:
    """A run that was killed leaves its note, and the next one begins with it."""
    note.parent.mkdir()
    note.write_text(json.dumps(asdict(BEFORE)))
    set_to(kernel, ANY_OTHER)
    with borrowed(kernel, note) as machine:
        assert BEFORE == machine.left_over
        assert BEFORE == machine.read()


def test_borrowing_is_refused_when_another_run_has_borrowed(kernel: Path, note: Path) -> None:
    """Two runs would overwrite each other's sizes, and the first keeps its own."""
    with borrowed(kernel, note) as machine:
        machine.write(ANY_OTHER)
        with pytest.raises(SizesError, match="another run"), borrowed(kernel, note):
            pass
        assert ANY_OTHER == machine.read()


def test_small_table_is_refused(kernel: Path, note: Path) -> None:
    """The message names the setting, its value and what is needed."""
    set_to(kernel, Sizes(ENOUGH - 1, 1))
    with borrowed(kernel, note) as machine, pytest.raises(SizesError) as refused:
        machine.refuse_if_small()
    assert "net.netfilter.nf_conntrack_max is 65535" in str(refused.value)
    assert "needed: 65536" in str(refused.value)


def test_large_enough_table_is_taken(kernel: Path, note: Path) -> None:
    """The least that is enough is enough."""
    set_to(kernel, Sizes(ENOUGH, 1))
    with borrowed(kernel, note) as machine:
        machine.refuse_if_small()


def test_change_is_refused_when_the_machine_tracks_connections(kernel: Path, note: Path) -> None:
    """They would be dropped from a small table, so the message counts them."""
    tracks(kernel, FEW + 1)
    with borrowed(kernel, note) as machine, pytest.raises(SizesError, match="tracks 101"):
        machine.refuse_if_used()


def test_change_is_refused_when_the_sizes_are_read_only(kernel: Path, note: Path) -> None:
    """In a container's namespace the kernel shows them, and lets nobody write."""
    (kernel / "nf_conntrack_max").chmod(0o444)
    with borrowed(kernel, note) as machine, pytest.raises(SizesError, match="not in a container"):
        machine.refuse_if_used()


def test_change_is_not_refused_when_the_machine_tracks_a_few(kernel: Path, note: Path) -> None:
    """A person's own connection to the machine is no reason."""
    tracks(kernel, FEW)
    with borrowed(kernel, note) as machine:
        machine.refuse_if_used()
