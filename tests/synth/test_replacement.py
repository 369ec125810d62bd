"""What a change of each setting replaces, as CloudFormation's schemas have it, and as docs say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest

from aws_constraints.replacement import IRREPLACEABLE
from lab.emulator.services.cloudformation.schemas import changed, schema
from stacks.nat_stack import NatStack
from stacks.settings.reader import read_settings
from stacks.settings.table import table
from tests.synth.template import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]

ELSEWHERE = ("name", "account", "region")
"""Settings whose change makes another stack."""

ZONES = {"account": "123456789012", "region": "eu-west-1"}
PINNED = {**ZONES, "network": {"zones": ["eu-west-1a", "eu-west-1b"]}}

EXISTING = VARIANTS["existing-vpc"]

CHANGES: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "network.cidr": ({}, {"network": {"cidr": "10.1.0.0/16"}}),
    "network.additional_cidrs": ({}, {"network": {"additional_cidrs": ["100.64.0.0/16"]}}),
    "network.zones": (PINNED, {**ZONES, "network": {"zones": ["eu-west-1b", "eu-west-1c"]}}),
    "network.served_cidrs": ({}, {"network": {"served_cidrs": ["10.1.0.0/16"]}}),
    "network.vpc": (EXISTING, {"network": {**EXISTING["network"], "vpc": f"vpc-{1:017}"}}),
    "network.public_subnets": (
        EXISTING,
        {"network": {**EXISTING["network"], "public_subnets": [f"subnet-{n:017}" for n in (1, 2)]}},
    ),
    "network.route_tables": (
        EXISTING,
        {"network": {**EXISTING["network"], "route_tables": [f"rtb-{1:017}"]}},
    ),
    "fleet.launch": ({}, {"fleet": {"launch": "configuration"}}),
    "fleet.instance_type": ({}, {"fleet": {"instance_type": "t4g.micro"}}),
    "fleet.image": (
        {},
        {"fleet": {"image": "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-arm64"}},
    ),
    "fleet.ami": ({}, {"fleet": {"ami": {"id": "ami-0123456789abcdef0", "architecture": "arm64"}}}),
    "fleet.min": ({}, {"fleet": {"min": 2}}),
    "fleet.max": ({}, {"fleet": {"max": 3}}),
    "fleet.desired": ({}, {"fleet": {"desired": 1}}),
    "fleet.self_test": ({}, {"fleet": {"self_test": ["1.1.1.1"]}}),
    "fleet.session_manager": ({}, {"fleet": {"session_manager": True}}),
    "fleet.watch": ({}, {"fleet": {"watch": False}}),
    "fleet.drain_s": ({}, {"fleet": {"drain_s": 60}}),
    "fleet.max_lifetime_days": ({}, {"fleet": {"max_lifetime_days": None}}),
    "fleet.image_updates": ({}, {"fleet": {"image_updates": "at-launch"}}),
    "fleet.elastic_ips": ({}, {"fleet": {"elastic_ips": "created"}}),
    "topic.customer_key": ({}, {"topic": {"customer_key": True}}),
    "failover.strategy": ({}, {"failover": {"strategy": "swap-route-table"}}),
    "failover.failback": ({}, {"failover": {"failback": "manual"}}),
    "failover.adopt": ({}, {"failover": {"adopt": True}}),
    "failover.standby_gateway": ({}, {"failover": {"standby_gateway": f"nat-{1:017}"}}),
    "alerts.emails": ({}, {"alerts": {"emails": ["any@example.com"]}}),
    "logs.retention_days": ({}, {"logs": {"retention_days": 7}}),
}
"""For each setting what it is before and after."""

Resources = dict[str, dict[str, Any]]


def resources(settings: Mapping[str, Any], directory: Path) -> Resources:
    """Return the resources of the stack with these settings, synthesized into a directory."""
    app = cdk.App(outdir=str(directory))
    NatStack(app, "Any", settings=read_settings(settings))
    found: Resources = app.synth().get_stack_by_name("Any").template["Resources"]
    return found


def replaced(old: Resources, new: Resources) -> set[str]:
    """Return the logical ids of what is replaced, by itself or after what it refers to."""
    found: set[str] = set()
    while True:
        more = set(_recreated(old, new, found)) - found
        if not more:
            return found
        found |= more


def _recreated(old: Resources, new: Resources, others: set[str]) -> Iterator[str]:
    for name in old.keys() & new.keys():
        there = old[name].get("Properties", {})
        wanted = json.loads(json.dumps(new[name].get("Properties", {})), object_hook=_anew(others))
        if schema(old[name]["Type"]).recreates(there, wanted):
            yield name


def _anew(others: set[str]) -> Any:  # noqa: ANN401 - what json.loads takes
    """Return a hook that lets a reference to a replaced resource be another one."""

    def hook(value: dict[str, Any]) -> dict[str, Any]:
        target = value.get("Ref") or (value.get("Fn::GetAtt") or [None])[0]
        return {**value, "": "another"} if target in others else value

    return hook


@pytest.fixture(scope="module", params=CHANGES)
def change(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Resources, Resources]:
    """Each setting in turn, with the resources before and after."""
    before, after = CHANGES[request.param]
    directory = tmp_path_factory.mktemp("change")
    old = resources(before, directory / "before")
    return request.param, old, resources(after, directory / "after")


def documented(setting: str) -> str:
    """Return what docs/operations.md says is replaced when a setting is changed."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+`) \| (.+?) \| .+ \|$", text, re.MULTILINE)
    (found,) = [what for names, what in rows if f"`{setting}`" in names]
    return str(found)


def test_every_setting_is_changed_here() -> None:
    """But for those that make another stack."""
    names = {row.split("`")[1] for row in table().splitlines() if row.startswith("| `")}
    assert names == {*CHANGES, *ELSEWHERE}


def test_page_says_what_a_change_replaces(change: tuple[str, Resources, Resources]) -> None:
    """By the create-only properties of CloudFormation's schemas."""
    setting, old, new = change
    kinds = {old[name]["Type"] for name in replaced(old, new)}
    named = set(re.findall(r"AWS::\w+::\w+", documented(setting)))
    assert kinds == named
    assert bool(kinds) != documented(setting).startswith("nothing")


def test_no_change_replaces_what_cannot_be_replaced(
    change: tuple[str, Resources, Resources],
) -> None:
    """But for the VPC's CIDR, of which the page says so and nothing before a deployment can."""
    setting, old, new = change
    if setting == "network.cidr":
        pytest.skip("the page says that it fails and is rolled back")
    kept = {row.kind for row in IRREPLACEABLE}
    assert kept.isdisjoint(old[name]["Type"] for name in replaced(old, new))


def test_nothing_keeps_a_name_of_its_own_when_it_is_replaced(
    change: tuple[str, Resources, Resources],
) -> None:
    """CloudFormation cannot make a second one of that name beside the first."""
    _, old, new = change
    anew = replaced(old, new)
    names = {
        name: json.loads(json.dumps(_name(new[name])), object_hook=_anew(anew)) for name in anew
    }
    stuck = {name for name in anew if names[name] and not changed(_name(old[name]), names[name])}
    assert stuck == set()


def _name(resource: dict[str, Any]) -> dict[str, Any]:
    """Return the property, if any, by which the template names a resource."""
    own = {f"{resource['Type'].rpartition('::')[2]}Name", "AutoScalingGroupName"}
    return {key: value for key, value in resource.get("Properties", {}).items() if key in own}


def test_every_irreplaceable_type_is_in_the_stack(tmp_path: Path) -> None:
    """A row about nothing would hold nothing."""
    there = {resource["Type"] for resource in resources({}, tmp_path).values()}
    assert {row.kind for row in IRREPLACEABLE} <= there
