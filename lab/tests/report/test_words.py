"""The report's words, numbers and colours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lab import report
from lab.report.comparison import compare
from lab.report.lines import lines, seconds
from lab.report.verdict import verdict
from lab.tests.report.failover_sample import HERE, THERE
from lab.tests.report.outcomes import any_moment, any_outcome, any_span, any_write, comparison


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0 s"),
        (0.0004, "0 s"),
        (0.08, "0.080 s"),
        (0.434, "0.43 s"),
        (45.18, "45.2 s"),
        (161.6, "162 s"),
        (-1.5, "\N{MINUS SIGN}1.50 s"),
    ],
)
def test_seconds_are_as_exact_as_they_are_short(value: float, words: str) -> None:
    """Nobody needs the milliseconds of minutes."""
    assert seconds(value) == words


def test_lines_tell_each_write_once_and_by_time() -> None:
    """Also when the timeline tells it too."""
    outcome = any_outcome(
        timeline=(any_moment(1), any_moment(2, kind="write"), any_moment(3)),
        writes=(any_write(2.0), any_write(0.5, "Throttling")),
    )
    assert [(line.time, line.kind) for line in lines(outcome)] == [
        (0.5, "refused"),
        (1, "any"),
        (2.0, "write"),
        (3, "any"),
    ]


@pytest.mark.parametrize(
    ("facts", "word", "headline"),
    [
        ({}, "Recovered and home", "No zone was without internet"),
        (
            {"outage": {HERE: 0.0, THERE: 2.0}, "home": False},
            "Recovered, not home",
            f"{THERE} was without internet for 2.00 s",
        ),
        (
            {"outage": {HERE: 1.0, THERE: 2.0}},
            "Recovered and home",
            f"{THERE} was without internet longest: 2.00 s",
        ),
        (
            {"recovered": False, "outage": {HERE: 0.0}},
            "Not recovered",
            "The drill ended without recovery; No zone was without internet",
        ),
    ],
)
def test_verdict_is_a_word_and_a_sentence(
    facts: dict[str, object], word: str, headline: str
) -> None:
    """It names the zone that had it worst."""
    found = verdict(any_outcome(**facts))
    assert (found.word, found.headline) == (word, headline)


def test_verdict_names_the_zones_that_are_still_without_internet() -> None:
    """All of them."""
    lost = (any_span(0, 9, None),)
    outcome = any_outcome(
        egress={HERE: lost, THERE: lost}, outage={HERE: 9, THERE: 9}, recovered=False
    )
    assert verdict(outcome).headline == (
        f"{HERE} and {THERE} were still without internet at the end, after 9.00 s"
    )


def test_comparison_takes_medians_over_the_drills_of_a_fault_and_a_handler() -> None:
    """In the order in which faults and handlers were given."""
    rows = compare(comparison())
    assert list(rows) == ["terminate", "stop", "hang"]
    ours, another = rows["terminate"]
    assert (ours.handler, ours.drills, ours.worst) == ("nat_failover.do", 2, 45.81)
    assert ours.median == pytest.approx(45.71)
    assert (another.handler, another.median) == ("another", 81.7)
    assert [(row.recovered, row.writes, row.refused) for row in rows["hang"]] == [(0, 10, 10)] * 2
    assert rows["hang"][0].part == 1


def test_comparison_of_drills_without_an_outage_has_empty_bars() -> None:
    """There is no worst to be a part of."""
    assert compare([any_outcome()])["nothing"][0].part == 0


STYLE = (Path(report.__file__).parent / "templates" / "style.css").read_text()
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in STYLE.split("@media", 2)[:2]
)


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *((text, ground) for text in ("text", "muted") for ground in ("page", "sheet")),
        *((text, "page") for text in ("good", "bad", "fair", "accent")),
        *((tone, f"{tone}-soft") for tone in ("good", "bad", "fair", "accent")),
        *(("text", f"{tone}-soft") for tone in ("good", "bad", "accent")),
    ],
)
def test_colours_have_the_contrast_of_level_aa(
    colours: dict[str, str], text: str, ground: str
) -> None:
    """4.5 to 1 for text (WCAG 2.2, success criterion 1.4.3)."""
    dark, light = sorted(luminance(colours[name]) for name in (text, ground))
    assert (light + 0.05) / (dark + 0.05) >= 4.5
