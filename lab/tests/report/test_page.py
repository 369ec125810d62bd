"""The report of drills: what the page says, and how it looks in a browser."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from lab import report
from lab.tests.report import chromium
from lab.tests.report.failover_sample import DEAD, HERE
from lab.tests.report.outcomes import (
    MARKUP,
    any_outcome,
    any_write,
    comparison,
    failover_and_home,
    markup_everywhere,
    never_recovered,
    three_zones,
    very_many_lines,
    with_packets,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lab.drills.outcome import Outcome

DRILLS: dict[str, Sequence[Outcome]] = {
    "home": [failover_and_home()],
    "never": [never_recovered()],
    "many": [very_many_lines()],
    "markup": [markup_everywhere()],
    "nothing": [any_outcome()],
    "zones": [three_zones()],
    "packets": [with_packets()],
    "comparison": comparison(),
}
PHONE, DESK = 390, 1280
CASES = [f"{name} {width}" for name in DRILLS for width in (PHONE, DESK)]
BROKEN = """<!DOCTYPE html><body><img src="http://127.0.0.1:9/a.png"><div style="width: 999px">
<svg role="img" aria-labelledby="t" width="99" height="99">
<title id="t"></title><desc id="t"></desc>
<text y="50">one</text><text y="50">other</text><text x="90" y="90">outside</text></svg>"""
"""A page with every mistake that is measured."""

in_a_browser = pytest.mark.skipif(not chromium.BROWSER, reason="needs Chromium")


def page_of(outcomes: Sequence[Outcome], directory: Path) -> str:
    """Return the HTML of drills."""
    return report.write(outcomes, directory).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Return what a browser measures of each kind of page, on a phone and on a desk."""
    directory = tmp_path_factory.mktemp("report")
    pages = {
        (name, width): page_of(outcomes, directory / name)
        for name, outcomes in DRILLS.items()
        for width in (PHONE, DESK)
    }
    return chromium.measure({**pages, ("broken", PHONE): BROKEN}, directory)


def test_write_makes_the_directory_and_returns_the_page(tmp_path: Path) -> None:
    """The page is index.html, and all there is."""
    directory = tmp_path / "new" / "report"
    assert report.write([any_outcome()], directory) == directory / "index.html"
    assert [file.name for file in directory.iterdir()] == ["index.html"]


def test_write_lets_the_systems_error_through_when_the_directory_cannot_be_made(
    tmp_path: Path,
) -> None:
    """The command makes a sentence of it."""
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        report.write([any_outcome()], tmp_path / "file" / "report")


def test_write_replaces_what_no_file_can_hold(tmp_path: Path) -> None:
    """A handler may answer with half a character."""
    assert "a?b" in page_of([any_outcome(handler="a\ud800b")], tmp_path)


def test_page_names_what_was_done_and_what_came_of_it(tmp_path: Path) -> None:
    """Fault, handler, strategy, seed, clock, verdict and the times of the drill are in it."""
    page = page_of([failover_and_home()], tmp_path)
    for said in (
        "terminate",
        "nat_failover.do",
        "replace-route",
        "<dd>7</dd>",
        "Recovered and home",
        f"{HERE} was without internet 2 times (0.43 s, 45.2 s), for 45.6 s in all.",
        "AWS&#39;s delays are modelled",
        "python -m lab fidelity",
        "<dd>0.30 s</dd>",
        "<dd>3.45 s</dd>",
        "<dd>0.080 s</dd>",
        "<dd>162 s</dd>",
    ):
        assert said in page


def test_page_has_all_lines_writes_and_calls(tmp_path: Path) -> None:
    """Nothing that happened is only in a picture."""
    outcome = failover_and_home()
    page = page_of([outcome], tmp_path)
    timeline = page[page.index('<table class="timeline">') :]
    assert timeline.count("<tr class=") == len(outcome.timeline) + len(outcome.writes)
    assert page.count("refused: RequestLimitExceeded") == 1
    for call in outcome.calls:
        assert f"<td>{call.name}</td>" in page


def test_page_shortens_ids_and_keeps_them_in_full(tmp_path: Path) -> None:
    """Who points at an id sees all of it."""
    assert f'<abbr title="{DEAD}">i-10d846…</abbr>' in page_of([failover_and_home()], tmp_path)


def test_page_says_which_zones_are_still_without_internet_when_it_did_not_recover(
    tmp_path: Path,
) -> None:
    """The headline is the verdict."""
    page = page_of([never_recovered()], tmp_path)
    assert f"<h1>{HERE} was still without internet at the end, after 600 s</h1>" in page


def test_page_compares_handlers_fault_by_fault_before_it_shows_their_drills(
    tmp_path: Path,
) -> None:
    """An outage that was cut short is at least so long; the worst drill of a row is shown."""
    page = page_of(comparison(), tmp_path)
    table = page[page.index("<table") : page.index("</table>")]
    faults = re.findall(r"<span>(\w+)</span></th></tr>", table)
    assert faults == ["terminate", "stop", "hang"]
    assert table.count("at least 600 s") == 4
    assert page.count('<details class="drill">') == len(comparison()) - 1
    assert "The worst drill of each row" in page
    seeds = re.findall(r"<h3>terminate with nat_failover.do, seed (\d+)</h3>", page)
    worst = max(comparison()[:2], key=lambda outcome: outcome.worst)
    assert seeds == [str(worst.seed)]
    assert "<h1>5 of 7 drills recovered</h1>" in page


@pytest.mark.parametrize("name", DRILLS)
def test_page_has_nothing_to_load_and_a_policy_against_it(name: str, tmp_path: Path) -> None:
    """No address, no script, no font, no style from elsewhere."""
    page = page_of(DRILLS[name], tmp_path)
    assert set(re.findall(r'\s(?:src|href|srcset|action|data)="([^"]*)"', page)) == {"data:,"}
    assert all(found.startswith("#") for found in re.findall(r"url\(([^)]*)", page))
    assert "@import" not in page
    assert "default-src 'none'; style-src 'unsafe-inline'" in page


@in_a_browser
def test_measures_find_each_mistake_of_a_broken_page(measured: dict[str, dict[str, Any]]) -> None:
    """So that the tests below can fail."""
    seen = measured["broken 390"]
    assert seen["width"] > PHONE
    assert seen["overlaps"] == [["one", "other"]]
    assert seen["outside"] == ["outside"]
    assert seen["nameless"] == 1
    assert seen["twice"] == ["t"]
    assert seen["requests"] == ["http://127.0.0.1:9/a.png"]


@in_a_browser
@pytest.mark.parametrize("case", CASES)
def test_page_fits_and_is_legible(case: str, measured: dict[str, dict[str, Any]]) -> None:
    """Nothing makes it wider than the window; no label covers or leaves anything."""
    seen = measured[case]
    assert seen["width"] <= int(case.split()[1])
    assert seen["overlaps"] == []
    assert seen["outside"] == []
    assert seen["letters"] >= 11


@in_a_browser
@pytest.mark.parametrize("case", CASES)
def test_page_is_told_to_who_does_not_see_it(
    case: str, measured: dict[str, dict[str, Any]]
) -> None:
    """Each picture has a name and a text, each id is one element's, and no heading is left out."""
    seen = measured[case]
    assert seen["pictures"] > 0
    assert seen["nameless"] == 0
    assert seen["twice"] == []
    assert seen["headings"].count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(seen["headings"]))


@in_a_browser
@pytest.mark.parametrize("case", CASES)
def test_page_asks_for_nothing_and_runs_nothing(
    case: str, measured: dict[str, dict[str, Any]]
) -> None:
    """Whatever a handler answers is text."""
    assert measured[case]["requests"] == []
    assert not {"script", "b", "img", "iframe"} & set(measured[case]["elements"])


@in_a_browser
def test_page_prints_every_drill_on_a_few_sheets(tmp_path: Path) -> None:
    """What is folded away on the screen is on paper too."""
    drills = comparison()
    page = report.write(drills, tmp_path)
    sheets = chromium.printed_pages(page, tmp_path)
    assert 1 + 3 * len(drills) <= sheets <= 1 + 5 * len(drills)


def test_markup_is_text_wherever_it_stands(tmp_path: Path) -> None:
    """No text of an outcome reaches the page as it is."""
    outcome = replace(markup_everywhere(), writes=(any_write(error=MARKUP, target=MARKUP),))
    page = page_of([outcome, outcome], tmp_path)
    assert "<script" not in page
    assert "alert" in page
