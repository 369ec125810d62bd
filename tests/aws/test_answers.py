"""Where CloudFormation's answers go, and where they never go."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from nat_failover import answer as answers
from nat_failover.answer import is_cloudformations
from tests.aws import messages
from tests.factories import ANY_STACK_ID, any_function_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.aws.conftest import Deploy
    from tests.aws.region import Region

BUCKET = "cloudformation-custom-resource-response-euwest1"
PATH = "/any-stack-id?X-Amz-Signature=any"


@pytest.mark.parametrize(
    "host",
    [
        "s3.amazonaws.com",
        "s3.eu-west-1.amazonaws.com",
        "s3-eu-west-1.amazonaws.com",
        "s3.dualstack.eu-west-1.amazonaws.com",
    ],
)
def test_request_is_believed_when_cloudformations_bucket_waits(host: str) -> None:
    """Public samples show the bucket under each of S3's host names."""
    url = f"https://{BUCKET}.{host}{PATH}"
    assert is_cloudformations(url, any_function_settings(), None)


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("cn-north-1", "s3.cn-north-1.amazonaws.com.cn"),
        ("eusc-de-east-1", "s3.eusc-de-east-1.amazonaws.eu"),
        ("us-gov-west-1", "s3.us-gov-west-1.amazonaws.com"),
    ],
)
def test_request_is_believed_in_every_partition(region: str, host: str) -> None:
    """A partition has a DNS suffix of its own."""
    stack = ANY_STACK_ID.replace("eu-west-1", region)
    bucket = f"cloudformation-custom-resource-response-{region.replace('-', '')}"
    url = f"https://{bucket}.{host}{PATH}"
    assert is_cloudformations(url, any_function_settings(stack_id=stack), None)


FORGED = [
    f"http://{BUCKET}.s3.amazonaws.com{PATH}",
    f"https://{BUCKET}.s3.amazonaws.com.example.com{PATH}",
    f"https://{BUCKET}-mine.s3.amazonaws.com{PATH}",
    f"https://example.com/{BUCKET}.s3.amazonaws.com{PATH}",
    f"https://{BUCKET}.s3.amazonaws.com@example.com{PATH}",
    f"https://{BUCKET}.s3.amazonaws.com:8443{PATH}",
    f"https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com{PATH}",
    f"https://{BUCKET}.s3.amazonaws.com/any path",
    f"https://{BUCKET}.s3.amazonaws.com/any\r\nHost: example.com",
    "file:///etc/passwd",
    "http://169.254.169.254/",
    "https://[",
    "https://example.com:port",
    "",
    "\ud800",
]


@pytest.mark.parametrize("url", FORGED)
def test_request_is_not_believed_when_somebody_else_would_be_answered(
    url: str, region: Region, deploy: Deploy
) -> None:
    """It leads to an observation like any other message, and to no request to that host."""
    function = deploy(region.settings)

    returned = function(messages.deployment("Create", url))

    assert returned["trigger"] == ["unknown"]
    assert function.wire.writes == []


@pytest.fixture
def dripping(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the address of a server that sends a byte of its status line now and then."""
    monkeypatch.setattr(answers, "ANSWER_TIMEOUT_S", 0.5)
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            while not over.is_set():
                try:
                    connection, _ = server.accept()
                    with connection:
                        while not over.wait(0.05):
                            connection.send(b"H")
                except OSError:
                    pass

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/any"
        over.set()
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_answer_is_given_up_when_a_server_drips_bytes(
    dripping: str, region: Region, deploy: Deploy
) -> None:
    """The deadline is for the whole answer; Lambda invokes the function once more."""
    function = deploy(region.settings, AWS_ENDPOINT_URL_S3=dripping)
    began = time.monotonic()

    with pytest.raises(OSError, match="no status came in time"):
        function(messages.deployment("Update", dripping))

    assert time.monotonic() - began < 10
