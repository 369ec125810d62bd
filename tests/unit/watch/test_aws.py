"""How the watch signs what it asks of AWS, and what it takes from the answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cdk_nat_failover.instances.watch import aws
from cdk_nat_failover.instances.watch.aws import Session, metadata, signed
from cdk_nat_failover.instances.watch.said import Peer, Ring

if TYPE_CHECKING:
    from tests.unit.watch.services import Services

AT = datetime(2026, 11, 29, 12, 30, 15, tzinfo=UTC)
KEYS = {"AccessKeyId": "AKIAANY", "SecretAccessKey": "any/secret+key", "Token": "any//token=="}


@pytest.mark.parametrize(
    ("service", "region", "domain"),
    [
        ("sns", "eu-west-1", "amazonaws.com"),
        ("dynamodb", "cn-north-1", "amazonaws.com.cn"),
        ("sns", "us-gov-east-1", "amazonaws.com"),
    ],
)
def test_signature_is_that_of_the_sdk(
    service: str, region: str, domain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the same request at the same time."""
    host = f"{service}.{region}.{domain}"
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "Any_1.Thing"}
    body = b'{"any": "body \xc3\xa4"}'
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: AT.replace(tzinfo=None))
    request = AWSRequest("POST", f"https://{host}/", headers=headers, data=body)
    credentials = Credentials(KEYS["AccessKeyId"], KEYS["SecretAccessKey"], KEYS["Token"])

    ours = signed(
        service=service,
        region=region,
        headers={**headers, "host": host},
        body=body,
        credentials=KEYS,
        at=AT.timestamp(),
    )

    SigV4Auth(credentials, service, region).add_auth(request)
    assert request.headers["Authorization"] == ours["authorization"]


def any_session() -> Session:
    """Return the services of a Region."""
    return Session("eu-west-1", "amazonaws.com")


def stored(*members: object, version: int = 7) -> dict[str, object]:
    """Return the item in which the function writes the ring."""
    return {"ring": {"S": json.dumps(members)}, "version": {"N": str(version)}}


def test_metadata_is_read_with_a_token(services: Services) -> None:
    """The instances answer no other questions for it."""
    assert "i-a" == metadata("instance-id")
    assert ["instance-id"] == services.metadata_read


def test_message_reaches_the_topic_as_it_was_given(services: Services) -> None:
    """Signed for the service, whichever host stands for it."""
    any_session().publish("arn:any:topic", '{"any": "message & more"}')

    (message,) = services.published
    assert ("Publish", "arn:any:topic", '{"any": "message & more"}') == (
        message["Action"],
        message["TopicArn"],
        message["Message"],
    )
    (headers,) = services.requests
    assert services.url.endswith(headers["host"])
    assert "/eu-west-1/sns/aws4_request" in headers["authorization"]


def test_ring_is_read_as_the_function_wrote_it(services: Services) -> None:
    """The newest: the read is consistent."""
    services.item = stored({"instance": "i-b", "address": "10.0.0.5", "state": "sick"})

    ring = any_session().ring("any-table")

    assert Ring((Peer("i-b", "10.0.0.5", "sick"),), 7) == ring
    wanted = {"TableName": "any-table", "Key": {"key": {"S": "peers"}}, "ConsistentRead": True}
    assert [wanted] == services.items_wanted
    assert "/eu-west-1/dynamodb/aws4_request" in services.requests[0]["authorization"]


def test_ring_is_empty_before_the_function_wrote_one(services: Services) -> None:
    """As in a stack whose first NATs boot."""
    assert services.item is None
    assert Ring() == any_session().ring("any-table")


def test_ring_that_nobody_can_read_is_an_error(services: Services) -> None:
    """The last one stands."""
    services.item = stored("no peer")

    with pytest.raises(ValueError, match="no peer"):
        any_session().ring("any-table")


def test_refusal_is_an_os_error(services: Services) -> None:
    """Whatever the services say of it."""
    services.refuses = True

    with pytest.raises(OSError, match="400"):
        any_session().publish("arn:any:topic", "any message")


@pytest.mark.parametrize(("seconds", "reads"), [(240.0, 1), (0.0, 2)])
def test_credentials_are_read_again_only_when_they_are_old(
    services: Services, monkeypatch: pytest.MonkeyPatch, seconds: float, reads: int
) -> None:
    """The metadata service may throttle."""
    monkeypatch.setattr(aws, "CREDENTIALS_S", seconds)
    session = any_session()

    for _ in range(2):
        session.publish("arn:any:topic", "any message")

    assert reads == services.metadata_read.count("iam/security-credentials/any-role")
    assert 2 == len(services.published)
