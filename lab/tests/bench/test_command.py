"""The command `python -m lab.bench.dataplane`: what it refuses, in a sentence, with status 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.bench.dataplane.__main__ import main
from lab.bench.dataplane.contenders import from_file, ours, plain

if TYPE_CHECKING:
    from pathlib import Path


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return what the command said when it ended with exit status 2."""
    assert 2 == main(arguments)
    return capsys.readouterr().err


def test_command_names_the_file_when_it_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one sentence says what was given, why it does not do, and what is allowed."""
    path = tmp_path / "missing.sh"
    expected = (
        f"--against {path}: No such file or directory;"
        " allowed: an .nft ruleset, or a script for bash\n"
    )
    assert expected == refused(["--against", str(path)], capsys)


def test_command_refuses_a_file_that_is_no_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An image or an archive is no script."""
    path = tmp_path / "image"
    path.write_bytes(b"\xff\xfe\x00")
    assert "it is not text in UTF-8" in refused(["--against", str(path)], capsys)


@pytest.mark.parametrize("rounds", ["2", "-3", "many", "1.5"])
def test_command_refuses_what_is_no_number_of_rounds(
    rounds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message has the value, and says what is allowed."""
    with pytest.raises(SystemExit) as ended:
        main([f"--rounds={rounds}"])
    assert 2 == ended.value.code
    assert f"'{rounds}' is no number of rounds; allowed: 3 and more" in capsys.readouterr().err


def test_ruleset_is_loaded_and_forwarding_turned_on(tmp_path: Path) -> None:
    """Rules cannot turn it on, and a host that does not forward is no NAT."""
    path = tmp_path / "their.nft"
    path.write_text("table ip nat {\n}\n")
    contender = from_file(path)
    assert "their.nft" == contender.name
    assert "net.ipv4.ip_forward=1" in contender.script
    assert f"nft --file - <<'END_OF_THE_RULESET'\n{path.read_text()}" in contender.script


def test_script_is_run_as_given(tmp_path: Path) -> None:
    """Nothing is done for a script that it does not do itself."""
    path = tmp_path / "boot.sh"
    path.write_text("#!/bin/bash\necho as given\n")
    assert path.read_text() == from_file(path).script


def test_both_sides_have_names_of_their_own() -> None:
    """They head the columns."""
    assert ours().name != plain().name
