"""Whether the account lets instances in public subnets reach the internet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.doctor.findings import Finding, ok, problem

if TYPE_CHECKING:
    from lab.doctor.examined import Examined

_OFF = "off"
_EXCLUDES = "allow-bidirectional"
"""The mode of an exclusion with which an instance behind an internet gateway works for certain.
`allow-egress` applies to `block-bidirectional` only, and AWS does not say whether an instance works
with it (EC2 API reference, VpcBlockPublicAccessExclusion; "VPC BPA basics", VPC user guide)."""

_BOTH_WAYS = "block-bidirectional"

_OF_A_NAT = 2
"""Addresses of a subnet that a NAT needs: its own, and that of the one that replaces it."""


def public_access(examined: Examined) -> Finding:
    """Say whether VPC Block Public Access lets traffic of NAT instances through.

    Both modes block it: `block-ingress` lets only NAT gateways and egress-only gateways out, and
    `block-bidirectional` nothing ("Block public access to VPCs and subnets", VPC user guide). An
    exclusion is of a VPC or of a subnet.
    """
    ec2 = examined.clients["ec2"]
    options = ec2.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]
    mode = options["InternetGatewayBlockMode"]
    if mode == _OFF:
        return ok("VPC Block Public Access is off")
    vpc = examined.settings.network.vpc or vpc_of_the_stack(examined)
    exclusions = _exclusions(ec2) if vpc else []
    subnets = examined.settings.network.public_subnets
    for named in filter(None, [[vpc], subnets]):
        if all(any(_excludes(row, each) for row in exclusions) for each in named):
            where = ", ".join(map(str, named))
            return ok(f"VPC Block Public Access is {mode}, and {where} is excluded from it")
    if options.get("ExclusionsAllowed") == "not-allowed":
        gateways = "" if mode == _BOTH_WAYS else ", or use NAT gateways"
        return problem(
            f"VPC Block Public Access is {mode}, and the organization allows no exclusions: NAT"
            f" instances cannot work here, so have it allow one{gateways}"
        )
    when = f"exclude {vpc}" if vpc else "exclude the stack's VPC as soon as the deployment made it"
    return problem(
        f"VPC Block Public Access is {mode}, which blocks NAT instances: {when} (aws ec2"
        " create-vpc-block-public-access-exclusion --internet-gateway-exclusion-mode"
        f" {_EXCLUDES} --vpc-id {vpc or 'VPC'})"
    )


def addresses(examined: Examined) -> Finding:
    """Say whether the public subnets of an existing VPC have an address for a NAT and the next."""
    if not examined.settings.network.vpc:
        return ok("the subnets are made with the stack")
    rows = public_subnets(examined)
    if full := [row["SubnetId"] for row in rows if row["AvailableIpAddressCount"] < _OF_A_NAT]:
        return problem(
            f"{', '.join(full)} has fewer than {_OF_A_NAT} free addresses, for a NAT and the one"
            " that replaces it: free some, or name another one in network.public_subnets"
        )
    return ok("each public subnet has addresses for a NAT and the one that replaces it")


def standby_gateway(examined: Examined) -> Finding:
    """Say whether the NAT gateway that is to stand by could serve."""
    named = examined.settings.failover.standby_gateway
    if named is None:
        return ok("none is wanted: without a usable NAT nobody has internet")
    by_id = [{"Name": "nat-gateway-id", "Values": [named]}]
    vpc = examined.settings.network.vpc
    for row in examined.clients["ec2"].describe_nat_gateways(Filters=by_id)["NatGateways"]:
        wrong = (
            (row["State"] != "available", f"is {row['State']}"),
            (row.get("ConnectivityType") == "private", "is a private one"),
            (vpc and row["VpcId"] != vpc, f"is in {row['VpcId']}, not in {vpc}"),
        )
        if why := next((why for holds, why in wrong if holds), None):
            return problem(f"{named} {why}: name another one in failover.standby_gateway, or null")
        return ok(f"{named} is public and available, which says nothing of its health")
    return problem(
        f"{named} is no NAT gateway of the account in {examined.region}: name another one in"
        " failover.standby_gateway, or null"
    )


def public_subnets(examined: Examined) -> list[Any]:
    """Return the public subnets of an existing VPC; none where a new one is made.

    Raises:
        botocore.exceptions.ClientError: when one is not there.

    """
    named = examined.settings.network.public_subnets
    if not named:
        return []
    rows: list[Any] = examined.clients["ec2"].describe_subnets(SubnetIds=list(named))["Subnets"]
    return rows


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


def _excludes(row: Any, id_: str | None) -> bool:  # noqa: ANN401 - JSON
    named = str(row["ResourceArn"]).endswith(f"/{id_}")
    works = row["InternetGatewayExclusionMode"] == _EXCLUDES
    return named and works and row["State"] in ("create-complete", "update-complete")
