"""All checks, and how they are run: at the same time, each with what it needs to read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from lab.account.refusals import DENIED
from lab.doctor import deployment, instances, network, quotas
from lab.doctor.findings import Checked, Finding, unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.doctor.examined import Examined


@dataclass(frozen=True, slots=True)
class Check:
    """A check: its name, what it looks at, and the IAM permissions of what it reads."""

    name: str
    examine: Callable[[Examined], Finding]
    needs: tuple[str, ...] = ()


_QUOTA = ("servicequotas:GetServiceQuota", "servicequotas:GetAWSDefaultServiceQuota")

CHECKS = (
    Check("account", deployment.account),
    Check("CDK bootstrap", deployment.bootstrap, ("ssm:GetParameter",)),
    Check(
        "zones",
        instances.zones,
        (
            "ec2:DescribeAvailabilityZones",
            "ec2:DescribeInstanceTypeOfferings",
            "ec2:DescribeSubnets",
        ),
    ),
    Check("addresses", network.addresses, ("ec2:DescribeSubnets",)),
    Check(
        "image",
        instances.image,
        ("ssm:GetParameter", "ec2:DescribeImages", "ec2:DescribeInstanceTypes"),
    ),
    Check(
        "launch configurations",
        instances.launch_configurations,
        ("autoscaling:DescribeLaunchConfigurations",),
    ),
    Check(
        "key of volumes",
        instances.volume_key,
        ("ec2:GetEbsDefaultKmsKeyId", "kms:GetKeyPolicy", "kms:ListGrants"),
    ),
    Check("metadata service", instances.metadata, ("ec2:GetInstanceMetadataDefaults",)),
    Check(
        "public access",
        network.public_access,
        (
            "ec2:DescribeVpcBlockPublicAccessOptions",
            "ec2:DescribeVpcBlockPublicAccessExclusions",
            "ec2:DescribeVpcs",
        ),
    ),
    Check("vCPUs", quotas.vcpus, ("ec2:DescribeInstances", "ec2:DescribeInstanceTypes", *_QUOTA)),
    Check("Elastic IPs", quotas.elastic_ips, ("ec2:DescribeAddresses", *_QUOTA)),
    Check("standby gateway", network.standby_gateway, ("ec2:DescribeNatGateways",)),
    Check("VPCs", quotas.vpcs, ("ec2:DescribeVpcs", *_QUOTA)),
)
"""Each check, in the order in which they are told. `sts:GetCallerIdentity` needs no permission."""


def examine(examined: Examined) -> tuple[Checked, ...]:
    """Return what each check finds. Each call gets twice 11 s at most."""
    with ThreadPoolExecutor(len(CHECKS)) as threads:
        found = threads.map(lambda check: found_by(check, examined), CHECKS)
        return tuple(map(Checked, (check.name for check in CHECKS), found))


def found_by(check: Check, examined: Examined) -> Finding:
    """Return what a check finds, or why AWS did not let it."""
    try:
        return check.examine(examined)
    except ClientError as error:
        code, said = error.response["Error"]["Code"], error.response["Error"]["Message"]
        if code in DENIED:
            needs = f"; it needs {', '.join(check.needs)}"
            return unknown(f"{error.operation_name} was denied ({code}: {_short(said)}){needs}")
        return unknown(f"{error.operation_name} failed ({code}: {_short(said)}): try again")
    except (BotoCoreError, ResponseParserError) as error:
        return unknown(
            f"AWS did not answer ({_short(str(error))}): check the network and try again"
        )


def _short(said: str) -> str:
    """Return AWS's words in one line, without the encoded message that may follow them."""
    return " ".join(said.partition("Encoded authorization failure message")[0].split())
