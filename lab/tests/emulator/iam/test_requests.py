"""Requests as botocore sends them, read back to the calls that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from werkzeug.test import EnvironBuilder

from lab.emulator.iam.requests import parse, signer
from lab.emulator.isolation import ACCOUNT, REGION
from lab.tests.emulator.iam.guard import client_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.awsrequest import AWSPreparedRequest

KEY = "ASIAFUNCTION00000001"


def sent(service: str, operation: str, parameters: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return what botocore sends for a call, as a WSGI server hands it over, and its body."""
    caught: list[AWSPreparedRequest] = []

    def catch(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        caught.append(request)
        return AWSResponse(request.url, 404, HTTPHeaders(), None)

    client = client_of("http://localhost:1", service, KEY)
    client.meta.events.register("before-send", catch)
    with pytest.raises(AttributeError):  # the answer has no body to read
        getattr(client, operation)(**parameters)
    (request,) = caught
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    assert isinstance(body, bytes)
    path = request.url.removeprefix("http://localhost:1")
    return environ_of(request.method, path, dict(request.headers.items()), body), body


def environ_of(
    method: str, path: str, headers: Mapping[str, str | bytes], body: bytes
) -> dict[str, Any]:
    """Return a request as a WSGI server hands it over."""
    texts = [(name, v.decode() if isinstance(v, bytes) else v) for name, v in headers.items()]
    return EnvironBuilder(path=path, method=method, headers=texts, data=body).get_environ()


@pytest.mark.parametrize(
    ("service", "operation", "protocol", "parameters"),
    [
        (
            "ec2",
            "describe_instances",
            "ec2",
            {"Filters": [{"Name": "tag:any", "Values": ["a", "b"]}]},
        ),
        (
            "autoscaling",
            "set_instance_health",
            "query",
            {"InstanceId": "i-1", "HealthStatus": "Unhealthy"},
        ),
        ("sqs", "send_message", "json", {"QueueUrl": "http://any/any", "MessageBody": "any"}),
        ("lambda", "invoke", "rest-json", {"FunctionName": "any", "Payload": b"{}"}),
        (
            "route53",
            "get_hosted_zone",
            "rest-xml",
            {"Id": "any"},
        ),
    ],
)
def test_call_is_read_back_from_its_request(
    service: str, operation: str, protocol: str, parameters: dict[str, Any]
) -> None:
    """Operation and parameters as they were given to boto3, in every protocol."""
    environ, body = sent(service, operation, parameters)
    call = parse(environ, body, ACCOUNT)
    assert signer(environ) == KEY
    assert call.service == service
    assert call.operation.lower() == operation.replace("_", "")
    assert dict(call.parameters) == parameters
    assert (call.account, call.region, call.protocol) == (ACCOUNT, REGION, protocol)


def test_request_is_no_call_of_anybody_when_it_is_not_signed() -> None:
    """What nobody signed, nobody is asked about."""
    environ = environ_of("PUT", "/any", {}, b"")
    assert signer(environ) is None
    with pytest.raises(ValueError, match="not signed"):
        parse(environ, b"", ACCOUNT)


@pytest.mark.parametrize("service", ["ec2", "any-service"])
def test_request_is_an_error_when_it_is_no_call_that_botocore_knows(service: str) -> None:
    """It is not taken for another call."""
    scope = f"Credential={KEY}/20260101/{REGION}/{service}/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=any, Signature=any",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    body = b"Action=RepairRoute"
    with pytest.raises(ValueError, match=f"POST /any is no call of {service}"):
        parse(environ_of("POST", "/any", headers, body), body, ACCOUNT)
