"""The commands that README and docs show: followed in order in a clone, or the reason why not."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import UnknownServiceError

from lab.emulator.isolation import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md"), PROJECT / "lab" / "README.md"])

ACCOUNT = "needs an account"
NOT_FOLLOWED = {
    "make test": "it runs this test",
    "make lab": "lab/tests/cli/test_command.py runs the whole story that it tells",
    "make bootstrap": ACCOUNT,
    "make diff": ACCOUNT,
    "make deploy": ACCOUNT,
    "pip install .": "tests/synth/test_library.py imports from the wheel that it would install",
    "sudo .venv/bin/python -m lab drill terminate --packets --report out": "lab/tests/packets does",
}
"""The commands that are not run here, each with the reason; that they exist is looked at anyway."""

SHORTENED = {'make lab ARGS="compare terminate both hang"': ("both hang", "--seeds 1")}
"""Commands that take minutes as they stand, with what is played of them unless all is: one fault,
and one drill of each row instead of five."""

LONG = {
    'make lab ARGS="drill zone-outage lost --report report"': "test_start.py writes such a page",
    "python -m lab drill terminate:b@10 lost+120 --seed 7": "test_start.py starts the lab so",
}
"""Commands that take long and are played only when all is, each with the reason."""

MADE = shutil.ignore_patterns(
    ".venv", "node_modules", ".git", "cdk.out*", "mutants", "__pycache__", ".*_cache"
)
"""What a clone does not have, because people and recipes made it."""

AWS = re.compile(r"`(aws [a-z0-9-]+\s[a-z0-9-]+[^`]*)`|^ {4,}(aws .+)$", re.MULTILINE)
OF_THE_CLI = {("logs", "tail"): {"since", "follow", "format"}}
"""Commands that the AWS CLI has of its own, with options (AWS CLI command reference)."""
PAGING = {"max-items", "page-size", "starting-token"}
"""Options that the AWS CLI gives to operations with pages (AWS CLI user guide, "Pagination")."""
GLOBAL = {"cli-binary-format", "filters", "query", "output", "region", "profile"}
"""Options of the AWS CLI itself, or of so many operations that no page gets them wrong."""


def commands(page: Path) -> list[str]:
    """Return the commands of a page's console blocks, in order."""
    blocks = re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


ALL = [(page, command) for page in PAGES for command in commands(page)]


def _played(page: Path, command: str) -> Any:  # noqa: ANN401 - a set of parameters, of pytest's own
    marks = [pytest.mark.exhaustive(LONG[command])] if command in LONG else []
    return pytest.param(page, command, marks=marks)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project, set up as `make setup` leaves it."""
    directory = tmp_path_factory.mktemp("clone") / "project"
    shutil.copytree(PROJECT, directory, ignore=MADE)
    shutil.rmtree(directory / "report", ignore_errors=True)
    for made in (".venv", "node_modules"):
        (directory / made).symlink_to(PROJECT / made)
    shim = directory.parent / "bin" / "make"
    shim.parent.mkdir()
    done = "-o .venv/.ready -o node_modules/.ready -o .venv/.packets"
    shim.write_text(f'#!/bin/sh\nexec {shutil.which("make")} {done} "$@"\n')
    shim.chmod(0o755)
    return directory


@pytest.mark.parametrize(
    ("page", "command"),
    [_played(*row) for row in ALL if row[1] not in NOT_FOLLOWED],
    ids=lambda value: str(value.relative_to(PROJECT)) if isinstance(value, Path) else value,
)
def test_command_of_a_page_does_what_it_should_in_a_clone(
    page: Path, command: str, clone: Path, *, exhaustive: bool
) -> None:
    """It ends with 0, with nothing but the environment that the page has the reader activate."""
    if command in SHORTENED and not exhaustive:
        command = command.replace(*SHORTENED[command])
    path = [str(clone.parent / "bin"), str(clone / ".venv" / "bin"), os.environ["PATH"]]
    done = subprocess.run(  # noqa: S603 - from our own pages, as a reader types it
        ["/bin/sh", "-c", command],
        cwd=clone,
        env={"HOME": str(clone.parent), "PATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{page.name}: {done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def test_commands_that_are_not_followed_as_they_stand_are_on_a_page() -> None:
    """The lists have no line too many."""
    assert {*NOT_FOLLOWED, *SHORTENED, *LONG} <= {command for _, command in ALL}


@pytest.mark.parametrize("command", [c for c in NOT_FOLLOWED if c.startswith("make")])
def test_recipe_that_is_not_followed_exists(command: str) -> None:
    """Make says what it would do."""
    words = shlex.split(command)
    dry = subprocess.run([*words, "--dry-run"], cwd=PROJECT, capture_output=True, check=False)  # noqa: S603 - our own pages
    assert dry.returncode == 0


def aws_commands() -> Iterator[tuple[str, str]]:
    """Yield the AWS CLI's commands on the pages, in code font or in a block of their own."""
    for page in PAGES:
        text = " ".join(page.read_text(encoding="utf-8").split(" "))
        for either in AWS.findall(text):
            yield page.name, " ".join("".join(either).split())


@pytest.mark.parametrize(("page", "command"), list(aws_commands()))
def test_aws_command_of_a_page_names_an_operation_and_options_that_exist(
    page: str, command: str
) -> None:
    """By the API's own model, since there is no account to try it in."""
    _, service, operation, *words = shlex.split(command)
    options = {word[2:].removeprefix("no-") for word in words if word.startswith("--")}
    if (service, operation) in OF_THE_CLI:
        assert options <= OF_THE_CLI[service, operation] | GLOBAL, f"{page}: {command}"
        return
    session = botocore.session.get_session()
    try:
        model = session.get_service_model(service)
    except UnknownServiceError:
        pytest.fail(f"{page}: there is no service {service}")
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in operations, f"{page}: {command}"
    shape = model.operation_model(operations[operation]).input_shape
    known = {xform_name(name, "-") for name in (shape.members if shape else {})} | GLOBAL
    client = session.create_client(service, region_name="us-east-1")
    if client.can_paginate(operation.replace("-", "_")):
        known |= PAGING
    assert options <= known | {name.removesuffix("s") for name in known}, f"{page}: {command}"
