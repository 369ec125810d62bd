"""Contracts of IAM roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.emulator.services.iam.roles import AttachesManagedPolicies
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import deploy

if TYPE_CHECKING:
    from lab.emulator.region import Region

LOGS = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
NOBODY = {"Version": "2012-10-17", "Statement": []}


def role(*policies: str) -> dict[str, object]:
    """Return a role as a template has it."""
    properties = {
        "RoleName": "any",
        "AssumeRolePolicyDocument": NOBODY,
        "ManagedPolicyArns": list(policies),
    }
    return {"Type": "AWS::IAM::Role", "Properties": properties}


@contract_of(AttachesManagedPolicies)
def test_role_of_a_stack_has_the_managed_policies_that_it_names(region: Region) -> None:
    """AWS's own are there, with what they say."""
    iam = region.client("iam")
    assert deploy(region, {"Role": role(LOGS)}) == "CREATE_COMPLETE"
    attached = iam.list_attached_role_policies(RoleName="any")["AttachedPolicies"]
    assert [row["PolicyArn"] for row in attached] == [LOGS]
    policy = iam.get_policy(PolicyArn=LOGS)["Policy"]
    document = iam.get_policy_version(PolicyArn=LOGS, VersionId=policy["DefaultVersionId"])
    actions = document["PolicyVersion"]["Document"]["Statement"][0]["Action"]
    assert "logs:PutLogEvents" in actions


@contract_of(AttachesManagedPolicies)
def test_role_with_managed_policies_goes_with_its_stack(region: Region) -> None:
    """CloudFormation detaches what it attached; IAM deletes no role that has a policy."""
    iam = region.client("iam")
    deploy(region, {"Role": role(LOGS)})
    assert iam.list_attached_role_policies(RoleName="any")["AttachedPolicies"]
    region.client("cloudformation").delete_stack(StackName="any")
    assert iam.list_roles()["Roles"] == []


@contract_of(AttachesManagedPolicies)
def test_role_fails_its_stack_when_it_names_a_policy_that_does_not_exist(region: Region) -> None:
    """It is neither made up nor passed over."""
    unknown = LOGS.replace("Basic", "Unheard")
    assert deploy(region, {"Role": role(unknown)}) == "ROLLBACK_COMPLETE"
