"""The command `python -m lab`: what it prints, how it ends, and what it never touches."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import boto3
import pytest

from lab.__main__ import main
from lab.cli.drill import drill
from lab.cli.parser import STRATEGIES
from lab.drills.boots import delays as boots
from lab.drills.catalogue import BEHAVIOURS
from lab.drills.cdk import Cdk, CdkError
from lab.drills.faults import FAULTS
from lab.drills.scenario import read_faults
from lab.drills.testbed import AppTestbed, AppTestbedError
from lab.emulator.isolation import PROJECT, tool_environment
from lab.emulator.journal import Who
from lab.emulator.limits import LIMITS
from lab.emulator.node import NotSetUpError
from lab.emulator.region import Region
from lab.emulator.time.clock import RealClock
from lab.emulator.time.delays import GROUP_NOTICES, TABLE

LIMIT = 300  # seconds for a whole demo on a busy machine


def start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the lab as a person with an AWS account would."""
    persons = home / ".aws"
    persons.mkdir()
    (persons / "credentials").write_text("[default]\naws_access_key_id = person\n")
    (persons / "config").write_text("[profile person]\nregion = eu-north-1\nbroken")
    return subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
        [sys.executable, "-m", "lab", *arguments],
        cwd=PROJECT,
        env={
            **os.environ,
            "HOME": str(home),
            "TMPDIR": str(home),
            "AWS_PROFILE": "person",
            "AWS_REGION": "eu-north-1",
            "AWS_CONFIG_FILE": str(persons / "config"),
            "PYTHONUNBUFFERED": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def processes_of(home: Path) -> list[str]:
    """Return the processes whose environment names a directory."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(home).encode() in environment.read_bytes():
                found.append(environment.parent.name)
        except OSError:
            continue
    return [number for number in found if number != str(os.getpid())]


def files_of_the_project() -> set[Path]:
    """Return the top-level files of the project, and its cloud assembly if there is one."""
    return set(PROJECT.iterdir()) - {PROJECT / ".pytest_cache", PROJECT / ".coverage"}


def test_demo_tells_the_whole_story_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """It ends with the table and exit status 0, whatever AWS settings the person has."""
    before = files_of_the_project()
    process = start(tmp_path)
    output, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, output
    for said in (
        "    before  EventBridge    runs the schedule",
        "    0.00 s  You            terminate ",
        "publishes EC2_INSTANCE_TERMINATE",
        "hands the message to the subscribed function",
        "(trigger: terminated)",
        "there were no differences",
        "nothing of the stack is left",
        "Recovered and home",
        "left nothing behind",
    ):
        assert said in output
    assert files_of_the_project() <= before
    assert processes_of(tmp_path) == []
    assert [path.name for path in tmp_path.glob("nat-lab-*")] == []


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, marks=pytest.mark.exhaustive("`up` ends by it, too")),
        signal.SIGTERM,
    ],
)
def test_demo_leaves_no_process_behind_when_it_is_interrupted(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Ctrl-C ends the CDK CLI and the functions too."""
    process = start(tmp_path)
    assert process.stdout is not None
    wanted = "CDKToolkit" if number is signal.SIGTERM else "hands the message"
    for line in process.stdout:
        if wanted in line:
            break
    process.send_signal(number)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130, output
    assert "Traceback" not in output
    assert processes_of(tmp_path) == []


def test_up_lets_other_tools_work_with_the_region(tmp_path: Path) -> None:
    """The printed variables are all that boto3 needs; Ctrl-C ends everything."""
    process = start(tmp_path, "up")
    assert process.stdout is not None
    given = {}
    for line in process.stdout:
        if line.strip().startswith("export "):
            name, _, value = line.strip().removeprefix("export ").partition("=")
            given[name] = value
        if "Ctrl-C ends it" in line:
            break
    ec2 = boto3.client("ec2", endpoint_url=given["AWS_ENDPOINT_URL"])
    states = [
        instance["State"]["Name"]
        for reservation in ec2.describe_instances()["Reservations"]
        for instance in reservation["Instances"]
    ]
    assert states == ["running", "running"]
    assert (given["AWS_ACCESS_KEY_ID"], given["AWS_REGION"]) == ("lab", "us-east-1")
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130, output
    assert processes_of(tmp_path) == []


@pytest.mark.exhaustive("an interrupted demo shows the same of all but forks")
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_comparison_leaves_no_process_behind_when_it_is_interrupted(tmp_path: Path) -> None:
    """Neither a fork nor a function's process."""
    process = start(tmp_path, "compare", "hang", "--seeds", "50")
    deadline = time.monotonic() + LIMIT
    while len(processes_of(tmp_path)) < 4 or not list(
        tmp_path.glob("nat-lab-*/nat-lab-function-*")
    ):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    time.sleep(2)
    process.terminate()
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130, output
    time.sleep(0.5)
    assert processes_of(tmp_path) == []


@pytest.mark.exhaustive("drills with packets and those of an account are by the wall's clock, too")
def test_drill_in_real_time_tells_the_story_by_the_clock(tmp_path: Path) -> None:
    """Here fifteen times as fast as the clock on the wall, so that the test ends.

    Not faster: the function waits a minute on the wall before a failback, and a drill is patient
    for half an hour by the region's clock.
    """
    with Region(BEHAVIOURS, clock=RealClock(15)) as region:
        outcome = drill(
            region,
            tmp_path,
            None,
            faults=read_faults(["terminate"]),
            seed=0,
            strategy=None,
            handler=None,
            pace=15,
        )
    assert (outcome.clock, outcome.recovered, outcome.home) == ("real", True, True)
    assert outcome.time_to_come_home is not None
    assert outcome.time_to_come_home > GROUP_NOTICES.low


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["drill", "quake"], "'quake' is no fault; there are terminate"),
        (["drill"], "name faults, or a file with --scenario FILE"),
        (["drill", "stop", "--scenario", "x.toml"], "stop and --scenario x.toml are given: name"),
        (["drill", "--scenario", "nowhere.toml"], "nowhere.toml cannot be read"),
        (["drill", "stop", "--env", "A=1"], "--env and --trigger are for a handler"),
        (["drill", "stop", "--handler", "nowhere.py:do"], "nowhere.py does not exist"),
        (["drill", "stop", "--handler", "nowhere.py"], "write FILE:FUNCTION"),
        (["drill", "stop", "--real"], "--real needs --stack NAME"),
        (["drill", "stop", "--real", "--stack", "x", "--real-time"], "--real-time is for the lab"),
        (["drill", "stop", "--real", "--stack", "x", "--packets"], "leave it out"),
        (
            ["drill", "stop", "--real", "--stack", "x", "--seed", "0", "--strategy", STRATEGIES[0]],
            "--strategy and --seed are for the lab",
        ),
        (["drill", "stop", "--stack", "x"], "--stack is for a stack in a real account: add --real"),
        (
            ["drill", "stop", "--stack", "x", "--region", "y", "--yes"],
            "--stack and --region and --yes are for a stack in a real account",
        ),
        (["drill", "stop", "--yes"], "add --real, or leave it out"),
        (["drill", "stop:c"], "names a zone that cdk.json does not deploy to"),
        (["drill", "stop", "--report", f"{__file__}/x"], "no page can be written there (Not a"),
        (["compare", "stop", "--report", __file__], "no page can be written there (it is a file)"),
        (["compare", "stop:f"], "deployed to are a, b"),
        (["compare", "quake"], "'quake' is no fault"),
    ],
)
def test_command_ends_with_one_sentence_when_it_cannot_start(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2, and what was given, what is allowed or what to do; no traceback."""
    assert main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert said in error
    assert "\n" not in error


def test_commands_load_nothing_of_packets_when_nobody_asks_for_them() -> None:
    """What it takes to play them is for Linux alone, and the lab runs on other systems too."""
    loaded = "import sys, lab.cli.run; print(*sorted({'pyroute2'} & set(sys.modules)))"
    run = subprocess.run(  # noqa: S603 - our own interpreter, no shell
        [sys.executable, "-c", loaded],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (PROJECT, "lambda_src")))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == ""


def test_drill_with_packets_says_what_it_needs_when_it_is_not_root(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before it deploys anything."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["drill", "stop", "--packets"]) == 2
    said = "packets need root, for network namespaces: run it with sudo"
    assert capsys.readouterr().err.strip() == said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["demo", "--strategy", "hope"], "choose from"),
        (["drill", "stop", "--seed", "-1"], "'-1' is not allowed; allowed: a whole number, 0 or"),
        (["drill", "stop", "--report", ""], "--report: it is empty; allowed: a directory"),
        (["soak", "--drills", "0"], "'0' is not allowed; allowed: a whole number, 1 or more"),
        (["up", "--port", "99999"], "allowed: a whole number, from 1 to 65535"),
        (["fly"], "invalid choice: 'fly'"),
    ],
)
def test_command_says_what_is_allowed_when_an_option_is_wrong(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2 and the option's name, from the parser."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert said in capsys.readouterr().err


def test_command_refuses_when_a_persons_credentials_are_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who exported credentials may think that the lab uses them: it says that it does not."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a person's")
    assert main(["faults"]) == 2
    error = capsys.readouterr().err
    assert "AWS_SECRET_ACCESS_KEY" in error
    assert "a person's" not in error.replace("nobody's", "")


def test_command_says_what_to_do_when_its_port_is_taken(
    region: Region, capsys: pytest.CaptureFixture[str]
) -> None:
    """The port of another region, for one."""
    port = region.endpoint.rpartition(":")[2]
    assert main(["up", "--port", port]) == 2
    assert f"port {port} is not free: choose another" in capsys.readouterr().err


def test_faults_lists_every_fault_and_fidelity_every_behaviour_and_delay(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can be injected, what is modelled and how well, and what is not."""
    monkeypatch.setenv("COLUMNS", "300")
    assert main(["faults"]) == main(["fidelity"]) == 0
    said = capsys.readouterr().out
    for name in (
        *(fault.name for fault in FAULTS),
        *(behaviour.__name__ for behaviour in BEHAVIOURS),
        *(row.name for row in (*TABLE, *boots.TABLE)),
        *LIMITS,
    ):
        assert name in said


@pytest.mark.parametrize("command", ["faults", "fidelity"])
def test_list_fits_a_terminal_of_80_columns_without_cutting_a_name(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words are wrapped and names folded; nothing ends in an ellipsis."""
    monkeypatch.setenv("COLUMNS", "80")
    assert main([command]) == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 80
    assert "…" not in said


def test_lab_says_what_to_do_when_node_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence and status 2."""
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    assert main(["drill", "stop"]) == 2
    assert "make lab" in capsys.readouterr().err


def test_cdk_says_what_to_do_when_the_cli_is_not_installed(tmp_path: Path) -> None:
    """A clone without node_modules gets a sentence."""
    with pytest.raises(NotSetUpError, match="make lab"):
        Cdk("http://localhost:1", tmp_path, project=tmp_path)


def assembly_of(directory: Path, resources: dict[str, object]) -> Path:
    """Write a cloud assembly with one stack."""
    directory.mkdir()
    template = {"Resources": resources}
    (directory / "Any.template.json").write_text(json.dumps(template))
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://123456789012/us-east-1",
        "properties": {"templateFile": "Any.template.json"},
    }
    manifest = {"version": "36.0.0", "artifacts": {"Any": stack}}
    (directory / "manifest.json").write_text(json.dumps(manifest))
    return directory


def test_cdk_deploy_fails_when_a_type_is_not_emulated(region: Region, tmp_path: Path) -> None:
    """The CLI exits with an error that names the type: nothing is skipped in silence."""
    app = str(assembly_of(tmp_path / "app", {"Alien": {"Type": "AWS::Alien::Thing"}}))
    project = project_with_cli(tmp_path)
    with (
        closing(Cdk(region.endpoint, tmp_path, project=project, app=app)) as cdk,
        pytest.raises(CdkError, match="AWS::Alien::Thing"),
    ):
        cdk.deploy()


def test_deployment_is_said_to_fail_by_what_the_lab_knows_of_it(
    region: Region, tmp_path: Path
) -> None:
    """CloudFormation sees only what came of it, such as a group that does not fill."""
    app = str(assembly_of(tmp_path / "app", {"Alien": {"Type": "AWS::Alien::Thing"}}))
    project = project_with_cli(tmp_path)
    region.journal.note(Who.LAB, "problem", "any trouble of the lab")
    with (
        closing(Cdk(region.endpoint, tmp_path, project=project, app=app)) as cdk,
        pytest.raises(AppTestbedError, match="any trouble of the lab"),
    ):
        AppTestbed(region, cdk, "replace-route").deploy()


def project_with_cli(tmp_path: Path) -> Path:
    """Return a project directory that holds nothing but the installed CLI."""
    (tmp_path / "node_modules").symlink_to(PROJECT / "node_modules")
    return tmp_path


def test_tool_environment_names_nobodys_credentials_and_only_the_lab(tmp_path: Path) -> None:
    """No variable of the person's AWS settings reaches the CDK CLI or the app."""
    given = tool_environment("http://localhost:1", tmp_path)
    assert given["AWS_ENDPOINT_URL"] == "http://localhost:1"
    assert given["AWS_ACCESS_KEY_ID"] == "lab"
    assert given["AWS_CONFIG_FILE"] == given["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert given["HOME"] == str(tmp_path)
    assert "AWS_PROFILE" not in given
