"""The app's settings in the lab: what cdk.json says, in the lab's account, Region and zones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lab.drills.catalogue import BEHAVIOURS
from lab.drills.cdk import Cdk, CdkError
from lab.drills.drill import run_drill
from lab.drills.lab_settings import LabSettingsError, lab_settings
from lab.drills.scenario import read_faults
from lab.drills.testbed import deployed
from lab.emulator.isolation import PROJECT
from lab.emulator.region import Region

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def project_with(nat: object, directory: Path) -> Path:
    """Return a project whose cdk.json has these settings."""
    (directory / "cdk.json").write_text(json.dumps({"context": {"nat": nat}}))
    return directory


def test_context_deploys_what_cdk_json_says_into_the_labs_account_and_region(
    tmp_path: Path,
) -> None:
    """Everything else stays."""
    nat = {
        "account": "123456789012",
        "region": "eu-west-1",
        "network": {"zones": ["eu-west-1a", "eu-west-1b"], "cidr": "10.1.0.0/16"},
    }
    settings = lab_settings(project_with(nat, tmp_path), "swap-route-table")
    assert settings.strategy == "swap-route-table"
    assert json.loads(settings.context[0].removeprefix("nat=")) == {
        "account": None,
        "region": None,
        "network": {"zones": ["us-east-1a", "us-east-1b"], "cidr": "10.1.0.0/16"},
        "failover": {"strategy": "swap-route-table"},
    }


@pytest.mark.parametrize(
    ("given", "letters"),
    [
        (None, "ab"),
        (["eu-west-1a", "eu-west-1c"], "ac"),
        (["eu-west-1a", "eu-west-1b", "eu-west-1c"], "abc"),
        (["ap-northeast-1d", "ap-northeast-1f"], "df"),
    ],
)
def test_app_is_deployed_into_as_many_zones_as_cdk_json_names(
    given: list[str] | None, letters: str, tmp_path: Path
) -> None:
    """With its own letters."""
    nat = {"network": {"zones": given}, "fleet": {"max": 4, "desired": 4}}
    settings = lab_settings(project_with(nat, tmp_path), None)
    assert settings.zones == tuple(f"us-east-1{letter}" for letter in letters)


def test_missing_settings_are_the_defaults(tmp_path: Path) -> None:
    """The app takes a cdk.json without the key, and so does the lab."""
    (tmp_path / "cdk.json").write_text('{"app": "any"}')
    assert lab_settings(tmp_path, None).zones == ("us-east-1a", "us-east-1b")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"context": {"nat": {"name": "Nat Failover"}}}', "name is 'Nat Failover'; allowed: a st"),
        ('{"context": {"nat": {"fleet": {"maximum": 3}}}}', "fleet.maximum is not a setting"),
        ('{"context": {"nat": []}}', r"nat in .* is \[\]; allowed: a JSON object"),
        ("{", r"cdk\.json is not JSON: Expecting property name"),
    ],
)
def test_mistake_of_the_settings_is_said_in_the_apps_own_sentence(
    content: str, said: str, tmp_path: Path
) -> None:
    """Before anything is deployed, and without a traceback."""
    (tmp_path / "cdk.json").write_text(content)
    with pytest.raises(LabSettingsError, match=said):
        lab_settings(tmp_path, None)


def test_settings_that_are_not_there_are_named(tmp_path: Path) -> None:
    """One sentence instead of a traceback."""
    with pytest.raises(LabSettingsError, match=r"cdk\.json cannot be read: No such file"):
        lab_settings(tmp_path, None)


def test_apps_own_words_are_told_when_it_ends_by_itself(tmp_path: Path) -> None:
    """And not only that the CLI's subprocess ended."""
    (tmp_path / "node_modules").symlink_to(PROJECT / "node_modules")
    app = "echo 'fleet.any is 7; allowed: less' >&2; exit 1"
    cdk = Cdk("http://localhost:1", tmp_path, project=tmp_path, app=app)
    with pytest.raises(CdkError, match=r"cdk synth failed:\nfleet\.any is 7; allowed: less$"):
        cdk.synth()


@pytest.mark.exhaustive("test_zones.py deploys three zones, of which one serves another")
def test_drill_hits_the_third_zone_when_the_app_has_three(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Callable[..., Cdk]
) -> None:
    """A NAT in each, and the zone of the one that dies is served by another."""
    given = json.loads((PROJECT / "cdk.json").read_text())["context"]["nat"]
    given["network"]["zones"] = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    given["fleet"] |= {"max": 3, "desired": 3}
    settings = lab_settings(project_with(given, tmp_path), None)
    monkeypatch.setattr("lab.drills.testbed.lab_settings", lambda *_: settings)
    with (
        Region(BEHAVIOURS) as region,
        deployed(region, tmp_path, None, cli=cli) as testbed,
    ):
        outcome = run_drill(testbed, read_faults(["terminate:c"]), seed=0)
    assert list(outcome.egress) == ["us-east-1a", "us-east-1b", "us-east-1c"]
    assert (outcome.recovered, outcome.home) == (True, True)
    moved = {zone: len({span.through for span in spans}) for zone, spans in outcome.egress.items()}
    assert moved["us-east-1c"] == 3
    assert moved["us-east-1a"] == 1
