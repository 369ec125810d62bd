"""What AWS or botocore refuses, in a sentence that says how to mend it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import (
    ConnectionError as UnreachableError,
)
from botocore.parsers import ResponseParserError

from lab.account.errors import RealDrillError
from lab.account.permissions import PERMISSIONS, permission
from nat_failover.route_tables import IncompleteError

if TYPE_CHECKING:
    from collections.abc import Iterator


DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
UNKNOWN_PERSON = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""Error codes of AWS ("Common errors" of the API references of the services called)."""

_NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    SSOError,
    TokenRetrievalError,
)
_LOG_IN = (
    "log in (aws sso login, aws configure) or name another profile in AWS_PROFILE, and try again"
)


@contextmanager
def in_a_sentence() -> Iterator[None]:
    """Turn what AWS or botocore says into a `RealDrillError`."""
    try:
        yield
    except ClientError as error:
        raise RealDrillError(_refusal(error)) from error
    except (BotoCoreError, ResponseParserError, IncompleteError) as error:
        raise RealDrillError(_failure(error)) from error


def _refusal(error: ClientError) -> str:
    code, said = error.response["Error"]["Code"], error.response["Error"]["Message"]
    action, needs = permission(error.operation_name)
    if code in UNKNOWN_PERSON:
        return (
            f"AWS does not take the credentials ({action}: {code}: {said}): {_LOG_IN}; a Region"
            " that must be enabled for the account takes none before"
        )
    if code in DENIED:
        return (
            f"the credentials may not call {action} ({code}): allow them what {needs} needs, which"
            f" is {', '.join(PERMISSIONS[needs])}"
        )
    return f"AWS refused {action} ({code}: {said}): mend that and try again"


def _failure(error: Exception) -> str:
    said = " ".join(str(error).split())
    if isinstance(error, _NO_CREDENTIALS):
        return f"there are no usable AWS credentials ({said}): {_LOG_IN}"
    if isinstance(error, NoRegionError):
        return "no Region was given: give --region, or set one in the profile"
    if isinstance(error, (HTTPClientError, UnreachableError)):
        return f"AWS cannot be reached ({said}): check the Region and the network"
    return f"AWS's answer cannot be used ({said}): try again"
