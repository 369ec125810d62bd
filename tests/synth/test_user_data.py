"""The user data as it is rendered: what needs no packets to be seen; the rest is in the lab."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cdk_nat_failover.instances.nat_fleet import HEARTBEAT_S, SIGNAL_TIMEOUT
from cdk_nat_failover.instances.nat_user_data import FOLDER, LIMIT, Boot, UserDataError, user_data
from cdk_nat_failover.options.instances import MOST_TARGETS
from cdk_nat_failover.options.targets import LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

SHELLCHECK = Path(sys.executable).with_name("shellcheck")

START_S, ABANDON_S = 60, 30
"""What EC2 and the system take to start, and what a failed boot takes at most to tell its group."""

SIGNAL_S = 60 * int(SIGNAL_TIMEOUT.removeprefix("PT").removesuffix("M"))

SPARE = 768
"""Bytes that are to be left at the longest settings, for those who come after us."""

LONGEST = Boot(
    targets=[str(number).rjust(LONGEST_NAME, "a") for number in range(MOST_TARGETS)],
    group="g" * 128 + "-nat",
    hook="proven-to-forward",
    stack="s" * 128,
    resource="r" * 40,
    session_manager=False,
)
"""What the settings allow; a stack's name has 128 characters at most."""


def any_boot(group: str = "any-group") -> Boot:
    """Return settings of a stack."""
    return Boot(
        targets=["198.51.100.1"],
        group=group,
        hook="any-hook",
        stack="any-stack",
        resource="AnyGroup",
        session_manager=True,
    )


def test_script_passes_shellcheck_when_filled_in(tmp_path: Path) -> None:
    """Also those checks of shellcheck that are optional and concern safety."""
    (tmp_path / "boot.sh").write_text(user_data(any_boot()), encoding="utf-8")
    # Where files are that it reads on an instance is said in comments, which are gone here.
    assert "" == _complaints("--exclude=SC1090,SC1091", tmp_path / "boot.sh")


@pytest.mark.parametrize("name", ["lib.sh", "up.sh", "self-test.sh", "health.sh"])
def test_file_that_the_script_writes_passes_shellcheck(name: str) -> None:
    """The script has them in quotes, where shellcheck does not look."""
    assert "" == _complaints("--external-sources", FOLDER / name)


def test_script_fits_with_room_to_spare_when_the_settings_are_longest() -> None:
    """The next change does not have to begin with making room."""
    assert len(user_data(LONGEST).encode()) < LIMIT - SPARE


def test_script_is_the_same_on_each_rendering() -> None:
    """The instances are replaced when it changes, and only then."""
    assert user_data(any_boot()) == user_data(any_boot())


def test_script_has_no_line_that_says_nothing_to_the_machine() -> None:
    """Comments are for readers of the repository; the room is for what runs."""
    lines = user_data(any_boot()).splitlines()
    silent = [line for line in lines if re.match(r"\s*(#(?!!)|$)", line)]
    assert [] == silent


def test_script_has_all_files_and_leaves_nothing_to_fill_in() -> None:
    """A file that nobody writes would be missed on an instance only."""
    script = user_data(any_boot())
    unwritten = [
        file.name
        for file in FOLDER.iterdir()
        if file.name != "boot.sh" and _last_line(file) not in script
    ]
    assert [] == unwritten
    assert "@FILES@" not in script


@pytest.mark.parametrize("group", ["any group", "it's", "$(reboot)", '"; reboot; "'])
def test_settings_are_what_was_given_whatever_their_characters(group: str) -> None:
    """The shell reads them; it runs none of them."""
    script = user_data(any_boot(group))
    settings = script.partition("/settings <<'EOF'\n")[2].partition("EOF")[0]
    show = f'{settings}\nprintf %s "$group"'
    run = subprocess.run(["bash", "-c", show], capture_output=True, text=True, check=True)  # noqa: S603, S607 - our own
    assert group == run.stdout


def test_deployment_waits_for_a_boot_that_fails_and_one_that_does_not() -> None:
    """What passes, a mirror that is busy, fails no deployment; an image that cannot boot does."""
    one = START_S + _limits() + ABANDON_S
    assert 2 * one < SIGNAL_S


def test_boot_ends_before_the_hook_does() -> None:
    """The group is told by the instance, and not by its own patience."""
    assert START_S + _until_told() + ABANDON_S <= HEARTBEAT_S


def test_page_of_the_instance_has_the_limits_of_the_boot() -> None:
    """Each step with its limit, their sum, and what group and deployment wait for."""
    page = (FOLDER.parents[2] / "docs/instance.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z -]+) \| (\d+) s \|", page, re.MULTILINE)
    assert [(name, int(limit)) for name, limit in rows] == list(_steps())
    for seconds in (
        _until_told(),
        START_S + _until_told() + ABANDON_S,
        START_S + _limits() + ABANDON_S,
        HEARTBEAT_S,
        SIGNAL_S,
    ):
        assert f" {seconds} s" in page


def test_self_test_says_what_is_wrong_before_its_limit_when_no_target_answers() -> None:
    """Each round, and the look that explains, waits for each target in turn."""
    text = (FOLDER / "self-test.sh").read_text(encoding="utf-8")
    (rounds,) = re.findall(r"^readonly rounds=(\d+)$", text, re.MULTILINE)
    (patience,) = re.findall(r"timeout (\d+) \"\$@\" bash", text)
    (limit,) = re.findall(
        r"^step (\d+) 'forward in the self-test'", user_data(any_boot()), re.MULTILINE
    )
    assert (int(rounds) + 1) * MOST_TARGETS * int(patience) < int(limit)


def test_error_says_what_to_shorten_when_the_user_data_is_too_long() -> None:
    """EC2 would refuse it when the stack is deployed."""
    boot = any_boot(group="g" * LIMIT)
    with pytest.raises(UserDataError) as error:
        user_data(boot)
    assert re.fullmatch(
        rf"the user data of the NAT instances has \d{{5}} bytes; allowed: {LIMIT}: shorten the"
        r" files in cdk_nat_failover/instances/boot, or name fewer targets in self_test",
        str(error.value),
    )


def _complaints(option: str, script: Path) -> str:
    run = subprocess.run(  # noqa: S603 - our own script
        [SHELLCHECK, "--enable", "check-unassigned-uppercase", option, script],
        cwd=FOLDER.parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout + run.stderr


def _steps() -> Iterator[tuple[str, int]]:
    """Return each step's name and limit, in seconds, in their order."""
    for limit, name in re.findall(r"^\s*step (\d+) '(.*?)'", user_data(any_boot()), re.MULTILINE):
        yield name, int(limit)


def _limits() -> int:
    return sum(limit for _, limit in _steps())


def _until_told() -> int:
    return _limits() - dict(_steps())["signal the stack"]


def _last_line(file: Path) -> str:
    return file.read_text(encoding="utf-8").splitlines()[-1]
