"""The metadata service tells an instance about itself, to clients that have a token."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lab.packets.fabric import Fabric
    from lab.packets.machine import Machine

ROOT = "http://169.254.169.254/latest"
TOKEN_HEADER = "X-aws-ec2-metadata-token"  # noqa: S105 - the name of a header


def curl(machine: Machine, *arguments: str) -> str:
    """Return what the service answers, with the status in the last line."""
    return machine.run(
        "curl", "--silent", "--max-time", "10", "--write-out", "\n%{http_code}", *arguments
    ).stdout


def told(machine: Machine, path: str) -> str:
    """Return what the service tells, by a token that was asked for."""
    lasting = f"{TOKEN_HEADER}-ttl-seconds: 60"
    token = curl(machine, "--request", "PUT", "--header", lasting, f"{ROOT}/api/token")
    header = f"{TOKEN_HEADER}: {token.splitlines()[0]}"
    return curl(machine, "--header", header, f"{ROOT}/meta-data/{path}")


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("instance-id", "nat-b\n200"),
        ("placement/region", "us-east-1\n200"),
        ("services/domain", "amazonaws.com\n200"),
        ("iam/security-credentials/", "nat\n200"),
        ("public-ipv4", "203.0.113.5\n200"),
        ("placement/", "region\n200"),
        ("ami-id", "\n404"),
    ],
)
def test_the_service_tells_an_instance_about_itself(fabric: Fabric, path: str, answer: str) -> None:
    """What boot files ask is answered, a folder with what is in it, the rest with 404."""
    assert answer == told(fabric.machines["nat-b"], path)


def test_the_service_has_credentials_of_the_instance(fabric: Fabric) -> None:
    """Their key names the NAT, so that whoever is asked with them knows who asks."""
    said = told(fabric.machines["nat-b"], "iam/security-credentials/nat").removesuffix("\n200")
    credentials = json.loads(said)
    assert "nat-b" == credentials["AccessKeyId"]
    assert {"SecretAccessKey", "Token", "Expiration"} <= credentials.keys()


def test_the_service_tells_which_address_has_which_public_one(fabric: Fabric) -> None:
    """By the hardware address of the interface, which the instance reads in /sys."""
    machine = fabric.machines["nat-b"]
    mac = machine.read("/sys/class/net/enX0/address").strip()
    folder = f"network/interfaces/macs/{mac}/ipv4-associations/"

    assert f"{mac}\n200" == told(machine, "mac")
    assert "203.0.113.5\n200" == told(machine, folder)
    assert "10.0.0.5\n200" == told(machine, f"{folder}203.0.113.5")


def test_the_service_tells_nothing_without_a_token(fabric: Fabric) -> None:
    """Version 2 of the service: no token, no answer; and no token of no duration."""
    machine = fabric.machines["nat-a"]

    assert "\n401" == curl(machine, f"{ROOT}/meta-data/instance-id")
    assert "\n400" == curl(machine, "--request", "PUT", f"{ROOT}/api/token")
