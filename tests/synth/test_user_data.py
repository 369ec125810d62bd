"""The user data as it is rendered: what needs no packets to be seen; the rest is in the lab."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cdk_nat_failover.instances.nat_fleet import HEARTBEAT_S, SIGNAL_TIMEOUT
from cdk_nat_failover.instances.nat_user_data import (
    FOLDER,
    LIMIT,
    Boot,
    UserDataError,
    user_data,
)
from cdk_nat_failover.instances.packing import File, pack, unpack
from cdk_nat_failover.options.instances import MOST_TARGETS
from cdk_nat_failover.options.targets import LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

SHELLCHECK = Path(sys.executable).with_name("shellcheck")

START_S, ABANDON_S = 60, 30
"""What EC2 and the system take to start, and what a failed boot takes at most to tell its group."""

SIGNAL_S = 60 * int(SIGNAL_TIMEOUT.removeprefix("PT").removesuffix("M"))

PACKED = "LRx4!F+o`-Q(2tg>vI4A1KEH;5C8y&fHDG<Kp+4yOaK8BOpIwgB9TI8vAS`@2yMJ^v*PYZrwS4ioE>gp"
"""What two small files are packed to."""

SPARE = 768
"""Bytes that are to be left at the longest settings, for those who come after us."""

LONGEST = Boot(
    targets=[str(number).rjust(LONGEST_NAME, "a") for number in range(MOST_TARGETS)],
    group="g" * 128 + "-nat",
    hook="proven-to-forward",
    stack="s" * 128,
    resource="r" * 40,
    session_manager=False,
    watch=True,
    topic=f"arn:aws-us-gov:sns:us-gov-east-1:123456789012:{'t' * 182}",
    table="m" * 182,
    code=f"s3://cdk-hnb659fds-assets-123456789012-us-gov-east-1/{'0' * 64}.zip",
)
"""What the settings allow. A stack's name has 128 characters at most; the names that CloudFormation
makes have it, that of the resource, and 12 more characters."""


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
    (tmp_path / "user-data.sh").write_text(user_data(any_boot()), encoding="utf-8")
    assert "" == _complaints("--external-sources", tmp_path / "user-data.sh")


@pytest.mark.parametrize(
    "name", ["boot.sh", "lib.sh", "up.sh", "self-test.sh", "health.sh", "fetch-watch.sh"]
)
def test_file_that_the_script_unpacks_passes_shellcheck(name: str) -> None:
    """Also those checks of shellcheck that are optional and concern safety."""
    assert "" == _complaints("--external-sources", FOLDER / name)


def test_script_fits_with_room_to_spare_when_the_settings_are_longest() -> None:
    """The next change does not have to begin with making room."""
    assert len(user_data(LONGEST).encode()) < LIMIT - SPARE


def test_script_is_the_same_on_each_rendering() -> None:
    """The instances are replaced when it changes, and only then."""
    assert user_data(any_boot()) == user_data(any_boot())


def test_script_has_all_files_and_leaves_nothing_to_fill_in() -> None:
    """A file that nobody unpacks would be missed on an instance only."""
    script = user_data(any_boot())
    packed = "".join(file.text for file in unpack(script))
    unpacked = [
        file.name
        for file in FOLDER.iterdir()
        if file.name not in {"unpack.sh", "unpack.py", "__init__.py"}
        and _last_line(file) not in packed
    ]
    assert [] == unpacked
    assert [] == [word for word in ("@SETTINGS@", "@FILES@") if word in script]


def test_files_are_unpacked_as_they_were_packed(tmp_path: Path) -> None:
    """By what runs on the instance: each at its path, with its mode."""
    files = (
        File(f"{tmp_path}/new/one", 0o755, "#!/bin/sh\necho 'one'\n"),
        File(f"{tmp_path}/two", 0o644, "zwölf\n" * 1000),
    )
    script = user_data(any_boot())
    script = script.replace(pack(unpack(script)), pack(files))
    script = script.replace("home=/etc/nat-failover", f"home={tmp_path}")
    subprocess.run(["bash", "-c", script.replace('exec "$home/boot"', "")], check=True)  # noqa: S603, S607 - our own
    for file in files:
        path = Path(file.path)
        assert (file.text, file.mode) == (path.read_text("utf-8"), path.stat().st_mode & 0o777)
    settings = (tmp_path / "settings").read_text("utf-8")
    assert "group=any-group\nhook=any-hook\n" in settings


def test_what_is_packed_has_the_same_bytes_everywhere() -> None:
    """The instances are replaced when they change: no clock, no version and no user goes in."""
    packed = pack([File("/a", 0o644, "text\n"), File("/b", 0o755, "more\n")])
    assert PACKED == packed


@pytest.mark.parametrize("group", ["any group", "it's", "$(reboot)", '"; reboot; "'])
def test_settings_are_what_was_given_whatever_their_characters(group: str) -> None:
    """The shell reads them; it runs none of them."""
    script = user_data(any_boot(group))
    settings = script.partition('/settings"\n')[2].partition("EOF")[0]
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
    (limit,) = re.findall(r"^step (\d+) 'forward in the self-test'", _boot(), re.MULTILINE)
    assert (int(rounds) + 1) * MOST_TARGETS * int(patience) < int(limit)


def test_error_says_what_to_shorten_when_the_user_data_is_too_long() -> None:
    """EC2 would refuse it when the stack is deployed."""
    boot = any_boot(group="g" * LIMIT)
    with pytest.raises(UserDataError) as error:
        user_data(boot)
    assert re.fullmatch(
        rf"the user data of the NAT instances has \d{{5}} bytes; allowed: {LIMIT}: shorten the"
        r" files in cdk_nat_failover/instances/boot, or name fewer targets in self_test or"
        r" networks in served_cidrs",
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


def _boot() -> str:
    return (FOLDER / "boot.sh").read_text(encoding="utf-8")


def _steps() -> Iterator[tuple[str, int]]:
    """Return each step's name and limit, in seconds, in their order."""
    unpack_sh = (FOLDER / "unpack.sh").read_text(encoding="utf-8")
    (limit,) = re.findall(r"timeout (\d+) /usr/bin/python3", unpack_sh)
    yield "unpack the files", int(limit)
    for limit, name in re.findall(r"^\s*step (\d+) '(.*?)'", _boot(), re.MULTILINE):
        yield name, int(limit)


def _limits() -> int:
    return sum(limit for _, limit in _steps())


def _until_told() -> int:
    return _limits() - dict(_steps())["signal the stack"]


def _last_line(file: Path) -> str:
    return file.read_text(encoding="utf-8").splitlines()[-1]
