"""The pictures of a drill in a file of their own."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from lab import report
from lab.report.drawing import HEADING, MARGIN, drawing
from lab.tests.report.outcomes import (
    any_outcome,
    failover_and_home,
    markup_everywhere,
    three_zones,
    with_packets,
)

DRILLS = {
    "home": failover_and_home(),
    "markup": markup_everywhere(),
    "nothing": any_outcome(),
    "packets": with_packets(),
    "zones": three_zones(),
}


@pytest.mark.parametrize("name", DRILLS)
def test_file_is_xml_that_a_page_shows_alone(name: str) -> None:
    """Whatever stands in the outcome: a picture runs no script and loads nothing."""
    text = report.as_svg(DRILLS[name])
    root = ET.fromstring(text)  # noqa: S314 - the lab's own text
    assert "{http://www.w3.org/2000/svg}svg" == root.tag
    assert "<script" not in text
    assert "href" not in text


@pytest.mark.parametrize("name", DRILLS)
def test_parts_neither_overlap_nor_leave_the_drawing(name: str) -> None:
    """The maps side by side, the timelines below them, each under its heading."""
    drawn = drawing(DRILLS[name])
    sides = [(part.x, part.x + part.map.width * part.scale) for part in drawn.maps]
    assert all(left < right <= drawn.width - MARGIN + 0.01 for left, right in sides)
    assert all(right < left for (_, right), (left, _) in pairwise(sides))
    below = max((MARGIN + HEADING + m.map.height * m.scale for m in drawn.maps), default=0.0)
    ends = [(part.y, part.y + HEADING + part.picture.height) for part in drawn.timelines]
    assert all(bottom < top for (_, bottom), (top, _) in pairwise([(0.0, below), *ends]))
    assert ends[-1][1] <= drawn.height


def test_drawing_shows_before_during_and_after_the_whole_and_the_first_close_view() -> None:
    """More would not fit on a page beside words."""
    drawn = drawing(failover_and_home())
    assert ["Before", "During", "After"] == [part.heading.split(",")[0] for part in drawn.maps]
    assert ["The whole drill", "A"] == [part.heading.split(":")[0] for part in drawn.timelines]
