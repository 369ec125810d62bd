"""How the lab starts: from a clone with its environment alone, and how it ends through make."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.cli.leftovers import remove_leftovers, working_directory
from lab.emulator.isolation import PROJECT
from lab.tests.cli.test_command import processes_of

DONE_BEFORE = ("-o", ".venv/.ready", "-o", "node_modules/.ready", "-o", ".venv/.packets")
"""Make's option for what the set-up made: a test installs nothing."""


def run(command: list[str], home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the clone with nothing but a home directory in its environment."""
    return subprocess.run(  # noqa: S603 - our own commands, no shell
        command,
        cwd=PROJECT,
        env={"HOME": str(home), "TMPDIR": str(home), "PATH": os.defpath, **more},
        capture_output=True,
        text=True,
        check=False,
    )


def test_drill_starts_from_a_clone_when_only_its_python_is_named(tmp_path: Path) -> None:
    """`.venv/bin/python -m lab` finds the function, node and the CDK CLI by itself.

    It prints one object and writes its page: here with somebody else's handler, which is told of an
    emulated resource, and which the schedule invokes too.
    """
    (tmp_path / "mine").mkdir()
    handler = tmp_path / "mine" / "any.py"
    handler.write_text("import os\ndef do(event, context):\n    return os.environ['TABLE']\n")
    report = tmp_path / "report"
    own = ["--handler", f"{handler}:do", "--env", "TABLE={route_table.b}", "--trigger", "schedule"]
    command = ["drill", "stop:b", "--seed", "3", "--json", "--report", str(report), *own]
    done = run([sys.executable, "-m", "lab", *command], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    outcome = json.loads(done.stdout)
    assert (outcome["fault"], outcome["seed"]) == ("stop:b", 3)
    assert (outcome["handler"], outcome["clock"]) == ("any.py:do", "virtual")
    assert (outcome["recovered"], outcome["home"], outcome["writes"]) == (False, False, [])
    assert outcome["outage"]["us-east-1b"] > outcome["outage"]["us-east-1a"] == 0
    said = [line["what"] for line in outcome["timeline"]]
    assert any(what.startswith("any.do answered") for what in said)
    assert "stop:b" in (report / "index.html").read_text()
    assert processes_of(tmp_path) == []
    assert [path.name for path in tmp_path.glob("nat-lab-*")] == []


def test_lab_says_how_to_set_it_up_where_only_the_standard_library_is(tmp_path: Path) -> None:
    """As in a clone whose environment was not activated: without site-packages (-S)."""
    done = run([sys.executable, "-S", "-m", "lab", "faults"], tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("this Python has not what the lab needs: run `make setup`")


@pytest.mark.parametrize("module", ["lab.bench.failover", "lab.bench.dataplane"])
def test_benchmarks_start_from_a_clone_when_only_their_python_is_named(
    module: str, tmp_path: Path
) -> None:
    """They import the function too."""
    found = f"import importlib.util as u; u.find_spec({module!r}); import nat_failover"
    done = run([sys.executable, "-c", found], tmp_path)
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "own"),
    [("faults", 0), ("drill quake", 2), ("drill stop --yes", 2), ("fly", 2)],
)
def test_make_ends_with_0_when_the_lab_does_and_with_2_and_the_labs_own_code_in_words_when_not(
    arguments: str, own: int, tmp_path: Path
) -> None:
    """GNU make has one exit status for every recipe that fails, and names the recipe's own."""
    done = run(["make", *DONE_BEFORE, "lab", f"ARGS={arguments}"], tmp_path)
    assert done.returncode == (2 if own else 0)
    assert (f"Error {own}" in done.stderr) is bool(own)


def test_synth_prints_where_the_template_is_and_nothing_else(tmp_path: Path) -> None:
    """No remark of the CLI on feature flags that cdk.json leaves open: it leaves none."""
    done = run(["make", *DONE_BEFORE, "synth"], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    (path,) = done.stdout.splitlines()
    assert "Resources" in json.loads((PROJECT / path).read_text())


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_next_run_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    """SIGKILL lets nobody clean up; directories of runs that go on stay."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lab", "up"],
        cwd=PROJECT,
        env={"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PATH": os.defpath},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    (left,) = tmp_path.glob("nat-lab-*")
    (tmp_path / f"nat-lab-{os.getpid()}-mine").mkdir()
    (tmp_path / "nat-lab-of-somebody").mkdir()
    remove_leftovers(tmp_path)
    assert not left.exists()
    assert len(list(tmp_path.glob("nat-lab-*"))) == 2


def test_everything_temporary_is_below_one_directory_that_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of the functions too, so that one removal is enough."""
    import tempfile  # noqa: PLC0415 - its idea of a place is what is tested

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with working_directory() as directory:
        assert Path(tempfile.mkdtemp()).parent == directory
    assert tempfile.tempdir == str(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("after", [0.05, 0.3, 0.8])
def test_lab_ends_in_a_word_when_it_is_interrupted_while_it_imports(
    after: float, tmp_path: Path
) -> None:
    """Ctrl-C in the first second: no traceback."""
    code = (
        "import sys, lab.__main__ as m, threading, os, signal;"
        f"threading.Timer({after}, lambda: os.kill(os.getpid(), signal.SIGINT)).start();"
        "sys.exit(m.main(['up']))"
    )
    done = run([sys.executable, "-c", code], tmp_path)
    assert (done.returncode, done.stderr) == (130, "stopped\n")


def test_output_that_is_cut_off_is_no_failure_of_the_app() -> None:
    """With `| head` and pipefail, a script sees the status of a closed pipe, and no other."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "lab", "faults"],
        cwd=PROJECT,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")
