"""The policies of the roles as they were reviewed, with the ids of deployed resources."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.iam.intrinsics import resolve
from tests.merge_patch import merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ACCOUNT = "123456789012"
SNAPSHOTS = Path(__file__).parents[1] / "synth" / "__snapshots__" / "test_snapshots"


def role_policies(
    variant: str,
    *,
    region: str,
    homes: Iterable[tuple[str, str, str]],
    topic: str,
    memory: str = f"arn:aws:dynamodb:any-region:{ACCOUNT}:table/any-memory",
) -> list[dict[str, Any]]:
    """Return the function's policies.

    A home is a private table, its subnet and the public subnet of the zone, zone by zone.
    """
    resources = _resources(variant)
    values = _values(resources, region)
    for name, resource in resources.items():
        if resource["Type"] == "AWS::SNS::Topic" and "Outcome" in name:
            values[name] = topic
        if resource["Type"] == "AWS::DynamoDB::Table":
            values[f"{name}.Arn"] = memory
    for number, (table, private, public) in enumerate(homes, 1):
        for name, resource in resources.items():
            match resource["Type"]:
                case "AWS::EC2::RouteTable" if f"PrivateSubnet{number}" in name:
                    values[name] = table
                case "AWS::EC2::Subnet" if f"PrivateSubnet{number}" in name:
                    values[name] = private
                case "AWS::EC2::Subnet" if f"PublicSubnet{number}" in name:
                    values[name] = public
    return _policies(resources, "Failover", values)


def instance_policies(
    variant: str, *, region: str, topic: str, memory: str, key: str
) -> list[dict[str, Any]]:
    """Return the policies of the NAT instances."""
    resources = _resources(variant)
    values = _values(resources, region)
    for name, resource in resources.items():
        match resource["Type"]:
            case "AWS::SNS::Topic" if "NatFailed" in name:
                values[name] = topic
            case "AWS::DynamoDB::Table":
                values[f"{name}.Arn"] = memory
            case "AWS::KMS::Key":
                values[f"{name}.Arn"] = key
    return _policies(resources, "Fleet", values)


def _resources(variant: str) -> dict[str, Any]:
    template = _reviewed("test_template_is_what_was_reviewed")
    if variant != "default":
        template = merged(template, _reviewed(f"test_variant_differs_as_was_reviewed[{variant}]"))
    resources: dict[str, Any] = template["Resources"]
    return resources


def _reviewed(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((SNAPSHOTS / f"{name}.json").read_text(encoding="utf-8"))
    return content


def _values(resources: Iterable[str], region: str) -> dict[str, str]:
    """Return what references stand for, where it does not matter which resource they name."""
    values = {
        "AWS::Partition": "aws",
        "AWS::Region": region,
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::AccountId": ACCOUNT,
        "AWS::StackId": f"arn:aws:cloudformation:{region}:{ACCOUNT}:stack/NatFailover/own",
    }
    for name in resources:
        values[name] = values[f"{name}.Arn"] = f"arn:aws:any:any-region:{ACCOUNT}:any"
    return values


def _policies(
    resources: Mapping[str, Any], prefix: str, values: Mapping[str, str]
) -> list[dict[str, Any]]:
    (role,) = (
        resource["Properties"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::IAM::Role" and name.startswith(prefix)
    )
    return [resolve(policy["PolicyDocument"], values) for policy in role["Policies"]]
