"""How the watch signs what it asks of AWS."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cdk_nat_failover.instances.watch.aws import signed

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
