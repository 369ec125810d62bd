"""The arithmetic of probes and flows: lost, late, stretches, and moments since the first fault."""

from __future__ import annotations

import pytest

from lab.drills.host_packets import Break, Flow, Probes
from lab.packets.probes.record import LATE, Record, Taken, host_packets, read, stretches

SOON = 0.001
ZERO = 1000.0


def any_record(*taken: Taken, flows: tuple[Flow, ...] = ()) -> Record:
    """Return the record of a client that ended 60 s after the first fault."""
    return Record(ended=ZERO + 60, probes={"UDP": taken}, flows=flows)


def probes_of(*taken: Taken, since: float = 0.0) -> Probes:
    """Return what is told of probes, sent so many seconds after the first fault."""
    record = any_record(*((ZERO + sent, rtt) for sent, rtt in taken))
    return host_packets(record, host="any", zone="any", zero=ZERO, since=since).probes[0]


def flow_of(*breaks: Break, waits_since: float | None = None) -> Flow:
    """Return what is told of a flow."""
    flow = Flow(name="chatty", breaks=breaks, waits_since=waits_since)
    return host_packets(
        any_record(flows=(flow,)), host="any", zone="any", zero=ZERO, since=0
    ).flows[0]


def test_probe_is_lost_without_an_answer_and_late_with_a_slow_one() -> None:
    """An answer just in time is neither."""
    found = probes_of((0.0, SOON), (0.01, LATE), (0.02, LATE + SOON), (0.03, None))
    assert (found.sent, found.lost, found.late) == (4, 1, 1)
    (delay,) = found.delays
    assert delay.start == pytest.approx(0.02)
    assert delay.count == 1


def test_probes_count_from_the_moment_given() -> None:
    """What was sent while everything warmed up does not."""
    found = probes_of((-6.0, None), (-5.0, None), (1.0, SOON), since=-5.0)
    assert (found.sent, found.lost) == (2, 1)


@pytest.mark.parametrize(
    ("lost", "expected"),
    [
        ([], ()),
        ([3], ((0.03, 0.04, 1),)),
        ([3, 4, 5], ((0.03, 0.06, 3),)),
        ([3, 9], ((0.03, 0.1, 2),)),
        ([3, 25], ((0.03, 0.04, 1), (0.25, 0.26, 1))),
        ([28, 29], ((0.28, 0.29, 2),)),
    ],
    ids=["none", "one", "in a row", "soon again", "apart", "to the end"],
)
def test_stretch_ends_with_the_next_probe_unless_another_is_lost_soon(
    lost: list[int], expected: tuple[tuple[float, float, int], ...]
) -> None:
    """Those that came through between two lost ones do not count in it."""
    taken = [(number / 100, None) for number in range(30)]
    found = stretches(taken, [number in lost for number in range(30)])
    assert [(each.start, each.end, each.count) for each in found] == [
        pytest.approx(each) for each in expected
    ]


def test_stretches_of_nothing_are_none() -> None:
    """A client may be ended before it sent anything."""
    assert stretches([], []) == ()


def test_break_is_told_in_seconds_since_the_first_fault() -> None:
    """Both of its moments."""
    learned = Break(learned=ZERO + 4.5, error="Connection reset by peer", reconnected=ZERO + 4.6)
    never = Break(learned=ZERO + 7, error="Connection timed out", reconnected=None)
    first, second = flow_of(learned, never).breaks
    assert (first.learned, first.error) == (4.5, "Connection reset by peer")
    assert first.reconnected == pytest.approx(4.6)
    assert (second.learned, second.reconnected) == (7, None)


@pytest.mark.parametrize(("waited", "told"), [(None, None), (0.5, None), (40.0, 20.0)])
def test_flow_waits_in_vain_when_it_has_waited_for_long(
    waited: float | None, told: float | None
) -> None:
    """An answer that is due any moment is nothing to tell."""
    assert flow_of(waits_since=waited and ZERO + 60 - waited).waits_since == told


def test_record_is_what_a_client_printed() -> None:
    """Lists become what they stand for."""
    flow = {"name": "idle", "breaks": [[1.0, "reset", None]], "waits_since": None}
    record = read({"ended": 2.0, "probes": {"TCP": [[0.5, None]]}, "flows": [flow]})
    learned = Break(learned=1.0, error="reset", reconnected=None)
    assert record == Record(
        ended=2.0,
        probes={"TCP": [(0.5, None)]},
        flows=[Flow(name="idle", breaks=(learned,), waits_since=None)],
    )
