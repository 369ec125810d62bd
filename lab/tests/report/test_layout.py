"""Where the report draws what: labels, axis, windows, lanes, pictures and maps."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.drills.outcome import Topology
from lab.report.axis import Axis
from lab.report.frame import FORMATS, Format, Frame
from lab.report.labels import Rows, cut, width
from lab.report.lanes import lanes
from lab.report.picture import panels
from lab.report.topology import maps
from lab.report.windows import Window, close_views, whole
from lab.tests.report.failover_sample import AFTER, BEFORE, DEAD, HERE, OTHER, THERE, any_table
from lab.tests.report.outcomes import (
    any_moment,
    any_outcome,
    any_span,
    any_write,
    failover_and_home,
    three_zones,
    very_many_lines,
)

WIDE, NARROW = FORMATS
MINUS = "\N{MINUS SIGN}"


def any_frame(start: float = 0, end: float = 10, **facts: Any) -> Frame:  # noqa: ANN401 - Frame's fields
    """Return a wide frame with room for everything."""
    return replace(Frame(window=Window(start, end), form=WIDE, rows=99), **facts)


def test_label_stands_right_of_its_mark_or_left_where_it_does_not_fit() -> None:
    """It never leaves the picture."""
    rows = Rows(0, 200, 9)
    right, left = rows.place("label", 10, 5), rows.place("label", 190, 5)
    assert right
    assert left
    assert (right.x, right.anchor, right.row) == (15, "start", 0)
    assert (left.x, left.anchor, left.row) == (185, "end", 0)


def test_label_stands_below_its_mark_when_it_fits_on_neither_side() -> None:
    """All of it is said, if there is room for it at all."""
    words = "a label of some length"
    label = Rows(0, width(words) + 20, 9).place(words, 90, 5)
    assert label
    assert (label.words, label.mark_row, label.row) == (words, 0, 1)


def test_label_is_none_when_all_rows_are_full() -> None:
    """Then its mark has to do without."""
    rows = Rows(0, 200, 1)
    assert rows.place("label", 10, 5)
    assert rows.place("label", 12, 5) is None


texts = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"]), max_size=60)


@given(st.lists(st.tuples(texts, st.floats(10, 340)), max_size=12))
def test_labels_never_touch_nor_leave_the_picture(wanted: list[tuple[str, float]]) -> None:
    """Whatever they say and wherever their marks are."""
    rows = Rows(0, 350, 6)
    placed = [label for words, x in wanted if (label := rows.place(words, x, 5))]
    assert all(0 <= label.span[0] and label.span[1] <= 350.001 for label in placed)
    for one, other in combinations(placed, 2):
        apart = one.span[1] <= other.span[0] or other.span[1] <= one.span[0]
        assert apart or one.row != other.row


@given(texts, st.floats(12, 400))
def test_cut_text_fits(words: str, most: float) -> None:
    """And begins like the text."""
    short = cut(words, most)
    assert width(short) <= max(most, width("…"))
    assert short == words or words.startswith(short.removesuffix("…"))


@given(st.floats(0, 1000), st.floats(1, 5000), st.sampled_from(FORMATS))
def test_axis_has_ticks_at_round_seconds_that_do_not_touch(
    start: float, length: float, form: Format
) -> None:
    """From a second to more than an hour, and in each format."""
    axis = any_frame(start, start + length, form=form).axis
    ticks = axis.ticks
    assert len(ticks) >= 2
    assert any(tick.words for tick in ticks)
    assert all(axis.left <= tick.x <= axis.right for tick in ticks)
    ends = [(tick.x - width(tick.words) / 2, tick.x + width(tick.words) / 2) for tick in ticks]
    assert all(before[1] < after[0] for before, after in pairwise(ends))
    assert all(0 <= first and last <= form.width for first, last in ends)


def test_axis_is_linear() -> None:
    """A length is a time, wherever one looks."""
    axis = Axis(window=Window(-10, 30), left=100, right=500)
    assert [axis.x(time) for time in (-10, 0, 10, 30, 99)] == [100, 200, 300, 500, 500]


def test_views_show_the_failover_and_the_way_home_closely() -> None:
    """The outage of 0.43 s and the write that began the second one, each with what led to it."""
    failover, home = close_views(failover_and_home())
    assert all(failover.holds(time) for time in (0, 0.3, 3.4, 3.83, 3.95))
    assert all(home.holds(time) for time in (115.6, 115.8, 116.1, 116.42, 116.5))
    assert failover.seconds < 6
    assert home.seconds < 2


def test_views_are_none_when_nothing_happened() -> None:
    """The whole is enough then."""
    assert close_views(any_outcome()) == ()


def test_views_are_none_when_the_whole_is_as_close() -> None:
    """A drill of a second needs no other picture."""
    egress = {HERE: (any_span(-1, 0.2), any_span(0.2, 0.6, None), any_span(0.6, 1))}
    assert close_views(any_outcome(egress=egress)) == ()


def test_views_stay_few_and_short_when_there_are_very_many_lines() -> None:
    """Or they would show no more than the whole."""
    outcome = very_many_lines()
    views = close_views(outcome)
    assert 1 <= len(views) <= 5
    assert all(view.seconds < whole(outcome).seconds / 10 for view in views)


def test_lanes_are_in_the_order_of_events_with_the_function_last() -> None:
    """What AWS did stands above what the function made of it."""
    outcome = any_outcome(
        timeline=(any_moment(1, "Lambda"), any_moment(2, "SNS"), any_moment(3, "EC2")),
        writes=(any_write(0.5),),
    )
    names = [lane.name for lane in lanes(outcome, any_frame())]
    assert names == ["SNS", "EC2", "Lambda", "Writes"]


def test_lanes_leave_to_the_bands_how_zones_left() -> None:
    """It is not told twice."""
    assert lanes(any_outcome(timeline=(any_moment(kind="egress"),)), any_frame()) == ()


def test_lane_labels_what_repeats_once() -> None:
    """And says how often; the others are ticks."""
    outcome = any_outcome(timeline=tuple(any_moment(time, what="again") for time in (1, 4, 8)))
    (lane,) = lanes(outcome, any_frame())
    assert [mark.label.words for mark in lane.marks] == ["3 times: again"]
    assert len(lane.ticks) == 2


def test_lane_labels_only_what_was_done_to_the_region_where_a_view_is_closer() -> None:
    """The view labels the rest."""
    outcome = any_outcome(timeline=(any_moment(1, "You", what="kill"), any_moment(1, "EC2")))
    you, ec2 = lanes(outcome, any_frame(views=(Window(0, 2),)))
    assert [mark.label.words for mark in you.marks] == ["kill"]
    assert ec2.marks == ()
    assert len(ec2.ticks) == 1


def test_panels_draw_each_window_in_each_format() -> None:
    """The whole first, then the views by letter."""
    found = panels(failover_and_home())
    assert [panel.heading[:2] for panel in found] == ["Th", "A:", "B:"]
    assert all([p.frame.form for p in panel.pictures] == [WIDE, NARROW] for panel in found)


@pytest.mark.parametrize("number", range(len(FORMATS)))
def test_pictures_name_every_outage_they_show_with_its_seconds(number: int) -> None:
    """In its bar or below it."""
    everything, failover, home = (panel.pictures[number] for panel in panels(failover_and_home()))
    said = [
        sorted(
            [bar.words for bar in band.bars if bar.words and not bar.works]
            + [label.words for label in band.labels]
        )
        for band in (everything.bands[0], failover.bands[0], home.bands[0])
    ]
    assert said == [["✗ 0.43 s", "✗ 45.2 s"], ["✗ 0.43 s"], ["✗ 45.2 s in all"]]


def test_pictures_tell_in_words_what_they_show() -> None:
    """How each zone left and what has a label, with ids in full."""
    picture = panels(failover_and_home())[1].pictures[0]
    words = " ".join(picture.words)
    assert f"{HERE}: leaves through {DEAD} (zone a) for 8.40 s, from {MINUS}5.00 s" in words
    assert "for 0.43 s, from 3.40 s to 3.83 s" in words
    assert f"0 s, You: kill {DEAD}." in words
    assert "RequestLimitExceeded" in words


def test_maps_keep_each_nat_in_its_place() -> None:
    """So that the eye finds what changed."""
    before, after = maps([BEFORE, AFTER])
    assert [nat.x for nat in after.nats][:2] == [nat.x for nat in before.nats]
    assert len({nat.x for nat in after.nats}) == 3
    assert before.width == after.width


def test_map_has_zones_side_by_side_and_each_box_in_its_zone() -> None:
    """However many NATs a zone has."""
    (seen,) = maps(three_zones().topology)
    assert [zone.name for zone in seen.zones] == [HERE, THERE, "us-east-1c"]
    assert all(one.x + one.width < other.x for one, other in pairwise(seen.zones))
    assert seen.zones[-1].x + seen.zones[-1].width == seen.width
    for box in (*seen.nats, *seen.tables):
        (zone,) = (zone for zone in seen.zones if zone.x < box.x < zone.x + zone.width)
        assert box.x + box.width < zone.x + zone.width
        assert zone.name in box.title


def test_map_leads_each_table_to_its_nat_in_another_zone_too() -> None:
    """An arrow ends in the middle of the NAT."""
    tables = (any_table("rtb-a", HERE, OTHER), any_table("rtb-b", THERE, OTHER))
    (seen,) = maps([Topology(name="any", time=0, nats=BEFORE.nats, tables=tables)])
    other = next(nat for nat in seen.nats if OTHER in nat.title)
    assert [arrow.end for arrow in seen.arrows] == [other.middle, other.middle]


def test_map_shows_what_is_no_nat_and_a_table_that_leads_nowhere() -> None:
    """A route may lead to a gateway, or be missing."""
    tables = (
        any_table("rtb-a", HERE, "nat-0123456789abcdef0"),
        any_table("rtb-b", HERE, None, works=False),
    )
    (seen,) = maps([Topology(name="any", time=0, nats=(), tables=tables)])
    assert [nat.words for nat in seen.nats] == [("nat-012345…", "other target", "✓ forwards")]
    assert [arrow.end for arrow in seen.arrows] == [seen.nats[0].middle, None]
