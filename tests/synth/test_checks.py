"""What the checkers say about the templates, and what must hold for all templates."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aws_cdk import Validations
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import lint  # type: ignore[import-untyped] # it ships no types
from cfnlint.config import ManualArgs  # type: ignore[import-untyped] # it ships no types

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.synth.template import Template

ROOT = Path(__file__).parents[2]

EXPLAINED = {
    "W3005": "The CDK depends on whole constructs, parts that are referred to included.",
    "W3010": "Zones are pinned where the settings pin them.",
    "W3697": "A launch configuration is there where the settings ask for one.",
}
"""Findings of cfn-lint that are as they should be, each with its reason."""


@pytest.mark.no_cover  # cfn-lint takes longer while lines are counted, and none is ours
def test_lint_finds_nothing_unexplained(template: Template) -> None:
    """Cfn-lint knows the schema of every property, in every Region that it is asked about."""
    regions = ["us-east-1", "eu-west-1", "ap-southeast-2"]
    findings = lint(json.dumps(template.body), config=ManualArgs(regions=regions))
    assert [str(finding) for finding in findings if finding.rule.id not in EXPLAINED] == []


def test_lint_explanation_goes_when_its_finding_goes(
    synthesize: Callable[[str], Template],
) -> None:
    """An explanation that nothing needs would hide the next finding of its kind."""
    bodies = [synthesize(variant).body for variant in ("launch-configuration", "pinned-zones")]
    found = {finding.rule.id for body in bodies for finding in lint(json.dumps(body))}
    assert found == set(EXPLAINED)


def test_nag_finds_nothing_that_is_not_acknowledged(template: Template) -> None:
    """The AwsSolutions pack; what it finds and should be so is acknowledged beside its cause."""
    report = AwsSolutionsChecks().validate_scope(template.app)
    assert [
        (violation.rule_name, resource.construct_path)
        for violation in report.violations
        for resource in violation.violating_resources
    ] == []


def test_acknowledgement_carries_its_reason(template: Template) -> None:
    """A sentence that a reviewer can judge."""
    reasons = [
        reason
        for construct in template.app.node.find_all()
        for entry in construct.node.metadata
        if entry.type == Validations.ACKNOWLEDGED_RULES_METADATA_KEY
        for reason in entry.data.values()
    ]
    assert len(reasons) >= 4
    assert all(reason.endswith(".") for reason in reasons)


def test_template_names_no_resource_physically(template: Template) -> None:
    """A name of one's own can be there once in an account, and blocks replacement.

    The group's has the stack's name in it: its instances must know it before it exists. The launch
    template's is made of the stack's id and of its content, so that none is ever in its way.
    """
    naming = {
        "AutoScalingGroupName",
        "FunctionName",
        "GroupName",
        "KeyName",
        "LaunchConfigurationName",
        "LaunchTemplateName",
        "LogGroupName",
        "Name",
        "QueueName",
        "RoleName",
        "TopicName",
        "AlarmName",
    }
    references = {
        ("AWS::EC2::LaunchTemplate", "LaunchTemplateName"),
        ("AWS::AutoScaling::AutoScalingGroup", "AutoScalingGroupName"),
        ("AWS::AutoScaling::AutoScalingGroup", "LaunchConfigurationName"),
        ("AWS::Lambda::EventInvokeConfig", "FunctionName"),
        ("AWS::Lambda::Permission", "FunctionName"),
    }
    named = {
        (resource["Type"], key)
        for resource in template.body["Resources"].values()
        for key in naming & resource["Properties"].keys()
    }
    assert named <= references


def test_template_fits_cloudformation(template: Template) -> None:
    """Larger ones need a bucket even to be validated ("CloudFormation quotas")."""
    assert len(json.dumps(template.body)) < 51_200


def test_synthesis_looks_nothing_up(template: Template) -> None:
    """The assembly lacks no context: synthesis needs neither credentials nor a network."""
    manifest = json.loads((template.directory / "manifest.json").read_text(encoding="utf-8"))
    assert "missing" not in manifest


def test_synthesis_is_the_same_each_time(tmp_path: Path) -> None:
    """Two processes whose sets and dictionaries hash differently write the same bytes."""
    first, second = (_synthesize_in_a_process(tmp_path / seed, seed) for seed in ("1", "2"))
    assert first == second


def _synthesize_in_a_process(directory: Path, hash_seed: str) -> dict[str, bytes]:
    """Run `app.py` as the CDK CLI does, and return what it writes, by name.

    All but the stack traces of the constructs, in which is the kernel's temporary directory.
    """
    cdk_json = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
    environment = {
        **os.environ,
        "PYTHONPATH": "lambda_src",
        "PYTHONHASHSEED": hash_seed,
        "CDK_OUTDIR": str(directory),
        "CDK_CONTEXT_JSON": json.dumps(cdk_json["context"]),
    }
    subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=environment, check=True)
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and not path.name.endswith(".metadata.json")
    }
