"""The command `doctor`: what it prints, and how it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lab.cli.parser import parser
from lab.cli.run import run
from lab.doctor.deployment import BOOTSTRAP
from lab.emulator.isolation import ACCOUNT, REGION
from lab.emulator.region import Region
from lab.tests.doctor.test_checks import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def region(monkeypatch: pytest.MonkeyPatch) -> Iterator[Region]:
    """Return a region to which the environment leads, with credentials."""
    with Region() as region:
        monkeypatch.setenv("AWS_ENDPOINT_URL", region.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
        monkeypatch.setenv("AWS_REGION", REGION)
        yield region


def command(directory: Path, *options: str) -> int:
    """Run the command; return how it ends."""
    return run(parser().parse_args(["doctor", *options]), directory)


def test_doctor_ends_with_1_until_nothing_is_wrong(
    region: Region, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As JSON, of the account and Region of the environment, and of the stack of cdk.json."""
    assert command(tmp_path, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["account"], told["region"], told["stack"]) == (ACCOUNT, REGION, "NatFailover")
    (wrong,) = [row for row in told["checks"] if row["state"] != "ok"]
    assert (wrong["check"], wrong["state"]) == ("CDK bootstrap", "problem")
    assert wrong["words"].endswith("run make bootstrap")
    region.client("ssm").put_parameter(Name=VERSION, Value=str(BOOTSTRAP), Type="String")
    assert command(tmp_path) == 0
    assert capsys.readouterr().out.startswith(f"NatFailover in {REGION} of account {ACCOUNT}")


def test_doctor_ends_with_2_when_it_cannot_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a Region, and without credentials."""
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert command(tmp_path) == 2
    assert "no Region was given" in capsys.readouterr().err
    assert command(tmp_path, "--region", REGION) == 2
    assert "there are no usable AWS credentials" in capsys.readouterr().err
