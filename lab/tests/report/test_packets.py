"""How a report tells what private hosts saw: in pictures, in tables, and in the terminal."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from lab import report
from lab.cli.screen import Screen
from lab.drills.host_packets import Stretch
from lab.report.frame import FORMATS, Frame
from lab.report.hosts import Strip, strip
from lab.report.packets import events, flow_rows, probe_rows, what_hosts_saw
from lab.report.picture import panels
from lab.report.windows import Window, close_views
from lab.tests.report.failover_sample import HERE, THERE
from lab.tests.report.host_samples import HIT, RESET, any_flow, any_host, any_probes
from lab.tests.report.outcomes import any_outcome, failover_and_home, with_packets

if TYPE_CHECKING:
    from pathlib import Path

    from lab.drills.host_packets import Flow, HostPackets

WIDE, NARROW = FORMATS
TEN_SECONDS = Window(0, 10)


def laid_out(host: HostPackets, *views: Window) -> Strip:
    """Return a host in a wide picture of ten seconds."""
    return strip(host, Frame(window=TEN_SECONDS, form=WIDE, rows=9, views=views), 0)


def with_flow(flow: Flow) -> HostPackets:
    """Return a host of which one flow is told."""
    return any_host(flows=(flow,))


def test_page_says_nothing_of_packets_where_none_flowed(tmp_path: Path) -> None:
    """Neither in pictures nor in tables nor in the small print."""
    page = report.write([failover_and_home()], tmp_path).read_text()
    shown = page[page.index("<body>") :]
    for word in ("private hosts", 'class="track"', "Lost", "keep-alive"):
        assert word not in shown


def test_page_has_the_numbers_of_every_host(tmp_path: Path) -> None:
    """Host by host: probes sent, lost and late, and when each flow learned."""
    page = report.write([with_packets()], tmp_path).read_text()
    section = page[page.index("What the private hosts saw") :]
    hosts = re.findall(r"<span>([\d.]+), (\S+)</span>", section)
    assert hosts == [(host.host, host.zone) for host in with_packets().packets] * 2
    assert section.count(f"<td>{RESET}</td>") == 2 * 6
    assert section.count("hangs from 3.40 s on") == 2
    numbers = '<td class="number">18500</td><td class="number">4561</td><td class="number">6</td>'
    assert section.count(f"<td>New TCP connections</td>{numbers}") == 2
    assert "no answer within 1 s. Late: an answer after more than 0.1 s." in section


def test_pictures_tell_every_loss_and_break_in_words(tmp_path: Path) -> None:
    """Who does not see the picture misses nothing of it."""
    page = report.write([with_packets()], tmp_path).read_text()
    texts = " ".join(re.findall("<desc id[^>]*>(.*?)</desc>", page))
    for said in (
        "10.0.128.10: TCP: 43 lost, 3.40 s to 3.83 s.",
        "10.0.128.10: TCP: 6 late, 162 s to 162 s.",
        "10.0.128.10: 3.84 s, chatty: Connection reset by peer, new after 0.005 s.",
        "10.0.128.10: download: hangs from 3.40 s on.",
    ):
        assert said in texts


def test_hosts_stand_below_the_band_of_their_zone() -> None:
    """Each once, and none below another's."""
    wide = panels(with_packets())[0].pictures[0]
    assert [(band.zone, [host.name for host in band.hosts]) for band in wide.bands] == [
        (HERE, ["10.0.128.10", "10.0.128.11"]),
        (THERE, ["10.0.144.10"]),
    ]


def test_block_is_where_its_probes_were_lost() -> None:
    """From the first of them to the next that was not, as high as the track."""
    loss = Stretch(start=2.0, end=4.5, count=250)
    track = laid_out(any_host(probes=(any_probes(losses=(loss,)),))).tracks[0]
    axis = Frame(window=TEN_SECONDS, form=WIDE, rows=9).axis
    (block,) = track.blocks
    assert (block.x, block.x + block.width) == (axis.x(2.0), axis.x(4.5))
    assert block.top == track.bar


def test_block_of_late_probes_is_lower_than_one_of_lost_ones() -> None:
    """So that no colour is needed to tell one from the other."""
    one, other = Stretch(start=2.0, end=3.0, count=9), Stretch(start=5.0, end=6.0, count=9)
    probes = any_probes(losses=(one,), delays=(other,))
    lost, late = laid_out(any_host(probes=(probes,))).tracks[0].blocks
    assert (lost.lost, late.lost) == (True, False)
    assert late.height < lost.height
    assert late.top + late.height == lost.top + lost.height


def test_block_of_one_lost_probe_is_wide_enough_to_be_seen() -> None:
    """At the end of the picture too, without leaving it."""
    axis = Frame(window=TEN_SECONDS, form=WIDE, rows=9).axis
    loss = Stretch(start=10.0, end=10.0, count=1)
    (block,) = laid_out(any_host(probes=(any_probes(losses=(loss,)),))).tracks[0].blocks
    assert block.width >= 2
    assert block.x + block.width <= axis.right


def test_blocks_and_marks_outside_of_a_picture_are_not_in_it() -> None:
    """Those of a close view are its own."""
    host = any_host(
        probes=(any_probes(losses=(Stretch(start=11.0, end=12.0, count=100),)),),
        flows=(any_flow("chatty", (12.0, 12.1)),),
    )
    seen = laid_out(host)
    assert seen.tracks[0].blocks == ()
    assert (seen.marks, seen.ticks, seen.flows) == ((), (), "")


def test_flow_has_a_mark_where_it_learned_and_one_where_it_had_a_new_connection() -> None:
    """The second is never on top of the first."""
    axis = Frame(window=TEN_SECONDS, form=WIDE, rows=9).axis
    (soon,) = laid_out(with_flow(any_flow("chatty", (2.0, 2.001)))).marks
    (later,) = laid_out(with_flow(any_flow("chatty", (2.0, 4.0)))).marks
    (never,) = laid_out(with_flow(any_flow("chatty", (2.0, None)))).marks
    assert [mark.x for mark in (soon, later, never)] == [axis.x(2.0)] * 3
    assert soon.again is not None
    assert soon.again > soon.x + 8
    assert (later.again, never.again) == (axis.x(4.0), None)
    assert soon.label.words == "chatty: reset, new after 0.001 s"
    assert never.label.words == "chatty: reset, no new one"


def test_flow_with_a_close_view_of_its_own_is_a_tick_in_the_whole() -> None:
    """Its words stand there."""
    seen = laid_out(with_flow(any_flow("chatty", (2.0, 2.1))), Window(1, 3))
    assert seen.marks == ()
    assert len(seen.ticks) == 1
    assert seen.flows == "Flows"


def test_close_view_takes_in_when_a_flow_learned() -> None:
    """It is as much of the story as a line of the timeline."""
    learned = 5.9
    plain, told = failover_and_home(), any_host(HERE, flows=(any_flow("chatty", (5.0, learned)),))
    without = close_views(plain)[0]
    within = close_views(failover_and_home(packets=(told,)))[0]
    assert not without.holds(5.0)
    assert within.holds(5.0)


def test_events_come_by_time_with_the_error_in_full_in_their_sentence() -> None:
    """A flow that hangs is an event too."""
    told = [(event.time, event.sentence) for event in events(HIT)]
    assert told[0] == (3.4, "download: hangs from 3.40 s on")
    assert told[2] == (4.1, "4.10 s, upload: Connection reset by peer, new after 0.010 s")
    assert [time for time, _ in told] == sorted(time for time, _ in told)


def test_host_has_a_sentence_of_its_own() -> None:
    """Which says what a reader wants to know first."""
    hit, well = what_hosts_saw((HIT, any_host(HERE)))
    assert hit == (
        "10.0.128.10, a private host in us-east-1a, lost 13683 of 55500 probes;"
        " 4 of its 5 open connections broke, and 1 hung at the end."
    )
    assert well.endswith("lost none of 55500 probes; none of its 5 open connections broke.")


@pytest.mark.parametrize(
    ("flow", "rows"),
    [
        (any_flow(), [(None, "did not break", "")]),
        (any_flow("chatty", (2.0, 2.5), (9.0, None)), [(2.0, RESET, "0.50 s"), (9.0, RESET, "")]),
        (any_flow("chatty", (2.0, 2.0004)), [(2.0, RESET, "< 0.001 s")]),
        (any_flow(waits_since=3.0), [(None, "hangs from 3.00 s on", "")]),
        (
            any_flow("chatty", (2.0, 2.5), waits_since=30.0),
            [(2.0, RESET, "0.50 s"), (None, "hangs from 30.0 s on", "")],
        ),
    ],
    ids=["whole", "broken", "at once", "waits", "both"],
)
def test_flow_has_a_row_for_each_of_its_breaks(
    flow: Flow, rows: list[tuple[float | None, str, str]]
) -> None:
    """One that did not break has a row that says so."""
    assert [(row.learned, row.what, row.after) for row in flow_rows(with_flow(flow))] == rows


def test_row_of_probes_names_the_longest_losses_by_time() -> None:
    """The shorter ones are counted."""
    reaches = [(1.0, 1.01), (2.0, 4.0), (5.0, 5.01), (6.0, 9.0), (9.5, 9.6)]
    losses = tuple(Stretch(start=start, end=end, count=7) for start, end in reaches)
    (row,) = probe_rows(any_host(probes=(any_probes("ICMP", losses=losses),)))
    assert row.name == "ICMP echoes"
    assert row.when == (
        "2.00 s to 4.00 s (7), 6.00 s to 9.00 s (7), 9.50 s to 9.60 s (7), 2 shorter ones"
    )


def test_summary_prints_what_every_host_saw() -> None:
    """In the terminal: the same numbers; nothing where no packet flowed."""
    printed = [io.StringIO(), io.StringIO()]
    for told, outcome in zip(printed, (with_packets(), any_outcome()), strict=True):
        Screen(Console(file=told, width=120)).summary(outcome)
    said, silent = (told.getvalue() for told in printed)
    assert said.count("What the private host") == len(with_packets().packets)
    assert re.search(r"New TCP connections\W+18500\W+4561\W+6\W+3.40 s to 3.83 s \(43\)", said)
    assert re.search(r"chatty\W+3.84 s\W+Connection reset by peer\W+0.005 s", said)
    assert "private host" not in silent


def test_outcome_tells_packets_as_plain_json() -> None:
    """Rounded to the millisecond, as all times are."""
    host = any_host(flows=(any_flow("chatty", (2.00049, None)),))
    (told,) = any_outcome(packets=(host,)).as_json()["packets"]
    assert told["probes"][0] == {
        "kind": "TCP",
        "sent": 18_500,
        "lost": 0,
        "late": 0,
        "losses": [],
        "delays": [],
    }
    assert told["flows"] == [
        {
            "name": "chatty",
            "breaks": [{"learned": 2.0, "error": RESET, "reconnected": None}],
            "waits_since": None,
        }
    ]
