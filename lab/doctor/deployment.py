"""Whether the credentials and the Region are ready for a deployment of the CDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from lab.doctor.findings import Finding, ok, problem

if TYPE_CHECKING:
    from lab.doctor.examined import Examined

BOOTSTRAP = 6
"""The version of the bootstrap that the app's stack requires (its cloud assembly says so)."""


def account(examined: Examined) -> Finding:
    """Say whether the account is the one that the settings name."""
    wanted = examined.settings.account
    if wanted in (None, examined.account):
        return ok(f"{examined.account}, as {examined.caller}")
    return problem(
        f"the credentials are of {examined.account}, and account is {wanted!r}: name another"
        " profile in AWS_PROFILE"
    )


def bootstrap(examined: Examined) -> Finding:
    """Say whether the Region is bootstrapped for the CDK, and by a version that is new enough."""
    name = f"/cdk-bootstrap/{examined.qualifier}/version"
    try:
        found = examined.clients["ssm"].get_parameter(Name=name)["Parameter"]["Value"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
        return problem(f"{examined.region} is not bootstrapped for the CDK: run make bootstrap")
    if int(found) < BOOTSTRAP:
        return problem(f"its version is {found}, and {BOOTSTRAP} is needed: run make bootstrap")
    return ok(f"its version is {found}")
