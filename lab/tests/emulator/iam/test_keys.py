"""What publishing to an encrypted topic needs beside sns:Publish."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lab.emulator.iam.callers import Caller
from lab.emulator.iam.permissions import Permissions
from lab.tests.emulator.factories import deploy
from lab.tests.emulator.iam.guard import guarded
from lab.tests.emulator.stacks import physical, resource
from tests.iam import SIMULATOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.emulator.region import Region
    from lab.tests.emulator.iam.guard import Client

KEY = "ASIAINSTANCE00000001"
PUBLISH = {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}


def use(via: str, *actions: str) -> dict[str, Any]:
    """Return a statement that allows the use of keys through a service."""
    condition = {"StringEquals": {"kms:ViaService": f"{via}.us-east-1.amazonaws.com"}}
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", "Condition": condition}


BOTH = ("kms:GenerateDataKey*", "kms:Decrypt")


@pytest.fixture
def client(region: Region) -> Iterator[Client]:
    """Return what makes a client of a role that may publish to every topic."""
    iam = region.client("iam")
    role = iam.create_role(RoleName="any", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    allow(region, PUBLISH)
    with guarded(Permissions(SIMULATOR), {KEY: Caller(role, "i-1")}) as client:
        yield client


def allow(region: Region, *statements: dict[str, Any]) -> None:
    """Let the role do what some statements say."""
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    region.client("iam").put_role_policy(RoleName="any", PolicyName="any", PolicyDocument=document)


def topic(region: Region, key: str) -> str:
    """Return a topic that a key encrypts."""
    reply = region.client("sns").create_topic(Name="any", Attributes={"KmsMasterKeyId": key})
    return str(reply["TopicArn"])


@pytest.fixture
def encrypted(region: Region) -> str:
    """Return a topic with a key of the account, whose policy lets the account's policies speak."""
    return topic(region, region.client("kms").create_key()["KeyMetadata"]["Arn"])


def test_publisher_uses_the_key_through_the_topics_service(
    region: Region, client: Client, encrypted: str
) -> None:
    """A condition on the service holds while SNS asks."""
    allow(region, PUBLISH, use("sns", *BOTH))
    client("sns", KEY).publish(TopicArn=encrypted, Message="any")


def test_key_of_a_template_is_used_as_any_other(region: Region, client: Client) -> None:
    """Its policy is the template's."""
    speaks = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [speaks]}
    deploy(region, {"Key": resource("KMS::Key", KeyPolicy=policy)})
    allow(region, PUBLISH)
    arn = topic(region, physical(region, "Key"))
    client("sns", KEY).publish(TopicArn=arn, Message="any")


@pytest.mark.parametrize(
    "statements",
    [(), (use("sns", "kms:Decrypt"),), (use("sns", "kms:GenerateDataKey*"),), (use("sqs", *BOTH),)],
    ids=["neither", "decrypt", "generate", "another service"],
)
def test_publisher_is_refused_when_it_may_not_use_the_key(
    region: Region, client: Client, encrypted: str, statements: tuple[dict[str, Any], ...]
) -> None:
    """By a code that is SNS's own."""
    allow(region, PUBLISH, *statements)
    with pytest.raises(ClientError, match="KMSAccessDenied"):
        client("sns", KEY).publish(TopicArn=encrypted, Message="any")


def test_publisher_is_refused_when_the_keys_policy_lets_nobody(
    region: Region, client: Client
) -> None:
    """Without it, no policy of a role counts."""
    document = json.dumps({"Version": "2012-10-17", "Statement": []})
    key = region.client("kms").create_key(Policy=document)["KeyMetadata"]["KeyId"]
    allow(region, PUBLISH, use("sns", *BOTH))
    with pytest.raises(ClientError, match="KMSAccessDenied"):
        client("sns", KEY).publish(TopicArn=topic(region, key), Message="any")


@pytest.mark.parametrize("key", ["", "alias/aws/sns"])
def test_publisher_needs_no_key_of_the_accounts_own(
    region: Region, client: Client, key: str
) -> None:
    """A topic may have none, or the one that AWS manages."""
    client("sns", KEY).publish(TopicArn=topic(region, key), Message="any")
