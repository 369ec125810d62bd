"""The boot script, as far as it can be tried without an instance."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.constructs.nat_fleet import BOOT_PAUSE
from stacks.constructs.nat_launch import boot_script

SHELLCHECK = Path(sys.executable).with_name("shellcheck")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The script as an instance gets it."""
    path = tmp_path / "boot.sh"
    path.write_text(boot_script("10.0.0.0/16"), encoding="utf-8")
    return path


def test_script_passes_shellcheck_when_filled_in(script: Path) -> None:
    """Every check that shellcheck has, the optional ones that concern safety included."""
    run = subprocess.run(  # noqa: S603 - our own script
        [SHELLCHECK, "--enable", "check-unassigned-uppercase", script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout == ""
    assert run.returncode == 0


def test_script_gives_up_before_a_rolling_update_goes_on(script: Path) -> None:
    """An image that cannot boot does not replace the second NAT too."""
    text = script.read_text(encoding="utf-8")
    attempts, limit = (
        int(re.findall(rf"^readonly {name}=(\d+)$", text, re.MULTILINE)[0])
        for name in ("attempts", "attempt_limit")
    )
    pauses = sum(3 * attempt for attempt in range(1, attempts + 1))
    assert attempts * limit + pauses < 60 * int(BOOT_PAUSE.removeprefix("PT").removesuffix("M"))


def test_script_shuts_the_instance_down_when_nftables_cannot_be_installed(
    script: Path, tmp_path: Path
) -> None:
    """Three attempts, then a sentence that names the step, then power off."""
    calls = tmp_path / "calls"
    _stub(tmp_path, calls, dnf=1, dd=0, chmod=0, mkswap=0, swapon=0, sleep=0, logger=0, shutdown=0)
    (tmp_path / "bin" / "timeout").write_text('#!/bin/bash\nshift\n"$@"\n', encoding="utf-8")
    (tmp_path / "bin" / "timeout").chmod(0o755)
    run = subprocess.run(  # noqa: S603 - our own script
        ["/bin/bash", script], env={"PATH": str(tmp_path / "bin")}, capture_output=True, check=False
    )
    lines = calls.read_text(encoding="utf-8").splitlines()
    assert run.returncode == 1
    assert lines.count("dnf --assumeyes --quiet install nftables") == 3
    assert lines[-2:] == [
        (
            "logger --tag nat-boot -- FAILED to install nftables (exit 1); shutting down, so that"
            " the group replaces this instance"
        ),
        "shutdown --poweroff now",
    ]


def _stub(directory: Path, calls: Path, **exit_codes: int) -> None:
    """Put commands on a path of their own; each notes its call and exits as told."""
    (directory / "bin").mkdir()
    for name, code in exit_codes.items():
        stub = directory / "bin" / name
        stub.write_text(f'#!/bin/bash\necho "{name} $*" >>{calls}\nexit {code}\n', encoding="utf-8")
        stub.chmod(0o755)
