"""Whether the account lets instances in public subnets reach the internet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.doctor.findings import Finding, ok, problem

if TYPE_CHECKING:
    from lab.doctor.examined import Examined

_OFF = "off"
_EXCLUDES = "allow-bidirectional"
"""The mode of an exclusion with which an instance behind an internet gateway works for certain. AWS
does not say whether `allow-egress` does for an instance ("VPC BPA basics", VPC user guide)."""


def public_access(examined: Examined) -> Finding:
    """Say whether VPC Block Public Access lets traffic of NAT instances through.

    Both modes block it: `block-ingress` too lets only NAT gateways and egress-only gateways out
    ("Block public access to VPCs and subnets", VPC user guide).
    """
    ec2 = examined.clients["ec2"]
    options = ec2.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]
    mode = options["InternetGatewayBlockMode"]
    if mode == _OFF:
        return ok("VPC Block Public Access is off")
    vpc = vpc_of_the_stack(examined)
    if vpc and any(_excludes(row, vpc) for row in _exclusions(ec2)):
        return ok(f"VPC Block Public Access is {mode}, and {vpc} is excluded from it")
    if options.get("ExclusionsAllowed") == "not-allowed":
        return problem(
            f"VPC Block Public Access is {mode}, and the organization allows no exclusions: NAT"
            " instances cannot work here, so have it allow one, or use NAT gateways"
        )
    when = f"exclude {vpc}" if vpc else "exclude the stack's VPC as soon as the deployment made it"
    return problem(
        f"VPC Block Public Access is {mode}, which blocks NAT instances: {when} (aws ec2"
        " create-vpc-block-public-access-exclusion --internet-gateway-exclusion-mode"
        f" {_EXCLUDES} --vpc-id {vpc or 'VPC'})"
    )


def vpc_of_the_stack(examined: Examined) -> str | None:
    """Return the VPC that the stack has made, if it is deployed."""
    tag = {"Name": "tag:aws:cloudformation:stack-name", "Values": [examined.settings.name]}
    found = examined.clients["ec2"].describe_vpcs(Filters=[tag])["Vpcs"]
    return str(found[0]["VpcId"]) if found else None


def _exclusions(ec2: Any) -> list[Any]:  # noqa: ANN401 - a client
    rows: list[Any] = ec2.describe_vpc_block_public_access_exclusions()[
        "VpcBlockPublicAccessExclusions"
    ]
    return rows


def _excludes(row: Any, vpc: str) -> bool:  # noqa: ANN401 - JSON
    named = str(row["ResourceArn"]).endswith(f"/{vpc}")
    works = row["InternetGatewayExclusionMode"] == _EXCLUDES
    return named and works and row["State"] in ("create-complete", "update-complete")
