"""What README and docs name exists: recipes, commands, files."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from lab.cli.parser import parser
from lab.drills.scenario import read_faults
from nat_failover.contract import SWEEP_SOURCE
from stacks.settings.reader import read_settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "lab" / "README.md"])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_document_names_recipes_that_exist(document: Path) -> None:
    """Each `make` command of a document is a recipe."""
    named = set(re.findall(r"(?:^ *\$ |`|^    )make ([a-z]+)", document.read_text(), re.MULTILINE))
    for recipe in sorted(named):
        dry = ["make", "--dry-run", recipe]
        run = subprocess.run(dry, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - from our own documents
        assert run.returncode == 0, f"{document.name} names make {recipe}: {run.stderr}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_document_names_commands_of_the_lab_that_can_be_run(document: Path) -> None:
    """Each one parses, and its faults exist; those with a placeholder in capitals are left out."""
    text = document.read_text(encoding="utf-8")
    named = re.findall(r"python -m lab ([^`\n]+)|make lab ARGS=\"([^\"]+)\"", text)
    for command in (shlex.split("".join(found)) for found in named):
        if not any(re.fullmatch(r"[A-Z]+…?", word) for word in command):
            options = parser().parse_args(command)
            read_faults(getattr(options, "fault", None) or ["terminate"])


def test_readme_overrides_settings_with_words_that_the_app_understands() -> None:
    """What the README puts on the command line is JSON, and right."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (context,) = re.findall(r"ARGS=\"-c nat='(.+)'\"", readme)
    assert read_settings(context.replace("\\", "")).failover.strategy == "swap-route-table"


def test_operations_invoke_the_function_with_the_sweep() -> None:
    """What a person sends by hand is what the schedule sends."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (payload,) = re.findall(r"--payload '(.+?)'", text)
    assert json.loads(payload) == {"source": SWEEP_SOURCE}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_document_has_nothing_left_to_fill_in(document: Path) -> None:
    """No placeholder stays."""
    text = document.read_text(encoding="utf-8")
    assert not re.findall(r"<!--(?! figures: | end -->)|@@|TODO|TBD", text)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_document_links_to_files_that_exist(document: Path) -> None:
    """Each relative link, and each path of the project in code font, leads to a file."""
    text = document.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    assert [] == [link for link in links if not (document.parent / link).exists()]
    paths = re.findall(
        r"`((?:tests|docs|stacks|cdk_nat_failover|aws_constraints|lab|lambda_src)/[\w./-]+)`", text
    )
    assert [] == [path for path in paths if not (ROOT / path).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_document_links_to_headings_that_exist(document: Path) -> None:
    """Each link to a place in a page, this one or another, leads to one of its headings."""
    text = document.read_text(encoding="utf-8")
    for page, place in re.findall(r"\]\(([^)#:]*\.md|)#([^)]+)\)", text):
        target = document.parent / page if page else document
        headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
        assert place in {_slug(heading) for heading in headings}, f"{page}#{place}"


def _slug(heading: str) -> str:
    """Return how GitHub names the place of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_architecture_has_a_place_for_each_module_of_the_function() -> None:
    """No module lacks one, and none is there that does not exist."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    _, _, table = text.partition("its modules, in `lambda_src/nat_failover`")
    named = re.findall(r"`(\w+\.py)`", table.partition("\n\n")[0])
    folder = ROOT / "lambda_src" / "nat_failover"
    assert sorted(path.name for path in folder.glob("*.py")) == sorted(named)
