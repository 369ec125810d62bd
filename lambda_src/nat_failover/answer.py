"""How CloudFormation gets its answer: one PUT to its own bucket, or nothing.

A request names the address of the answer itself. So it is believed only if that is where
CloudFormation waits: https, at its bucket of the stack's Region in S3 (CloudFormation user guide,
"VPC endpoint policy", names the buckets; the Regions' hosts: S3 in the AWS General Reference).
Where the environment names another S3 with the SDKs' documented variable, the host of that is right
instead.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from nat_failover.contract import Settings
    from nat_failover.triggers import Deployment

ANSWER_TIMEOUT_S = 8.0
"""How long one attempt may take in all, from the name to the status, however slowly it comes."""

_ATTEMPTS = 2

_REASON_LIMIT = 1500
"""Printable ASCII characters, two bytes each at most in JSON: CloudFormation hangs on an answer of
more than 4096 bytes (CloudFormation user guide, custom resource response objects)."""

_SUFFIXES = (
    r"amazonaws\.com(?:\.cn)?|amazonaws\.eu|c2s\.ic\.gov|sc2s\.sgov\.gov"
    r"|cloud\.adc-e\.uk|csp\.hci\.ic\.gov"
)
"""The DNS suffixes of AWS's partitions (botocore, partitions.json)."""

_WORTH_REPEATING = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses that say something of S3 and nothing of the request."""


class UndeliveredError(OSError):
    """CloudFormation could not be answered; Lambda invokes the function again."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of an answer; `repeat` says whether another invocation might deliver it."""

    error: str | None = None
    repeat: bool = False


def is_cloudformations(url: str, settings: Settings, s3_endpoint: str | None) -> bool:
    """Say whether CloudFormation, or the S3 that the environment names, waits at an address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not url.isascii() or not url.isprintable() or " " in url or parts.username is not None:
        return False
    if s3_endpoint:
        return parts.scheme in {"http", "https"} and host == urlsplit(s3_endpoint).hostname
    region = settings.stack_id.split(":")[3]
    bucket = f"cloudformation-custom-resource-response-{region.replace('-', '')}"
    s3 = rf"s3(?:[.-]{re.escape(region)}|\.dualstack\.{re.escape(region)})?"
    known = re.fullmatch(rf"{bucket}\.{s3}\.(?:{_SUFFIXES})", host)
    return parts.scheme == "https" and port in {None, 443} and known is not None


def answer(deployment: Deployment, failure: str | None) -> Delivery:
    """Answer CloudFormation what became of its request; return what became of the answer."""
    body = json.dumps(
        {
            "Status": "FAILED" if failure else "SUCCESS",
            "Reason": _reason(failure or "done"),
            "PhysicalResourceId": deployment.physical_id,
            "StackId": deployment.stack,
            "RequestId": deployment.request_id,
            "LogicalResourceId": deployment.logical_id,
        }
    ).encode()
    for _ in range(_ATTEMPTS):
        delivery = _Put(deployment.response_url, body).delivery()
        if not delivery.repeat:
            break
    return delivery


def _reason(text: str) -> str:
    """Return a text as CloudFormation shows it; one that is too long ends with where to read on."""
    plain = "".join(c if c.isascii() and c.isprintable() else "?" for c in text)
    if len(plain) <= _REASON_LIMIT:
        return plain
    more = "... (the function's log has all)"
    return plain[: _REASON_LIMIT - len(more)] + more


class _Put:
    """One PUT in a thread of its own, which ends when its socket is closed.

    A timeout of a socket starts anew with each byte, so it bounds nothing: a server could drip. No
    redirection is followed, and no body is read.
    """

    def __init__(self, url: str, body: bytes) -> None:
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        self._connection = connect(parts.hostname or "", parts.port, timeout=ANSWER_TIMEOUT_S)
        self._target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        self._body = body
        self._result = Delivery(error="no status came in time", repeat=True)

    def delivery(self) -> Delivery:
        """Make the attempt and return what is known of it when its time is up."""
        thread = threading.Thread(target=self._put, daemon=True)
        thread.start()
        thread.join(ANSWER_TIMEOUT_S)
        result = self._result
        self._hang_up()
        return result

    def _hang_up(self) -> None:
        """Wake the thread that reads, if it still does: closing alone would not."""
        with contextlib.suppress(OSError, AttributeError):
            self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def _put(self) -> None:
        try:
            self._connection.request("PUT", self._target, self._body, {"Content-Type": ""})
            status = self._connection.getresponse().status
        except (OSError, ValueError, AttributeError, http.client.HTTPException) as error:
            # AttributeError: http.client's, when the connection is closed while it reads.
            self._result = Delivery(error=f"{type(error).__name__}: {error}"[:200], repeat=True)
            return
        done = status in range(200, 300)
        again = status in _WORTH_REPEATING
        self._result = Delivery() if done else Delivery(error=f"status {status}", repeat=again)
