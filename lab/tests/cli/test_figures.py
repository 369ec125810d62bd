"""The figures in README and docs are those of the file, and the file is what drills come to now."""

from __future__ import annotations

import pytest

from lab import report
from lab.cli.figures import PAGES, SECTIONS, SEEDS, filled, load, marks
from lab.cli.kept_drill import PICTURE
from lab.drills.faults import FAULTS
from lab.drills.handlers import RECIPE_2016
from lab.drills.scenario import read_faults
from lab.drills.testbed import OURS
from lab.emulator.isolation import PROJECT
from nat_failover.contract import Strategy

STRATEGY = Strategy.REPLACE_ROUTE.value
ANEW = "stale: `make figures` collects them anew, `python -m lab figures --kept` prints the kept"


@pytest.mark.parametrize("page", PAGES)
def test_page_prints_the_figures_of_the_file(page: str) -> None:
    """What stands between its marks is what is made of the file."""
    text = (PROJECT / page).read_text(encoding="utf-8")
    assert filled(text, load(PROJECT)) == text, ANEW


def test_picture_shows_the_drill_that_is_kept() -> None:
    """Beside the pages, as they show it."""
    picture = (PROJECT / PICTURE).read_text(encoding="utf-8")
    assert report.as_svg(load(PROJECT).told) == picture, ANEW


def test_every_section_stands_on_a_page() -> None:
    """And no page has a mark for which there is none."""
    found = [name for page in PAGES for name in marks((PROJECT / page).read_text(encoding="utf-8"))]
    assert sorted(found) == sorted(SECTIONS)


def test_file_has_every_fault_with_every_seed_and_both_handlers() -> None:
    """A new fault is not forgotten."""
    kept = {(row.fault, row.handler, row.seed) for row in load(PROJECT).drills}
    names = [" ".join(map(str, read_faults([fault.name]))) for fault in FAULTS]
    handlers = (OURS, str(RECIPE_2016))
    assert kept == {(name, who, seed) for name in names for who in handlers for seed in SEEDS}, ANEW


def test_every_fault_ends_as_documented() -> None:
    """With each seed, as the table of faults has it."""
    ends = {" ".join(map(str, read_faults([fault.name]))): fault for fault in FAULTS}
    ours = [row for row in load(PROJECT).drills if row.handler == OURS]
    said = {(row.fault, row.seed): (row.recovered, row.home) for row in ours}
    expected = {key: (ends[key[0]].ends_well(None, STRATEGY),) * 2 for key in said}
    assert said == expected
