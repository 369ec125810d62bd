"""What a person sees who runs the app with wrong settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from stacks.settings.app import AppSettings
from stacks.settings.reader import read_settings
from tests.synth.template import VARIANTS

ROOT = Path(__file__).parents[2]


def test_app_says_each_mistake_on_a_line_and_exits_1_when_settings_are_wrong(
    tmp_path: Path,
) -> None:
    """No traceback, no template."""
    nat = json.dumps({"nmae": "Egress", "fleet": {"min": 3, "max": "2"}})
    run = _run_app({"nat": nat}, tmp_path)
    assert run.returncode == 1
    assert run.stderr.splitlines() == [
        (
            "fleet.max is '2'; allowed: null for one in each zone, or as many as desired, or a"
            " number of instances, from 2 and the number of zones to 100"
        ),
        (
            "nmae is not a setting; allowed here: name, account, region, network, fleet, topic,"
            " failover, alerts, logs; did you mean name?"
        ),
        "fleet.min is 3, more than fleet.desired, 2; allowed: min <= desired <= max",
    ]
    assert list(tmp_path.iterdir()) == []


def test_app_says_what_its_construct_refuses_in_a_line(tmp_path: Path) -> None:
    """Settings that are right each by itself, and not together."""
    nat = {**VARIANTS["existing-vpc"], "failover": {"adopt": [f"rtb-{1:017}"]}}
    run = _run_app({"nat": json.dumps(nat)}, tmp_path)
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert line.startswith(f"adopt names rtb-{1:017}, no private route table of")


def test_app_says_how_to_set_what_a_stray_context_key_seems_to_set(tmp_path: Path) -> None:
    """`--context nat.fleet.min=3` makes a key of its own."""
    run = _run_app({"nat.fleet.min": "3"}, tmp_path)
    assert run.returncode == 1
    assert run.stderr.startswith("context key nat.fleet.min sets nothing; allowed: one key, nat,")
    assert len(run.stderr.splitlines()) == 1


def test_app_takes_settings_from_the_command_line(tmp_path: Path) -> None:
    """`--context nat='{"name": …}'` arrives as a string; what it does not name has its default."""
    run = _run_app({"nat": '{"name": "Egress"}'}, tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    assert (tmp_path / "Egress.template.json").exists()


def test_settings_file_shows_every_setting_with_its_default() -> None:
    """Who reads cdk.json sees all there is to set, and nothing that is otherwise in fact."""
    nat = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]["nat"]
    assert nat == json.loads(AppSettings().model_dump_json())
    assert read_settings(nat) == AppSettings()


def _run_app(context: dict[str, str], directory: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": "lambda_src",
        "CDK_OUTDIR": str(directory),
        "CDK_CONTEXT_JSON": json.dumps(context),
    }
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
