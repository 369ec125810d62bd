"""What the watch asks of AWS: the instance's credentials, a publication, one item of a table.

Requests are signed here ("Signature Version 4", IAM user guide): the AWS CLI takes seconds to
start, and the image has no SDK. Each answer may take a few seconds, so nothing here runs where
heartbeats are sent. AWS_ENDPOINT_URL stands for all services, as it does in the SDKs. What goes
wrong is an OSError (also what AWS refuses), or a ValueError or KeyError where an answer is none.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from .said import Ring
from .wire import ring_from_text

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S = 2.0
"""Of each thing that a request waits for."""

CREDENTIALS_S = 240.0
"""For how long credentials are used: the metadata service has new ones 5 minutes before the old end
("Retrieve security credentials from instance metadata", EC2 user guide)."""

_METADATA = "http://169.254.169.254/latest/"
_ROLE = "iam/security-credentials/"


def metadata(path: str) -> str:
    """Return what the instance metadata service has at a path."""
    lifetime = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    url = f"{_METADATA}api/token"
    token = _ask(Request(url, headers=lifetime, method="PUT"))  # noqa: S310 - our own
    headers = {"X-aws-ec2-metadata-token": token}
    return _ask(Request(f"{_METADATA}meta-data/{path}", headers=headers))  # noqa: S310 - our own


def _ask(request: Request, context: ssl.SSLContext | None = None) -> str:
    with urlopen(request, timeout=TIMEOUT_S, context=context) as answer:  # noqa: S310 - our own
        text: bytes = answer.read()
    return text.decode()


def signed(  # noqa: PLR0913 - what is signed, each thing by name
    *,
    service: str,
    region: str,
    headers: Mapping[str, str],
    body: bytes,
    credentials: Mapping[str, str],
    at: float,
) -> dict[str, str]:
    """Return the headers of a POST to `/`, with its signature at a time of the wall clock."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    headers = {**headers, "x-amz-date": stamp, "x-amz-security-token": credentials["Token"]}
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{credentials['SecretAccessKey']}".encode()
    for part in (*scope.split("/"), f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"):
        key = hmac.digest(key, part.encode(), "sha256")
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={credentials['AccessKeyId']}/{scope},"
        f" SignedHeaders={names}, Signature={key.hex()}"
    )
    return {**headers, "authorization": authorization}


class Session:
    """The services of one Region, asked with the role of this instance."""

    def __init__(self, region: str, domain: str) -> None:
        """Ask nothing yet."""
        self._region, self._domain = region, domain
        self._context = ssl.create_default_context()
        self._credentials: dict[str, str] = {}
        self._renew_at = 0.0

    def publish(self, topic: str, message: str) -> None:
        """Publish a message to a topic."""
        form = {"Action": "Publish", "Version": "2010-03-31", "TopicArn": topic, "Message": message}
        self._post("sns", "x-www-form-urlencoded", urlencode(form))

    def ring(self, table: str) -> Ring:
        """Return the ring that the function wrote, an empty one if there is none."""
        wanted = {"TableName": table, "Key": {"key": {"S": "peers"}}, "ConsistentRead": True}
        target = {"x-amz-target": "DynamoDB_20120810.GetItem"}
        answer = self._post("dynamodb", "x-amz-json-1.0", json.dumps(wanted), target)
        item = json.loads(answer).get("Item")
        if item is None:
            return Ring()
        ring = ring_from_text(item["ring"]["S"], int(item["version"]["N"]))
        if ring is None:
            raise ValueError(item)
        return ring

    def _post(
        self, service: str, form: str, body: str, more: Mapping[str, str] | None = None
    ) -> str:
        if time.monotonic() >= self._renew_at:
            self._credentials = json.loads(metadata(_ROLE + metadata(_ROLE)))
            self._renew_at = time.monotonic() + CREDENTIALS_S
        url = os.environ.get("AWS_ENDPOINT_URL") or (
            f"https://{service}.{self._region}.{self._domain}"
        )
        headers = {"content-type": f"application/{form}", "host": urlsplit(url).netloc}
        all_headers = signed(
            service=service,
            region=self._region,
            headers={**headers, **(more or {})},
            body=body.encode(),
            credentials=self._credentials,
            at=time.time(),
        )
        return _ask(Request(f"{url}/", body.encode(), all_headers), self._context)  # noqa: S310 - https
