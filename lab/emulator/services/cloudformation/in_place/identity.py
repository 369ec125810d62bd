"""Changes of roles and keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lab.emulator.services.cloudformation.in_place.update import done_already

if TYPE_CHECKING:
    from lab.emulator.services.cloudformation.in_place.update import Handler, Update


def _trust(update: Update) -> None:
    document = json.dumps(update.new["AssumeRolePolicyDocument"])
    update.client("iam").update_assume_role_policy(RoleName=update.id, PolicyDocument=document)


def _policies(update: Update) -> None:
    iam = update.client("iam")
    kept = {row["PolicyName"] for row in update.new.get("Policies", [])}
    for row in update.gone("Policies"):
        if row["PolicyName"] not in kept:
            with done_already("NoSuchEntity"):
                iam.delete_role_policy(RoleName=update.id, PolicyName=row["PolicyName"])
    for row in update.come("Policies"):
        document = json.dumps(row["PolicyDocument"])
        iam.put_role_policy(
            RoleName=update.id, PolicyName=row["PolicyName"], PolicyDocument=document
        )


def _managed_policies(update: Update) -> None:
    iam = update.client("iam")
    for arn in update.gone("ManagedPolicyArns"):
        with done_already("NoSuchEntity"):
            iam.detach_role_policy(RoleName=update.id, PolicyArn=arn)
    for arn in update.come("ManagedPolicyArns"):
        iam.attach_role_policy(RoleName=update.id, PolicyArn=arn)


def _description(update: Update) -> None:
    description = update.new.get("Description", "")
    update.client("iam").update_role(RoleName=update.id, Description=description)


def _profile(update: Update) -> None:
    iam = update.client("iam")
    for verb, roles in (
        (iam.remove_role_from_instance_profile, update.gone("Roles")),
        (iam.add_role_to_instance_profile, update.come("Roles")),
    ):
        for role in roles:
            with done_already("NoSuchEntity", "EntityAlreadyExists"):
                verb(InstanceProfileName=update.id, RoleName=role)


def _key(update: Update) -> None:
    kms, new = update.client("kms"), update.new
    document = json.dumps(new["KeyPolicy"])
    kms.put_key_policy(KeyId=update.id, PolicyName="default", Policy=document)
    kms.update_key_description(KeyId=update.id, Description=new.get("Description", ""))
    rotates = str(new.get("EnableKeyRotation", False)).lower() == "true"
    (kms.enable_key_rotation if rotates else kms.disable_key_rotation)(KeyId=update.id)


TABLE: dict[str, dict[str, Handler]] = {
    "AWS::IAM::Role": {
        "AssumeRolePolicyDocument": _trust,
        "ManagedPolicyArns": _managed_policies,
        "Policies": _policies,
        "Description": _description,
    },
    "AWS::IAM::InstanceProfile": {"Roles": _profile},
    "AWS::KMS::Key": {"KeyPolicy": _key, "Description": _key, "EnableKeyRotation": _key},
}
